/**
 * One picture of a live view: decides which tracks play together, shows them at the live edge, knows how old each is.
 *
 * A player is made anew at any time from what is kept of the segments being recorded: when a track comes late or is lost,
 * when the timeline goes back, or when the browser refuses a fragment.
 */
import type { WatchedTrack } from "../contract/live";
import { LiveEdge } from "./live_edge";
import { LiveLane, NotShown } from "./live_lane";
import { LivePlayer } from "./live_player";
import type { LivePart } from "./live_track";

/** How long the first track waits for the others. */
const TOGETHER_MS = 2_500;
/** How long a player lasts at least: before others tracks are played, and before it is made anew for a timeline that went back. */
const AGAIN_MS = 5_000;
const BACK_AGAIN_MS = 1_000;

/** How a track stands: both `null` while there is nothing of it. */
export interface Standing {
  /** The candidate's clock (UTC) at the moment that is shown. */
  readonly momentMs: number | null;
  /** performance.now() when the last came of what the player has of it. */
  readonly progressMs: number | null;
}

export class LiveFeed {
  /** What the browser did not play; `null` once something is shown again. */
  refusal: NotShown | null = null;
  private readonly lanes: ReadonlyMap<WatchedTrack, LiveLane>;
  private player: LivePlayer | null = null;
  private edge = new LiveEdge();
  private beganMs = -Infinity;
  private firstMs: number | null = null;

  constructor(
    private readonly video: HTMLVideoElement,
    tracks: readonly WatchedTrack[],
  ) {
    this.lanes = new Map(tracks.map((track) => [track, new LiveLane(track)]));
  }

  /** Take a part that may be shown. Throws `NotShown` where there is too much of its segment. */
  offer(track: WatchedTrack, part: LivePart): void {
    const nowMs = performance.now();
    this.firstMs ??= nowMs;
    const lane = this.lanes.get(track);
    if (lane === undefined || !lane.take(part, nowMs)) return;
    for (const other of this.lanes.values()) if (other !== lane) other.isPassed();
    this.player?.append(track, part);
  }

  /** The connection is there again: what did not come meanwhile is not lost for that. */
  resume(): void {
    for (const lane of this.lanes.values()) lane.isHeard(performance.now());
  }

  /** Start, renew and steer the player; call it a few times a second. */
  tick(): void {
    const nowMs = performance.now();
    if (this.player?.failure != null) this.giveUp(this.player.failure);
    const wanted = [...this.lanes.values()].filter((lane) => lane.comes(nowMs));
    if (wanted.length > 0 && this.isDue(wanted, nowMs)) this.begin(wanted, nowMs);
    this.noteProgress();
    const { video } = this;
    const ranges = Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)] as const);
    const { jumpTo, rate } = this.edge.steer({ nowMs, timeS: video.currentTime, ranges });
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (jumpTo !== null) video.currentTime = jumpTo;
    if (video.paused && ranges.length > 0) void video.play().catch(() => undefined);
  }

  close(): void {
    this.player?.close();
    this.player = null;
  }

  /** A track stands by what the player has of it: another that goes on makes it no newer. */
  standing(track: WatchedTrack): Standing {
    const lane = this.lanes.get(track);
    const zero = lane?.kept.at(-1)?.zeroMs;
    const shown = this.player?.tracks.includes(track) === true && this.isShowing;
    const momentMs = shown && zero !== undefined ? zero + this.video.currentTime * 1000 : null;
    return { momentMs, progressMs: lane?.progressMs ?? null };
  }

  /** performance.now() since when nothing new came of a track while it was waited for; `null` while nothing came at all. */
  silentSinceMs(track: WatchedTrack): number | null {
    return this.lanes.get(track)?.progressMs ?? this.firstMs;
  }

  private get isShowing(): boolean {
    return this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  private isDue(wanted: readonly LiveLane[], nowMs: number): boolean {
    const { player, lanes } = this;
    if (player === null) return wanted.length === lanes.size || nowMs - (this.firstMs ?? nowMs) >= TOGETHER_MS;
    if (player.wentBack && nowMs - this.beganMs >= BACK_AGAIN_MS) return true;
    const same = wanted.length === player.tracks.length && wanted.every(({ track }) => player.tracks.includes(track));
    return !same && nowMs - this.beganMs >= AGAIN_MS;
  }

  private begin(wanted: readonly LiveLane[], nowMs: number): void {
    this.player?.close();
    this.beganMs = nowMs;
    this.edge = new LiveEdge();
    for (const lane of this.lanes.values()) lane.restart();
    this.player = new LivePlayer(this.video, wanted.map(({ track, kept }) => [track, kept]));
  }

  /** After a refusal the browser takes nothing more: go on with the next segments, in a player of their own. */
  private giveUp(failure: unknown): void {
    const why = failure instanceof Error ? failure.message : String(failure);
    this.refusal = new NotShown(`This browser does not play it (${why}). Where that stays so, try another browser.`);
    this.close();
    for (const lane of this.lanes.values()) lane.forget();
    this.firstMs = null;
  }

  private noteProgress(): void {
    const { player } = this;
    if (player === null) return;
    const ends = player.tracks.map((track) => player.endS(track));
    player.tracks.forEach((track, nth) => this.lanes.get(track)?.reaches(ends[nth] ?? -1));
    if (ends.every((end) => end !== null) && this.isShowing) this.refusal = null;
  }
}
