/**
 * One picture of a live view: decides which tracks play together, shows them at the live edge, knows how old they are.
 *
 * Keeps what came of the segment being recorded, so that a player can be made anew at any time: when a track comes late or
 * is lost, or when the browser refuses a fragment.
 */
import type { WatchedTrack } from "../contract/live";
import { LiveEdge } from "./live_edge";
import { LivePlayer } from "./live_player";
import type { LivePart } from "./live_track";

/** How long the first track waits for the others. */
const TOGETHER_MS = 2_500;
/** A track of which nothing came for so long, while so many parts came of another, is lost. */
const LOST_MS = 4_000;
const LOST_PARTS = 4;
const AGAIN_MS = 5_000;

interface Lane {
  readonly track: WatchedTrack;
  /** What came of the present segment, from its beginning. */
  parts: readonly LivePart[];
  lastMs: number;
  /** Parts of other tracks since its last. */
  missed: number;
}

/** How a picture stands: both `null` while there is none. */
export interface Standing {
  /** The candidate's clock (UTC) at the moment that is shown. */
  readonly momentMs: number | null;
  /** performance.now() when it last became longer. */
  readonly progressMs: number | null;
}

export class LiveFeed {
  private readonly lanes = new Map<WatchedTrack, Lane>();
  private player: LivePlayer | null = null;
  private edge = new LiveEdge();
  private beganMs = -Infinity;
  private firstMs: number | null = null;
  private newestS = -1;
  private progressMs: number | null = null;

  /** `onFailure` is told of media that the browser does not play. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly tracks: readonly WatchedTrack[],
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Take a part that may be shown. */
  offer(track: WatchedTrack, part: LivePart): void {
    const nowMs = performance.now();
    this.firstMs ??= nowMs;
    const lane = this.lanes.get(track) ?? { track, parts: [], lastMs: nowMs, missed: 0 };
    if (lane.parts.length === 0 && !part.begins) return;
    this.lanes.set(track, lane);
    for (const other of this.lanes.values()) other.missed += 1;
    lane.missed = 0;
    lane.lastMs = nowMs;
    lane.parts = part.begins ? [part] : [...lane.parts, part];
    this.player?.append(track, part);
  }

  /** Start, renew and steer the player; call it a few times a second. */
  tick(): void {
    const nowMs = performance.now();
    if (this.player?.failure != null) this.giveUp(this.player.failure);
    const wanted = this.wanted(nowMs);
    if (wanted.length > 0 && this.isDue(wanted, nowMs)) this.begin(wanted, nowMs);
    const { video } = this;
    const ranges = Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)] as const);
    this.noteProgress(ranges.at(-1)?.[1] ?? -1, nowMs);
    const { jumpTo, rate } = this.edge.steer({ nowMs, timeS: video.currentTime, ranges });
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (jumpTo !== null) video.currentTime = jumpTo;
    if (video.paused && ranges.length > 0) void video.play().catch(() => undefined);
  }

  close(): void {
    this.player?.close();
    this.player = null;
  }

  standing(): Standing {
    const [leading] = this.lanes.values();
    const zero = leading?.parts.at(-1)?.zeroMs;
    const shown = zero !== undefined && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    return { momentMs: shown ? zero + this.video.currentTime * 1000 : null, progressMs: this.progressMs };
  }

  /** The tracks to play now: all that come. */
  private wanted(nowMs: number): readonly Lane[] {
    const lanes = this.tracks.flatMap((track) => this.lanes.get(track) ?? []);
    return lanes.filter(({ parts, missed, lastMs }) => {
      const lost = missed >= LOST_PARTS && nowMs - lastMs >= LOST_MS;
      return parts.length > 0 && !lost;
    });
  }

  private isDue(wanted: readonly Lane[], nowMs: number): boolean {
    if (this.player === null) return wanted.length === this.tracks.length || nowMs - (this.firstMs ?? nowMs) >= TOGETHER_MS;
    const same = wanted.length === this.player.tracks.length && wanted.every(({ track }) => this.player?.tracks.includes(track));
    return !same && nowMs - this.beganMs >= AGAIN_MS;
  }

  private begin(wanted: readonly Lane[], nowMs: number): void {
    this.player?.close();
    this.beganMs = nowMs;
    this.edge = new LiveEdge();
    this.player = new LivePlayer(this.video, wanted.map(({ track, parts }) => [track, parts]));
  }

  /** After a refusal the browser takes nothing more: go on with the next segments, in a player of their own. */
  private giveUp(failure: unknown): void {
    this.onFailure(failure);
    this.close();
    this.lanes.clear();
    this.firstMs = null;
  }

  private noteProgress(newestS: number, nowMs: number): void {
    if (newestS <= this.newestS + 0.01) return;
    this.newestS = newestS;
    this.progressMs = nowMs;
  }
}
