/** What keeps a live view going: the edge that playback is held at, the connection, the bindings, and what is said of all this. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Refused } from "../src/api";
import type { Piece } from "../src/contract/live";
import { IntegrityError } from "../src/contract/outcome";
import { LiveEdge, type Steering, TARGET_S } from "../src/session/live_edge";
import { NotShown } from "../src/session/live_lane";
import { LiveLink, type LinkState } from "../src/session/live_link";
import { LiveSession } from "../src/session/live_session";
import { whose } from "../src/session/whose";
import { faultWord, inPart, linkWord, type LiveWord, pageWord, pictureWord, soundWord, spokenWord } from "../src/view/live_words";
import { FakeServer } from "./fake_server";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("playback at the live edge", () => {
  /** A viewer of whom nothing is known but its clock: time goes on while there is something to play. */
  class Viewer {
    readonly edge = new LiveEdge();
    nowMs = 0;
    timeS = 0;
    jumps = 0;
    rate = 1;
    ranges: [number, number][] = [];
    frozen = false;

    step(ms = 200): Steering {
      this.nowMs += ms;
      const range = this.ranges.find(([start, end]) => start <= this.timeS && this.timeS <= end);
      if (range !== undefined && !this.frozen) this.timeS = Math.min(range[1], this.timeS + (ms / 1000) * this.rate);
      const steering = this.edge.steer({ nowMs: this.nowMs, timeS: this.timeS, ranges: this.ranges });
      this.rate = steering.rate;
      if (steering.jumpTo !== null) [this.timeS, this.jumps] = [steering.jumpTo, this.jumps + 1];
      return steering;
    }

    /** A second of a recording that comes in seconds; `more` of it than a second changes how much is in hand. */
    second(more = 1): void {
      const last = this.ranges.at(-1);
      if (last !== undefined) last[1] += more;
      for (let nth = 0; nth < 5; nth += 1) this.step();
    }

    get behind(): number {
      return (this.ranges.at(-1)?.[1] ?? 0) - this.timeS;
    }
  }

  test("begins within a segment, a little behind the newest, and stays there", () => {
    const viewer = new Viewer();
    viewer.step();
    viewer.ranges = [[100, 104]];
    viewer.step();
    expect(viewer.timeS).toBeCloseTo(104 - TARGET_S, 1);
    for (let nth = 0; nth < 30; nth += 1) viewer.second();
    expect(viewer.jumps).toBe(1);
    expect(viewer.rate).toBe(1);
    expect(viewer.behind).toBeLessThan(TARGET_S);
  });

  test("begins at the newest of what comes in a burst", () => {
    const viewer = new Viewer();
    viewer.ranges = [[100, 101]];
    viewer.step();
    viewer.ranges = [[100, 104.5]];
    viewer.step();
    expect(viewer.timeS).toBeCloseTo(104.5 - TARGET_S, 1);
  });

  test("catches up gently when more is in hand than it takes", () => {
    const viewer = new Viewer();
    viewer.ranges = [[0, 4]];
    for (let nth = 0; nth < 3; nth += 1) viewer.second();
    viewer.second(2.5);
    for (let nth = 0; nth < 6; nth += 1) viewer.second();
    expect([viewer.rate, viewer.jumps]).toEqual([1.05, 1]);
    for (let nth = 0; nth < 40; nth += 1) viewer.second();
    expect([viewer.rate, viewer.jumps]).toEqual([1, 1]);
    expect(viewer.behind).toBeLessThan(1);
  });

  test("jumps when it is more than three seconds behind", () => {
    const viewer = new Viewer();
    viewer.ranges = [[0, 4]];
    for (let nth = 0; nth < 3; nth += 1) viewer.second();
    viewer.second(4);
    for (let nth = 0; nth < 6; nth += 1) viewer.second();
    expect(viewer.jumps).toBe(2);
    expect(viewer.behind).toBeLessThan(TARGET_S);
  });

  test("jumps at once after a sleep", () => {
    const viewer = new Viewer();
    viewer.ranges = [[0, 4]];
    viewer.step();
    viewer.ranges = [[0, 60]];
    viewer.step();
    expect(viewer.timeS).toBeCloseTo(60 - TARGET_S, 1);
  });

  test("steps over what is missing, and over what stands still", () => {
    const viewer = new Viewer();
    viewer.ranges = [[0, 4]];
    viewer.step();
    for (let nth = 0; nth < 3; nth += 1) viewer.second(0);
    viewer.ranges = [[0, 4], [7, 8]];
    viewer.step();
    expect(viewer.timeS).toBeCloseTo(7, 1);
    viewer.frozen = true;
    for (let nth = 0; nth < 4; nth += 1) viewer.second();
    expect(viewer.timeS).toBeGreaterThan(9);
  });

  test("waits at the end for what comes next", () => {
    const viewer = new Viewer();
    viewer.ranges = [[0, 4]];
    viewer.step();
    for (let nth = 0; nth < 20; nth += 1) viewer.second(0);
    expect([viewer.jumps, viewer.timeS]).toEqual([1, 4]);
  });
});

