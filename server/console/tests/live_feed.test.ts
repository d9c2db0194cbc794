/** One picture of a live view: when its player is made anew, and what is said of its tracks. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WatchedTrack } from "../src/contract/live";
import { LiveFeed } from "../src/session/live_feed";
import { BROKEN, fakeMedia, type FakeVideo, fragment, INITIAL, part } from "./fake_media";

const BOTH = ["camera", "microphone"] as const;
const SEGMENT_S = 5;

let feed: LiveFeed;
let video: FakeVideo;
let sources: readonly { readonly buffers: readonly unknown[] }[];
/** How much was recorded of each track. */
let ends: Record<WatchedTrack, number>;

beforeEach(() => {
  vi.useFakeTimers();
  const media = fakeMedia();
  [video, sources] = [media.video, media.sources];
  feed = new LiveFeed(video as unknown as HTMLVideoElement, BOTH);
  ends = { camera: 0, microphone: 0, screen: 0 };
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function send(track: WatchedTrack, data: Uint8Array<ArrayBuffer>): void {
  feed.offer(track, part(data));
}

/** A second of a recording in segments of five. */
function record(track: WatchedTrack): void {
  const end = ends[track];
  if (end % SEGMENT_S === 0) send(track, INITIAL);
  send(track, fragment(end, end + 1));
  ends[track] = end + 1;
}

/** Seconds in which some of the tracks come. */
async function pass(seconds: number, tracks: readonly WatchedTrack[] = BOTH): Promise<void> {
  for (let nth = 0; nth < seconds; nth += 1) {
    tracks.forEach(record);
    await wait(1_000);
  }
}

async function wait(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 200) {
    feed.tick();
    await vi.advanceTimersByTimeAsync(200);
  }
  feed.tick();
}

function silence(track: WatchedTrack): number {
  return performance.now() - (feed.standing(track).progressMs ?? NaN);
}

describe("a picture", () => {
  test("stands by its own track: sound that goes on makes no lost camera live", async () => {
    await pass(6);
    expect(silence("camera")).toBeLessThan(2_000);
    await pass(12, ["microphone"]);
    expect(sources.map(({ buffers }) => buffers.length)).toEqual([2, 1]);
    expect(silence("camera")).toBeGreaterThan(11_000);
    expect(feed.standing("camera").momentMs).toBeNull();
    expect(silence("microphone")).toBeLessThan(2_000);
  });

  test("is not newer because its player was made anew", async () => {
    await pass(6);
    await pass(6, ["camera"]);
    const { progressMs } = feed.standing("camera");
    expect(sources.length).toBe(2);
    await wait(8_000);
    expect(feed.standing("camera").progressMs).toBe(progressMs);
  });

  test("tells of sound that does not come, from the beginning or any more", async () => {
    await pass(7, ["camera"]);
    expect(feed.silentSinceMs("microphone")).toBeLessThan(performance.now() - 6_000);
    ends.microphone = 10;
    ends.camera = 10;
    await pass(6);
    expect(feed.silentSinceMs("microphone")).toBeGreaterThan(performance.now() - 2_000);
  });

  test("goes on with its sound after a cut", async () => {
    await pass(12);
    await wait(6_000);
    feed.resume();
    // The server hands out what came of one track meanwhile, then of the other; a moment lies between.
    for (let nth = 0; nth < 5; nth += 1) record("camera");
    await wait(200);
    for (let nth = 0; nth < 5; nth += 1) record("microphone");
    await pass(4);
    expect(sources.length).toBe(1);
  });
});

describe("a timeline that goes back", () => {
  test.each([
    ["after a clock was set back", 100, 20],
    ["after a segment far in the future", 3_600, 10],
  ])("%s is played in a new player", async (_, far, back) => {
    ends = { ...ends, camera: far, microphone: far };
    await pass(7);
    ends = { ...ends, camera: back, microphone: back };
    await pass(8);
    expect(video.buffered.end(video.buffered.length - 1)).toBe(back + 8);
    expect(video.currentTime).toBeGreaterThan(back);
    expect(video.currentTime).toBeLessThan(back + 8);
    expect(silence("camera")).toBeLessThan(2_000);
  });
});

describe("what the browser does not play", () => {
  test("is said until something is shown again", async () => {
    await pass(2);
    expect(feed.refusal).toBeNull();
    send("camera", BROKEN);
    await wait(400);
    expect(String(feed.refusal)).toContain("browser");
    // What comes of the same segment is not shown, nor what is refused again.
    await pass(3);
    expect(feed.refusal).not.toBeNull();
    send("camera", INITIAL);
    send("camera", BROKEN);
    await wait(5_000);
    expect(feed.refusal).not.toBeNull();
    ends = { ...ends, camera: 10, microphone: 10 };
    await pass(5);
    expect(feed.refusal).toBeNull();
    expect(silence("camera")).toBeLessThan(2_000);
  });
});

describe("a segment of very much", () => {
  test.each([
    ["fragments", 2_000, 16],
    ["bytes", 40, 1024 * 1024],
  ])("%s is not shown to its end, and the next one is", async (_, count, size) => {
    send("camera", INITIAL);
    send("microphone", INITIAL);
    const offered = Array.from({ length: count }, () => {
      try {
        return send("camera", new Uint8Array(size));
      } catch (error) {
        return String(error);
      }
    });
    expect(offered.at(-1)).toContain("recording");
    expect(offered.filter((said) => said === undefined).length).toBeLessThan(600);
    ends = { ...ends, camera: 10, microphone: 10 };
    await pass(8);
    expect(silence("camera")).toBeLessThan(2_000);
  });
});
