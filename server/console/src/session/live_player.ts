/**
 * Plays some tracks of one live view together, through one MediaSource: all SourceBuffers are there before the first
 * append, each takes its parts in order, and what was seen a while ago is dropped. Decides nothing about when to play.
 */
import type { WatchedTrack } from "../contract/live";
import type { LivePart } from "./live_track";

/** Seconds of what was seen that stay in the buffer, and how much more may gather before it is dropped. */
const KEEP_S = 20;
const GATHER_S = 5;

interface Lane {
  readonly track: WatchedTrack;
  readonly queue: LivePart[];
  mime: string;
  buffer: SourceBuffer | null;
  busy: boolean;
}

export class LivePlayer {
  /** What the browser refused; nothing is appended any more then. */
  failure: unknown = null;
  /** A part came whose range lies before what its track had: the timeline has gone back, and nothing plays here any more. */
  wentBack = false;
  private readonly source = new MediaSource();
  private readonly url = URL.createObjectURL(this.source);
  private readonly lanes: readonly Lane[];
  private closed = false;

  /** Each track comes with the parts of its present segment, which are at least one. */
  constructor(
    private readonly video: HTMLVideoElement,
    tracks: readonly (readonly [WatchedTrack, readonly LivePart[]])[],
  ) {
    this.lanes = tracks.map(([track, parts]) => ({
      track,
      queue: [...parts],
      mime: parts[0]?.mime ?? "",
      buffer: null,
      busy: false,
    }));
    this.source.addEventListener("sourceopen", () => this.open(), { once: true });
    video.addEventListener("error", this.onError);
    video.src = this.url;
  }

  get tracks(): readonly WatchedTrack[] {
    return this.lanes.map(({ track }) => track);
  }

  /** The end of what there is of a track, in seconds; `null` while there is nothing. */
  endS(track: WatchedTrack): number | null {
    const buffer = this.lanes.find((one) => one.track === track)?.buffer ?? null;
    return buffer === null || !this.works ? null : endOf(buffer);
  }

  /** Take the next part of a track; nothing happens where it is none of these. */
  append(track: WatchedTrack, part: LivePart): void {
    const lane = this.lanes.find((one) => one.track === track);
    if (lane === undefined) return;
    lane.queue.push(part);
    void this.pump(lane);
  }

  close(): void {
    this.closed = true;
    this.video.removeEventListener("error", this.onError);
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.url);
  }

  private readonly onError = (): void => {
    this.failure ??= this.video.error ?? new Error("the browser refused the picture");
  };

  private open(): void {
    if (this.closed) return;
    try {
      for (const lane of this.lanes) lane.buffer = this.source.addSourceBuffer(lane.mime);
    } catch (error) {
      this.failure ??= error;
      return;
    }
    for (const lane of this.lanes) void this.pump(lane);
  }

  private async pump(lane: Lane): Promise<void> {
    const { buffer } = lane;
    if (lane.busy || buffer === null) return;
    lane.busy = true;
    try {
      for (let part = lane.queue.shift(); part !== undefined && this.works; part = lane.queue.shift()) {
        const { data, mime, begins } = part;
        if (mime !== lane.mime) buffer.changeType(mime);
        lane.mime = mime;
        const before = endOf(buffer);
        await settled(buffer, () => buffer.appendBuffer(data));
        if (this.works && !begins && before !== null) this.wentBack ||= (endOf(buffer) ?? before) <= before;
        await this.drop(buffer);
      }
    } catch (error) {
      this.failure ??= error;
    } finally {
      lane.busy = false;
    }
  }

  private get works(): boolean {
    return !this.closed && this.failure === null;
  }

  private async drop(buffer: SourceBuffer): Promise<void> {
    const until = this.video.currentTime - KEEP_S;
    if (!this.works || buffer.buffered.length === 0 || buffer.buffered.start(0) > until - GATHER_S) return;
    await settled(buffer, () => buffer.remove(0, until));
  }
}

function endOf({ buffered }: SourceBuffer): number | null {
  return buffered.length === 0 ? null : buffered.end(buffered.length - 1);
}

/** Start something and wait until the buffer is done with it. */
export async function settled(buffer: SourceBuffer, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const listening = new AbortController();
    const done = (result: () => void) => (): void => {
      listening.abort();
      result();
    };
    const refused = done(() => reject(new Error("the browser refused a fragment")));
    buffer.addEventListener("updateend", done(resolve), { signal: listening.signal });
    buffer.addEventListener("error", refused, { signal: listening.signal });
    buffer.addEventListener("abort", refused, { signal: listening.signal });
    start();
  });
}