describe("the connection", () => {
  const HEAD = [0, 0, 0, 13, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const ended = { ended: true };
  let states: LinkState[];
  let pieces: Piece[];
  let asked: string[];
  /** What the next requests of the live view are answered with: bytes, a status, or nothing at all. */
  let answers: (readonly (readonly number[])[] | number | "silence")[];
  let session: Record<string, unknown>;
  let link: LiveLink;

  beforeEach(() => {
    vi.useFakeTimers();
    [states, pieces, asked, answers] = [[], [], [], []];
    session = { session: "s", exam: "e", title: "t", candidate: "c", state: "running", started_ms: 0, last_seen_ms: 0, frozen: false };
    session = { ...session, segments: 0, bytes: 0, incidents: 0, ended: false, complete: false, server_incidents: [] };
    vi.stubGlobal("fetch", (url: string, { signal }: RequestInit) => answer(url, signal ?? null));
    link = new LiveLink("s", {
      onPiece: (piece) => Promise.resolve(void pieces.push(piece)),
      onState: (state) => states.push(state),
    });
  });

  async function answer(url: string, signal: AbortSignal | null): Promise<Response> {
    asked.push(url);
    if (!url.endsWith("/live")) return Response.json(session);
    const next = answers.shift() ?? 500;
    if (typeof next === "number") return Response.json({ code: "E-BUSY" }, { status: next });
    return new Response(
      new ReadableStream({
        start(controller) {
          signal?.addEventListener("abort", () => controller.error(signal.reason));
          if (next === "silence") return;
          for (const chunk of next) controller.enqueue(Uint8Array.from(chunk));
          controller.close();
        },
      }),
    );
  }

  test("hands on pieces in order, and ends with the session", async () => {
    answers = [[HEAD.slice(0, 7), [...HEAD.slice(7), 65, 0], [0, 0, 0, ...HEAD, 66]]];
    session = { ...session, ...ended };
    await link.run();
    expect(pieces.map(({ data }) => [...data])).toEqual([[65], [66]]);
    expect(states).toEqual(["connecting", "connected", "cut", "ended"]);
  });

  test("is made again after a cut, a little later", async () => {
    answers = [[[...HEAD, 65]], 503, [[...HEAD, 66]]];
    const running = link.run();
    for (let turn = 0; turn < 2; turn += 1) {
      await vi.advanceTimersByTimeAsync(900);
      const before = states.length;
      expect(states.at(-1)).toBe("cut");
      await vi.advanceTimersByTimeAsync(4_100);
      expect(states.length).toBeGreaterThan(before);
    }
    session = { ...session, ...ended };
    await vi.runAllTimersAsync();
    await running;
    expect(pieces.length).toBe(2);
  });

  test("is made again when the server says nothing any more", async () => {
    answers = ["silence"];
    const running = link.run();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(states).toEqual(["connecting", "connected"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(states.at(-1)).toBe("cut");
    link.close();
    await running;
  });

  test("with bytes that are no pieces is cut", async () => {
    answers = [[[255, 255, 255, 255]]];
    const running = link.run();
    await vi.advanceTimersByTimeAsync(100);
    expect(states.at(-1)).toBe("cut");
    link.close();
    await running;
  });

  test.each([401, 404])("that is refused with %i is not tried again", async (status) => {
    answers = [status];
    await expect(link.run()).rejects.toThrow(Refused);
    expect(asked.filter((url) => url.endsWith("/live")).length).toBe(1);
  });
});

describe("what a session's statements say", () => {
  let server: FakeServer;

  beforeEach(() => {
    server = new FakeServer("ok");
  });

  test("names the keys of its epochs, also of those that begin meanwhile", async () => {
    const whole = server.manifest;
    server.manifest = { ...whole, bindings: (whole["bindings"] as readonly string[]).slice(0, 1) };
    const session = await LiveSession.load(server.session);
    const first = await session.keyOf(0);
    await expect(session.keyOf(1)).rejects.toThrow("no binding");
    server.manifest = whole;
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 10_000);
    expect((await session.keyOf(1)).id).not.toBe(first.id);
    await expect(session.keyOf(2)).rejects.toThrow("no binding");
    vi.restoreAllMocks();
  });

  test("lets only the policy's recipients watch", async () => {
    const session = await LiveSession.load(server.session);
    expect(session.mayWatch(session.policy.recipients[0]!.id)).toBe(true);
    expect(session.mayWatch("A".repeat(43))).toBe(false);
  });

  test.each(["policy-edited", "binding-forged", "binding-other-session", "binding-other-policy", "binding-missing"])(
    "is not believed in %s",
    async (vector) => {
      server = new FakeServer(vector);
      await expect(LiveSession.load(server.session)).rejects.toThrow(IntegrityError);
    },
  );

  test("is not believed under another policy than the first", async () => {
    const session = await LiveSession.load(server.session);
    const other = new FakeServer("policy-other-institution").manifest["policy"]!;
    server = new FakeServer("ok");
    server.manifest = { ...server.manifest, policy: other };
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 10_000);
    await expect(session.keyOf(7)).rejects.toThrow("another policy");
    vi.restoreAllMocks();
  });
});

describe("bindings that are asked for anew", () => {
  let server: FakeServer;
  let whole: readonly string[];
  let other: readonly string[];

  beforeEach(() => {
    server = new FakeServer("ok");
    whole = server.manifest["bindings"] as readonly string[];
    other = new FakeServer("ok-torn-bytes").manifest["bindings"] as readonly string[];
    server = new FakeServer("ok");
  });

  afterEach(() => vi.restoreAllMocks());

  test.each([
    ["without the first", () => whole.slice(1)],
    ["with another first", () => [other[0]!, ...whole.slice(1)]],
    ["with one the less", () => whole.slice(0, -1)],
    ["turned around", () => whole.toReversed()],
  ])("%s end the watch", async (_, bindings) => {
    const session = await LiveSession.load(server.session);
    server.manifest = { ...server.manifest, bindings: bindings() };
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 10_000);
    const fault = await session.keyOf(7).catch((error: unknown) => error);
    expect((fault as IntegrityError).outcome).toBe("broken-chain");
    // Also of the starts that were known: what is handed out now is not what was.
    await expect(session.keyOf(0)).rejects.toBe(fault);
  });
});

