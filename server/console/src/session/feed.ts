/**
 * Feeds one video element with decrypted segments around its current time, through MediaSource.
 *
 * One feed may carry two tracks (camera and microphone). All SourceBuffers are added before the first append. Each
 * segment brings its own initialisation bytes and begins with a key frame, so segments can be appended in any order.
 */
import { concat } from "../contract/bytes";
import type { Track } from "../contract/records";
import type { Entry } from "../contract/statements";
import type { Evidence } from "./evidence";

const AHEAD_MS = 20_000;
const BEHIND_MS = 1_000;
const KEEP_S = 45;
const RETRY_MS = 2_000;

interface Lane {
  readonly buffer: SourceBuffer;
  readonly entries: readonly Entry[];
  readonly appended: Set<Entry>;
  readonly failed: Set<Entry>;
  mime: string;
  busy: boolean;
  /** After a failed fetch, the time (performance.now) before which it is not tried again. */
  retryAt: number;
}

export class Feed {
  private readonly lanes: Lane[] = [];
  private readonly source = new MediaSource();
  private readonly url = URL.createObjectURL(this.source);
  private closed = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly evidence: Evidence,
    private readonly tracks: readonly Track[],
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Attach to the video; resolves to false where no segment of these tracks opens or the codec is not supported. */
  async open(): Promise<boolean> {
    const opened = new Promise((resolve) => this.source.addEventListener("sourceopen", resolve, { once: true }));
    this.video.src = this.url;
    await opened;
    const firsts = await Promise.all(this.tracks.map((track) => this.firstMime(track)));
    if (this.closed) return false;
    for (const [index, track] of this.tracks.entries()) {
      const mime = firsts[index];
      if (mime !== undefined && mime !== null && MediaSource.isTypeSupported(mime)) this.addLane(track, mime);
    }
    if (this.lanes.length === 0) return false;
    this.source.duration = this.evidence.endMs() / 1000;
    this.fill();
    return true;
  }

  close(): void {
    this.closed = true;
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.url);
  }

  /** Fetch and append what is needed around the current time; cheap to call often. */
  fill(): void {
    for (const lane of this.lanes) {
      if (!lane.busy && performance.now() >= lane.retryAt) void this.run(lane);
    }
  }

  /**
   * Return where playback can go on when nothing is buffered at the current time, or null while it is still loading.
   * `Infinity` says that there is nothing more.
   */
  stepOver(): number | null {
    const now = this.video.currentTime;
    for (const lane of this.lanes) if (this.pendingAt(lane, now * 1000).length > 0) return null;
    for (let index = 0; index < this.video.buffered.length; index += 1) {
      const [start, end] = [this.video.buffered.start(index), this.video.buffered.end(index)];
      if (start > now + 0.001) return start + 0.001;
      if (end > now + 0.15) return null;
    }
    // Nothing later is buffered: the next time at which every lane has a segment that may open.
    const starts = this.lanes.map((lane) => {
      const later = lane.entries.find((e) => e.record.start_ms / 1000 > now + 0.05 && !lane.failed.has(e));
      return later === undefined ? Infinity : later.record.start_ms / 1000 + 0.001;
    });
    return Math.max(...starts);
  }

  private async firstMime(track: Track): Promise<string | null> {
    for (const entry of this.evidence.track(track)) {
      const opened = await this.evidence.open(entry).catch(() => null);
      if (opened !== null && opened.fragments.length > 0) return opened.header.mime;
    }
    return null;
  }

  private addLane(track: Track, mime: string): void {
    const buffer = this.source.addSourceBuffer(mime);
    const entries = this.evidence.track(track);
    const sets = { appended: new Set<Entry>(), failed: new Set<Entry>() };
    this.lanes.push({ buffer, entries, mime, ...sets, busy: false, retryAt: 0 });
  }

  /** Segments near the current time that are neither appended nor known to be bad, nearest first. */
  private wanted(lane: Lane): readonly Entry[] {
    const now = this.video.currentTime * 1000;
    return lane.entries.filter((entry) => {
      const { start_ms, duration_ms } = entry.record;
      const near = start_ms < now + AHEAD_MS && start_ms + duration_ms > now - BEHIND_MS;
      return near && !lane.appended.has(entry) && !lane.failed.has(entry);
    });
  }

  private pendingAt(lane: Lane, now: number): readonly Entry[] {
    return this.wanted(lane).filter(({ record }) => record.start_ms <= now + 500 && record.start_ms + record.duration_ms > now);
  }

  private async run(lane: Lane): Promise<void> {
    lane.busy = true;
    try {
      for (let entry = this.wanted(lane)[0]; entry !== undefined && !this.closed; entry = this.wanted(lane)[0]) {
        await this.append(lane, entry);
      }
    } catch (error) {
      lane.retryAt = performance.now() + RETRY_MS;
      if (!this.closed) this.onFailure(error);
    } finally {
      lane.busy = false;
    }
  }

  private async append(lane: Lane, entry: Entry): Promise<void> {
    const opened = await this.evidence.open(entry);
    if (this.closed) return;
    if (opened === null || opened.fragments.length === 0) {
      lane.failed.add(entry);
      return;
    }
    await this.evict(lane);
    try {
      if (opened.header.mime !== lane.mime) lane.buffer.changeType(opened.header.mime);
      lane.mime = opened.header.mime;
      await settled(lane.buffer, () => lane.buffer.appendBuffer(concat(...opened.fragments)));
      lane.appended.add(entry);
    } catch (error) {
      // Sealed and signed, yet not media that this browser plays: step over it.
      lane.failed.add(entry);
      throw error;
    }
  }

  /** Drop what is far from the current time, so that long sessions never fill the browser's quota. */
  private async evict(lane: Lane): Promise<void> {
    const now = this.video.currentTime;
    for (const entry of lane.appended) {
      const start = entry.record.start_ms / 1000;
      const end = start + entry.record.duration_ms / 1000;
      if (end > now - KEEP_S && start < now + KEEP_S) continue;
      lane.appended.delete(entry);
      if (end > start) await settled(lane.buffer, () => lane.buffer.remove(start, end));
    }
  }
}

async function settled(buffer: SourceBuffer, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    buffer.addEventListener("updateend", () => resolve(), { once: true });
    buffer.addEventListener("error", () => reject(new Error("the browser refused a segment")), { once: true });
    start();
  });
}
