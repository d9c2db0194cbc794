/**
 * One track within a picture of a live view: what came of its present segment, so much of it as is kept, and when anything
 * came. Plays nothing.
 */
import type { WatchedTrack } from "../contract/live";
import type { LivePart } from "./live_track";

/** What is kept of one segment at most. The longest that a policy allows has eleven parts, and some ten megabytes. */
const MAX_PARTS = 600;
const MAX_BYTES = 16 * 1024 * 1024;
/** A track of which nothing came for so long, while so many parts came of another, is lost. */
const LOST_MS = 4_000;
const LOST_PARTS = 4;

/** What was sealed and signed rightly and is not shown for all that; the message is a sentence for examiners. */
export class NotShown extends Error {}

export class LiveLane {
  /** performance.now() when what is new in the player came; `null` while nothing was. */
  progressMs: number | null = null;
  private parts: LivePart[] = [];
  private bytes = 0;
  /** The rest of this segment is not shown. */
  private full = false;
  private cameMs = 0;
  /** performance.now() since when it is missed, and the parts of other tracks since then. */
  private missedMs = 0;
  private missed = 0;
  private newestS = -1;

  constructor(readonly track: WatchedTrack) {}

  /** What came of the present segment, from its beginning. */
  get kept(): readonly LivePart[] {
    return this.parts;
  }

  /** Keep a part; `false` where its segment's beginning is not there. Throws `NotShown` where its segment is too large. */
  take(part: LivePart, nowMs: number): boolean {
    if (part.begins) this.forget();
    else if (!this.full && this.parts.length === 0) return false;
    this.bytes += part.data.length;
    if (this.full || this.parts.length === MAX_PARTS || this.bytes > MAX_BYTES) {
      this.forget();
      this.full = true;
      throw new NotShown("Its segment is larger than what live view keeps. Look at it in the recording, once it is stored.");
    }
    this.parts.push(part);
    this.cameMs = nowMs;
    this.isHeard(nowMs);
    return true;
  }

  forget(): void {
    [this.parts, this.bytes, this.full] = [[], 0, false];
  }

  /** A part of another track came. */
  isPassed(): void {
    this.missed += 1;
  }

  /** Begin anew to wait for it. */
  isHeard(nowMs: number): void {
    [this.missed, this.missedMs] = [0, nowMs];
  }

  /** Whether there is something to play, and more to come as far as is known. */
  comes(nowMs: number): boolean {
    const lost = this.missed >= LOST_PARTS && nowMs - this.missedMs >= LOST_MS;
    return this.parts.length > 0 && !lost;
  }

  /** Take notice of how far the player has it, in seconds. */
  reaches(newestS: number): void {
    if (newestS <= this.newestS + 0.01) return;
    this.newestS = newestS;
    this.progressMs = this.cameMs;
  }

  /** A new player has nothing of it yet; what it then has is no newer for that. */
  restart(): void {
    this.newestS = -1;
  }
}
