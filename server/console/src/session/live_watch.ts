/**
 * Watching one session: the connection, the tracks' checks and the two pictures, wired together. The screen only listens
 * and asks. Plaintext lives in memory alone, some twenty seconds of it.
 */
import type { RecipientKey } from "../contract/keys";
import { LIVE_TRACKS, type Piece, type WatchedTrack } from "../contract/live";
import { LiveFeed, type Standing } from "./live_feed";
import { LiveLink, type LinkState } from "./live_link";
import type { LiveSession } from "./live_session";
import { LiveTrack } from "./live_track";

const TICK_MS = 200;

export type Picture = "camera" | "screen";

/** What a screen is told. */
export interface WatchListener {
  onTick(): void;
  onState(state: LinkState, why?: unknown): void;
  /** What is wrong with a track's present segment, of which nothing more is shown; `null` when it is right again. */
  onFault(track: WatchedTrack, error: unknown): void;
}

export class LiveWatch {
  private readonly tracks: ReadonlyMap<WatchedTrack, LiveTrack>;
  private readonly feeds: { readonly [P in Picture]: LiveFeed };
  private readonly link: LiveLink;
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
    const voiced = (["camera", "microphone"] as const).filter((track) => capture[track]);
    this.feeds = {
      camera: new LiveFeed(videos.camera, voiced, (error) => listener.onFault("camera", error)),
      screen: new LiveFeed(videos.screen, ["screen"], (error) => listener.onFault("screen", error)),
    };
    this.link = new LiveLink(session.session, {
      onPiece: (piece) => this.take(piece),
      onState: (state, why) => listener.onState(state, why),
    });
    videos.camera.muted = videos.screen.muted = true;
  }

  /** Watch until the session has ended; throws a refusal that waiting does not change. */
  async run(): Promise<void> {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    await this.link.run();
  }

  close(): void {
    clearInterval(this.timer);
    this.link.close();
    this.feeds.camera.close();
    this.feeds.screen.close();
  }

  /** Browsers play sound only after somebody has asked for it. */
  sound(on: boolean): void {
    this.videos.camera.muted = !on;
  }

  standing(picture: Picture): Standing {
    return this.feeds[picture].standing();
  }

  private async take(piece: Piece): Promise<void> {
    const { track } = piece;
    try {
      const parts = (await this.tracks.get(track)?.take(piece)) ?? [];
      if (parts.length > 0) this.listener.onFault(track, null);
      for (const part of parts) this.feeds[track === "screen" ? "screen" : "camera"].offer(track, part);
    } catch (error) {
      this.listener.onFault(track, error);
    }
  }

  private tick(): void {
    this.feeds.camera.tick();
    this.feeds.screen.tick();
    this.listener.onTick();
  }
}
