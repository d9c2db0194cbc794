/**
 * Watching one session: the connection, the tracks' checks and the two pictures, wired together. The screen only listens
 * and asks. Plaintext lives in memory alone, some twenty seconds of it, and none while the page is left alone.
 */
import type { RecipientKey } from "../contract/keys";
import { LIVE_TRACKS, type Piece, type WatchedTrack } from "../contract/live";
import { type Attendance, LiveAttendance } from "./live_attendance";
import { LiveFeed, type Standing } from "./live_feed";
import type { LiveSession } from "./live_session";
import { isInSight } from "./live_sight";
import { LiveTrack } from "./live_track";

const TICK_MS = 200;

export type Picture = "camera" | "screen";

/** What a screen is told. */
export interface WatchListener {
  onTick(): void;
  onState(state: Attendance, why?: unknown): void;
}

export class LiveWatch {
  private readonly tracks: ReadonlyMap<WatchedTrack, LiveTrack>;
  private readonly attendance: LiveAttendance;
  private feeds: { readonly [P in Picture]: LiveFeed };
  /** What is wrong with a track's present segment, of which nothing more is shown. */
  private readonly faults = new Map<WatchedTrack, unknown>();
  private readonly voiced: readonly WatchedTrack[];
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    session: LiveSession,
    key: RecipientKey,
    private readonly videos: { readonly [P in Picture]: HTMLVideoElement },
    private readonly listener: WatchListener,
  ) {
    const keyOf = (epoch: number) => session.keyOf(epoch);
    this.tracks = new Map(LIVE_TRACKS.map((track) => [track, new LiveTrack(session.session, track, key, keyOf)]));
    const { capture } = session.policy;
    this.voiced = (["camera", "microphone"] as const).filter((track) => capture[track]);
    this.feeds = this.newFeeds();
    // Who has turned the sound on may well listen to a page that is not in sight.
    this.attendance = new LiveAttendance(session.session, () => isInSight() || !videos.camera.muted, {
      onPiece: (piece) => this.take(piece),
      onState: (state, why) => this.connection(state, why),
    });
    videos.camera.muted = videos.screen.muted = true;
  }

  /** Watch until the session has ended; throws a refusal that waiting does not change. */
  async run(): Promise<void> {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    await this.attendance.run();
  }

  close(): void {
    clearInterval(this.timer);
    this.attendance.close();
    this.forget();
  }

  /** Browsers play sound only after somebody has asked for it. */
  sound(on: boolean): void {
    this.videos.camera.muted = !on;
  }

  standing(picture: Picture): Standing {
    return this.feeds[picture].standing(picture);
  }

  /** performance.now() since when no sound came that the policy records; `null` where none is waited for. */
  silentSinceMs(): number | null {
    return this.voiced.includes("microphone") ? this.feeds.camera.silentSinceMs("microphone") : null;
  }

  /** What of a track is not shown and why; `undefined` while all is right. */
  fault(track: WatchedTrack): unknown {
    return this.faults.get(track) ?? (this.isPlayed(track) ? this.feedOf(track).refusal : null) ?? undefined;
  }

  private isPlayed(track: WatchedTrack): boolean {
    return track === "screen" || this.voiced.includes(track);
  }

  private feedOf(track: WatchedTrack): LiveFeed {
    return this.feeds[track === "screen" ? "screen" : "camera"];
  }

  private newFeeds(): { readonly [P in Picture]: LiveFeed } {
    const { camera, screen } = this.videos;
    return { camera: new LiveFeed(camera, this.voiced), screen: new LiveFeed(screen, ["screen"]) };
  }

  private connection(state: Attendance, why: unknown): void {
    if (state === "connected") for (const feed of Object.values(this.feeds)) feed.resume();
    if (state === "away") this.forget();
    this.listener.onState(state, why);
  }

  /** What was seen before the page was left alone says nothing of what comes after it. The tracks go on where they were. */
  private forget(): void {
    for (const feed of Object.values(this.feeds)) feed.close();
    this.feeds = this.newFeeds();
    this.faults.clear();
  }

  private async take(piece: Piece): Promise<void> {
    const { track } = piece;
    const { feeds } = this;
    try {
      const parts = (await this.tracks.get(track)?.take(piece)) ?? [];
      if (feeds !== this.feeds) return; // it was forgotten meanwhile: nothing of it is kept
      for (const part of parts) this.feedOf(track).offer(track, part);
      if (parts.length > 0) this.faults.delete(track);
    } catch (error) {
      if (feeds === this.feeds) this.faults.set(track, error);
    }
  }

  private tick(): void {
    this.feeds.camera.tick();
    this.feeds.screen.tick();
    this.listener.onTick();
  }
}
