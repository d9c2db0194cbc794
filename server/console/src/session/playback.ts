/**
 * Playback of a session: the camera with the microphone leads, the screen follows; where there is no camera and no
 * microphone the screen leads. Steps over gaps. Times are seconds on the session's timeline.
 */
import type { Evidence } from "./evidence";
import { Feed } from "./feed";

const TICK_MS = 200;
const FAR_S = 0.6;
const NEAR_S = 0.08;

export class Playback {
  private readonly feeds: { readonly camera: Feed; readonly screen: Feed };
  private leader: HTMLVideoElement;
  private follower: HTMLVideoElement | null = null;
  private leading: Feed;
  private following: Feed | null = null;
  private timer: number | undefined;
  private rate = 1;

  constructor(
    camera: HTMLVideoElement,
    private readonly screen: HTMLVideoElement,
    evidence: Evidence,
    private readonly onTick: () => void,
    onFailure: (error: unknown) => void,
  ) {
    this.feeds = {
      camera: new Feed(camera, evidence, ["camera", "microphone"], onFailure),
      screen: new Feed(screen, evidence, ["screen"], onFailure),
    };
    this.leader = camera;
    this.leading = this.feeds.camera;
  }

  /** Start loading; resolves to which of the two pictures there are. */
  async open(): Promise<{ readonly camera: boolean; readonly screen: boolean }> {
    const [camera, screen] = await Promise.all([this.feeds.camera.open(), this.feeds.screen.open()]);
    if (camera && screen) [this.follower, this.following] = [this.screen, this.feeds.screen];
    if (!camera) [this.leader, this.leading] = [this.screen, this.feeds.screen];
    if (camera || screen) this.timer = window.setInterval(() => this.tick(), TICK_MS);
    for (const event of ["seeking", "play", "pause"] as const) this.leader.addEventListener(event, () => this.tick());
    return { camera, screen };
  }

  close(): void {
    window.clearInterval(this.timer);
    this.pause();
    this.feeds.camera.close();
    this.feeds.screen.close();
  }

  get time(): number {
    return this.leader.currentTime;
  }

  get playing(): boolean {
    return !this.leader.paused;
  }

  async play(): Promise<void> {
    await this.leader.play().catch((error: unknown) => {
      // A pause or a seek while play() is pending rejects it; that is no failure.
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    });
  }

  pause(): void {
    this.leader.pause();
    this.follower?.pause();
  }

  seek(seconds: number): void {
    const end = Number.isFinite(this.leader.duration) ? this.leader.duration : 0;
    const target = Math.min(Math.max(0, seconds), Math.max(0, end - 0.05));
    this.leader.currentTime = target;
    if (this.follower !== null) this.follower.currentTime = target;
    this.tick();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.leader.playbackRate = rate;
    if (this.follower !== null) this.follower.playbackRate = rate;
  }

  setVolume(volume: number): void {
    this.leader.volume = volume;
    this.leader.muted = volume === 0;
  }

  private tick(): void {
    this.leading.fill();
    this.following?.fill();
    if (this.playing && this.leader.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !this.leader.seeking) this.stall();
    // A paused seek into a gap would show nothing for ever.
    else if (!this.playing && this.leader.seeking) this.stall();
    this.follow();
    this.onTick();
  }

  /** Nothing to play here: go on behind the gap, or stop at the end. */
  private stall(): void {
    const next = this.leading.stepOver();
    if (next === null) return;
    if (next === Infinity) this.leader.pause();
    else this.leader.currentTime = next;
  }

  /** Keep the screen beside the camera: small differences by speed, large ones by a jump. */
  private follow(): void {
    const follower = this.follower;
    if (follower === null) return;
    if (this.playing && follower.paused) void follower.play().catch(() => undefined);
    if (!this.playing && !follower.paused) follower.pause();
    if (follower.seeking) return;
    const behind = this.leader.currentTime - follower.currentTime;
    const limit = this.playing ? FAR_S : NEAR_S;
    if (Math.abs(behind) > limit) follower.currentTime = this.leader.currentTime;
    else if (Math.abs(behind) > NEAR_S) follower.playbackRate = this.rate * (behind > 0 ? 1.1 : 0.9);
    else if (follower.playbackRate !== this.rate) follower.playbackRate = this.rate;
  }
}
