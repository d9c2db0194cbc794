/** When a live page has its connection: not while nobody follows it, not without a seat, and again by itself. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Refused } from "../src/api";
import { ALONE_MS, type Attendance, LiveAttendance } from "../src/session/live_attendance";
import { SEATS } from "../src/session/live_seats";
import { isInSight } from "../src/session/live_sight";
import { type Absence, absenceAfter, FULL, linkWord } from "../src/view/live_words";
import { FakeLocks } from "./fake_locks";

/** What a page's document says of its being seen. */
class FakeDocument extends EventTarget {
  hidden = false;
  pictureInPictureElement: unknown = null;

  hide(): void {
    this.hidden = true;
    this.dispatchEvent(new Event("visibilitychange"));
  }

  show(): void {
    this.hidden = false;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page: FakeDocument;
/** Answers of the live view that go on. */
let open: number;
let refusal: number | null;
let ended: boolean;
let pages: LiveAttendance[];

const ROW = { session: "s", exam: "e", title: "t", candidate: "c", started_ms: 0, last_seen_ms: 0, frozen: false, segments: 0 };

beforeEach(() => {
  vi.useFakeTimers();
  page = new FakeDocument();
  [open, refusal, ended, pages] = [0, null, false, []];
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", { locks: new FakeLocks() });
  vi.stubGlobal("fetch", (url: string, { signal }: RequestInit) => Promise.resolve(url.endsWith("/live") ? live(signal!) : row()));
});

afterEach(async () => {
  for (const one of pages) one.close();
  await vi.advanceTimersByTimeAsync(0);
  const left = [open, vi.getTimerCount()];
  vi.unstubAllGlobals();
  vi.useRealTimers();
  expect(left).toEqual([0, 0]);
});

const row = (): Response =>
  Response.json({ ...ROW, state: ended ? "ended" : "running", bytes: 0, incidents: 0, ended, complete: false, server_incidents: [] });

/** An answer that gives signs of life until it is given up. */
function live(signal: AbortSignal): Response {
  if (refusal !== null) return Response.json({ code: "E-X" }, { status: refusal });
  open += 1;
  return new Response(
    new ReadableStream({
      start(controller) {
        const beat = setInterval(() => controller.enqueue(Uint8Array.of(0, 0, 0, 0)), 2_000);
        signal.addEventListener("abort", () => {
          clearInterval(beat);
          open -= 1;
          controller.error(signal.reason);
        });
      },
    }),
  );
}

/** A page that watches, and how it stood, one word after the other. */
async function attend(isFollowed: () => boolean = isInSight): Promise<{ states: Attendance[]; attendance: LiveAttendance; done: Promise<unknown> }> {
  const states: Attendance[] = [];
  const attendance = new LiveAttendance("s", isFollowed, {
    onPiece: () => Promise.resolve(),
    onState: (state) => states.push(state),
  });
  pages.push(attendance);
  const done = attendance.run().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1);
  return { states, attendance, done };
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe("a page that is hidden", () => {
  test("for a minute lets its connection go, and takes it up when it is seen", async () => {
    const { states } = await attend();
    page.hide();
    await pass(ALONE_MS - 2);
    expect([open, states]).toEqual([1, ["connecting", "connected"]]);
    await pass(2);
    expect([open, states.at(-1)]).toEqual([0, "away"]);
    await pass(3_600_000);
    expect([open, states.length]).toEqual([0, 3]);
    page.show();
    await pass(1);
    expect([open, states.slice(3)]).toEqual([1, ["connecting", "connected"]]);
  });

  test("for a shorter time, also again and again, goes on", async () => {
    const { states } = await attend();
    for (let nth = 0; nth < 5; nth += 1) {
      page.hide();
      await pass(ALONE_MS - 1_000);
      page.show();
      await pass(10);
    }
    expect([open, states]).toEqual([1, ["connecting", "connected"]]);
  });

  test("while its picture stands in a window of its own is seen, until that is closed", async () => {
    await attend();
    page.pictureInPictureElement = {};
    page.hide();
    await pass(10 * ALONE_MS);
    expect(open).toBe(1);
    page.pictureInPictureElement = null;
    page.dispatchEvent(new Event("leavepictureinpicture"));
    await pass(ALONE_MS);
    expect(open).toBe(0);
  });

  test("and listened to is followed", async () => {
    await attend(() => true);
    page.hide();
    await pass(10 * ALONE_MS);
    expect(open).toBe(1);
  });

  test("from the beginning has its minute", async () => {
    page.hidden = true;
    const { states } = await attend();
    await pass(ALONE_MS);
    expect(states).toEqual(["connecting", "connected", "away"]);
  });

  test("and closed takes nothing up", async () => {
    const { attendance, done, states } = await attend();
    page.hide();
    await pass(ALONE_MS);
    attendance.close();
    page.show();
    await done;
    await pass(ALONE_MS);
    expect([open, states.at(-1)]).toEqual([0, "away"]);
  });
});

describe("a page without a seat", () => {
  beforeEach(async () => {
    for (let nth = 0; nth < SEATS; nth += 1) await attend();
  });

  test("says so, opens nothing, and begins when another is closed", async () => {
    const { states } = await attend();
    await pass(ALONE_MS);
    expect([open, states]).toEqual([SEATS, ["full"]]);
    pages[1]!.close();
    await pass(1);
    expect([open, states]).toEqual([SEATS, ["full", "connecting", "connected"]]);
  });

  test("that is closed waits no more", async () => {
    const { attendance, done } = await attend();
    attendance.close();
    await done;
    const { states } = await attend();
    pages[0]!.close();
    await pass(1);
    expect([open, states.at(-1)]).toEqual([SEATS, "connected"]);
  });

  test("gives way when it is hidden, as who has one does", async () => {
    const waiting = await attend();
    const fifth = await attend(() => true);
    page.hide();
    await pass(ALONE_MS);
    expect([open, waiting.states.at(-1), fifth.states.at(-1)]).toEqual([1, "away", "connected"]);
    page.show();
    await pass(1);
    expect(open).toBe(SEATS);
  });
});

test("a page that is closed before it has begun opens nothing", async () => {
  vi.stubGlobal("navigator", {});
  const attendance = new LiveAttendance("s", isInSight, { onPiece: () => Promise.resolve(), onState: () => undefined });
  const done = attendance.run();
  attendance.close();
  await pass(1);
  await done;
  expect(open).toBe(0);
});

test("a hidden page whose session has ended waits for nothing", async () => {
  [page.hidden, ended, refusal] = [true, true, 409];
  await (await attend()).done;
  expect(vi.getTimerCount()).toBe(0);
});

describe("a seat is given back", () => {
  test("when the session has ended", async () => {
    ended = true;
    refusal = 409;
    for (let nth = 0; nth <= SEATS; nth += 1) {
      const { done, states } = await attend();
      expect(await done).toBeUndefined();
      expect(states).toEqual(["connecting", "cut", "ended"]);
    }
  });

  test("when the server refuses for good, which is told", async () => {
    refusal = 404;
    for (let nth = 0; nth <= SEATS; nth += 1) expect(await (await attend()).done).toBeInstanceOf(Refused);
  });

  test("not for a connection that was cut and is made again", async () => {
    refusal = 503;
    for (let nth = 0; nth < SEATS; nth += 1) await attend();
    await pass(7_000);
    expect((await attend()).states).toEqual(["full"]);
  });
});

describe("words", () => {
  test("of an absence: one span from the first minute that was not watched to the next connection", () => {
    const after = (known: Absence | null, ...steps: readonly (readonly [Attendance, number])[]): Absence | null =>
      steps.reduce((absence, [state, utcMs]) => absenceAfter(absence, state, utcMs), known);
    expect(after(null, ["connecting", 1], ["connected", 2])).toBeNull();
    const once = after(null, ["away", 1_000], ["full", 2_000], ["away", 3_000], ["connecting", 4_000], ["cut", 5_000]);
    expect(once).toEqual({ fromMs: 1_000, toMs: null });
    const told = after(once, ["connected", 9_000], ["cut", 10_000], ["connected", 11_000]);
    expect(told).toEqual({ fromMs: 1_000, toMs: 9_000 });
    expect(linkWord("connected", undefined, told)).toMatch(/^Not watched from .*:01.* to .*:09.*: this page was hidden\.$/);
    expect(after(told, ["away", 20_000])).toEqual({ fromMs: 20_000, toMs: null });
  });

  test("of a page without a seat say how many are open and what to do", () => {
    expect(FULL.title).toBe("4 other live pages are open in this browser");
    expect(FULL.why).toContain("Close one of them");
    expect(FULL.lasting).toContain("HTTP/2");
    expect([linkWord("full", undefined), linkWord("away", undefined)]).toEqual(["", ""]);
  });
});