describe("whom a page shows", () => {
  test("is said by the signed binding; the server's list must say the same", async () => {
    const server = new FakeServer("ok");
    const session = await LiveSession.load(server.session);
    const row = { session: server.session, candidate: session.candidate };
    expect(session.candidate).toMatch(/^Zoë Łukasz/);
    expect(() => session.mustBe(row)).not.toThrow();
    expect(() => session.mustBe({ ...row, candidate: "Somebody Else" })).toThrow("Somebody Else");
    expect(() => session.mustBe({ ...row, session: "another" })).toThrow(IntegrityError);
    expect(whose({ ...row, candidate: "Ada" }, [])).toEqual({ candidate: "Ada", doubt: "" });
  });
});

describe("words", () => {
  const clocks = { nowMs: 100_000, utcMs: 1_700_000_000_000 };
  const word = (age: number, silence = 0) =>
    pictureWord({ momentMs: clocks.utcMs - age, progressMs: clocks.nowMs - silence }, clocks);

  test("a picture is called live only while it goes on and its age is plausible", () => {
    expect(word(2_100)).toEqual({ kind: "live", text: "Live · 2 s behind" });
    expect(word(-800)).toEqual({ kind: "live", text: "Live · 0 s behind" });
    expect(word(2_100, 12_000)).toEqual({ kind: "silent", text: "No picture for 12 s" });
    expect(word(190_000)).toEqual({ kind: "doubtful", text: "3 min old by the candidate's clock" });
    expect(word(-60_000)).toEqual({ kind: "doubtful", text: "Candidate's clock 1 min ahead" });
    expect(pictureWord({ momentMs: null, progressMs: null }, clocks).kind).toBe("waiting");
  });

  test("the page is as its worse picture is, and says which", () => {
    const page = (camera: LiveWord, screen: LiveWord) => pageWord([{ name: "Camera", ...camera }, { name: "Screen", ...screen }]);
    expect(page(word(0, 60_000), word(1_000))).toEqual({ kind: "silent", text: "Camera: no picture for 1 min", of: "Camera: " });
    expect(page(word(1_000), word(190_000)).text).toBe("Screen: 3 min old by the candidate's clock");
    expect(page(word(0, 60_000), word(0, 7_000)).text).toBe("No picture for 1 min");
    expect(page(word(1_000), word(2_000)).text).toBe("Live · 1 s behind");
    expect(pageWord([]).text).toBe("No picture is recorded");
    expect(spokenWord(page(word(0, 60_000), word(1_000)), "")).toBe("Camera: No picture comes.");
  });

  test("sound that does not come is said", () => {
    expect(soundWord(null, clocks)).toBe("");
    expect(soundWord(clocks.nowMs - 2_000, clocks)).toBe("");
    expect(soundWord(clocks.nowMs - 6_000, clocks)).toBe("No sound comes");
    expect(spokenWord(pageWord([{ name: "Camera", ...word(0) }]), "No sound comes")).toBe("The picture is live. No sound comes.");
  });

  test("what is left out is said, once for picture and sound", () => {
    const forged = new IntegrityError("unknown-key", "signed with key x");
    expect(faultWord(undefined, undefined)).toBe("");
    expect(faultWord(forged, undefined)).toMatch(/^Not shown\. A statement was signed with a key/);
    expect(faultWord(forged, forged)).toMatch(/^Picture and sound are left out\. A statement/);
    expect(faultWord(undefined, forged)).toMatch(/^Sound is left out\. /);
    expect(inPart({ ...word(2_100), of: "" })).toEqual({ kind: "doubtful", text: "Live in part · 2 s behind", of: "" });
    expect(faultWord(new NotShown("Too large."), undefined)).toBe("Not shown. Too large.");
  });

  test("of the connection only what is not as it should be", () => {
    expect(linkWord("connected", undefined)).toBe("");
    expect(linkWord("cut", undefined)).toContain("again in a few seconds");
    expect(linkWord("cut", new Refused(503, "E-BUSY", ""))).toContain("nobody else");
  });
});
