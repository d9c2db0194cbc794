/**
 * When a live page has its connection: while somebody follows it, and while this browser has a seat for it. A page that was
 * left alone for a minute lets both go, and takes them up again by itself when it is seen.
 */
import { LiveLink, type LinkListener, type LinkState } from "./live_link";
import { takeSeat } from "./live_seats";
import { lasting } from "./live_sight";

/** A look at another tab is shorter. */
export const ALONE_MS = 60_000;

/** "full": it waits for a seat; "away": it was left alone, and holds nothing. */
export type Attendance = LinkState | "full" | "away";

export interface AttendanceListener extends LinkListener {
  /** `why` goes with "cut". */
  onState(state: Attendance, why?: unknown): void;
}

export class LiveAttendance {
  private readonly over = new AbortController();

  /** `isFollowed` is asked whenever the page comes into sight or goes out of it. */
  constructor(
    private readonly session: string,
    private readonly isFollowed: () => boolean,
    private readonly listener: AttendanceListener,
  ) {}

  close(): void {
    this.over.abort();
  }

  /** Watch until the session has ended or this is closed. Throws a refusal that waiting does not change. */
  async run(): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      const wasLeftAlone = await this.stay();
      if (!wasLeftAlone || signal.aborted) return;
      this.listener.onState("away");
      await lasting(this.isFollowed, 0, signal);
    }
  }

  /** Watch until the session has ended, or the page was left alone: the latter is what it returns. */
  private async stay(): Promise<boolean> {
    const stay = new AbortController();
    const stop = (): void => stay.abort();
    this.over.signal.addEventListener("abort", stop);
    void lasting(() => !this.isFollowed(), ALONE_MS, stay.signal).then(stop);
    try {
      const seat = await takeSeat(stay.signal, () => this.listener.onState("full"));
      await this.watch(stay.signal).finally(() => seat.leave());
      return stay.signal.aborted;
    } catch (error) {
      if (stay.signal.aborted) return true;
      throw error;
    } finally {
      stop();
      this.over.signal.removeEventListener("abort", stop);
    }
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const link = new LiveLink(this.session, this.listener);
    signal.addEventListener("abort", () => link.close());
    if (signal.aborted) link.close();
    await link.run();
  }
}
