/**
 * The connection of a page that watches: reads the server's endless answer piece by piece, and makes it again after a cut,
 * each page after a time of its own so that they don't all come back at once. Opens nothing.
 */
import * as api from "../api";
import { type Piece, PieceReader } from "../contract/live";
import { patiently, unless } from "./patience";

/** The server gives a sign of life every two seconds: one that says nothing for this long is gone. */
const SILENCE_MS = 10_000;
const AGAIN_MS = 1_000;
const SPREAD_MS = 4_000;

export type LinkState = "connecting" | "connected" | "cut" | "ended";

/** What comes of a connection. */
export interface LinkListener {
  /** A piece; the next is read when this is done, or when the connection was given up meanwhile. */
  onPiece(piece: Piece): Promise<void>;
  /** `why` goes with "cut". */
  onState(state: LinkState, why?: unknown): void;
}

export class LiveLink {
  private readonly abort = new AbortController();

  constructor(
    private readonly session: string,
    private readonly listener: LinkListener,
  ) {}

  close(): void {
    this.abort.abort();
  }

  /** Read until the session has ended or the link is closed. Throws a refusal that waiting does not change. */
  async run(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      this.listener.onState("connecting");
      const why = await this.read().catch((error: unknown) => error);
      if (signal.aborted) return;
      this.listener.onState("cut", why);
      if (await this.hasEnded()) return this.listener.onState("ended");
      if (why instanceof api.Refused && [401, 403, 404].includes(why.status)) throw why;
      await pause(AGAIN_MS + Math.random() * SPREAD_MS, signal);
    }
  }

  /** Read one answer to its end. */
  private async read(): Promise<void> {
    const attempt = new AbortController();
    const stop = (): void => attempt.abort();
    this.abort.signal.addEventListener("abort", stop);
    const watch = new Watchdog(SILENCE_MS, stop);
    try {
      const stream = (await api.live(this.session, attempt.signal)).getReader();
      this.listener.onState("connected");
      const pieces = new PieceReader();
      for (let got = await stream.read(); !got.done; got = await stream.read()) {
        watch.stroke();
        for (const piece of pieces.push(got.value)) await unless(attempt.signal, this.listener.onPiece(piece));
      }
    } finally {
      watch.stop();
      stop();
      this.abort.signal.removeEventListener("abort", stop);
    }
  }

  /** An answer that ends says nothing of why: the session's state does. */
  private async hasEnded(): Promise<boolean> {
    try {
      const { ended, state } = await patiently((signal) => api.session(this.session, signal), this.abort.signal);
      return !this.abort.signal.aborted && (ended || state === "ended");
    } catch {
      return false;
    }
  }
}

/** Calls back when nothing was heard for a while. */
class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly silenceMs: number,
    private readonly bark: () => void,
  ) {
    this.stroke();
  }

  stroke(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.bark, this.silenceMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** Wait, or until the signal is given. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
