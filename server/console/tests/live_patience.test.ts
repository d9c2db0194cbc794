/** A server that stops answering in the midst does not keep a live view from being connected anew. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveLink, type LinkListener, type LinkState } from "../src/session/live_link";
import { patiently } from "../src/session/patience";

const PIECE = Uint8Array.of(0, 0, 0, 13, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 65);
const MINUTES_MS = 300_000;

let asked: string[];
let states: LinkState[];
let link: LiveLink;

beforeEach(() => {
  vi.useFakeTimers();
  [asked, states] = [[], []];
});

afterEach(() => {
  link.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const hung = (signal: AbortSignal | null): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));

function watch(live: (signal: AbortSignal) => Promise<Response>, onPiece: LinkListener["onPiece"] = () => Promise.resolve()): void {
  vi.stubGlobal("fetch", (url: string, { signal }: RequestInit) => {
    asked.push(url.split("/").at(-1)!);
    return url.endsWith("/live") ? live(signal!) : hung(signal ?? null);
  });
  link = new LiveLink("s", { onPiece, onState: (state) => states.push(state) });
  void link.run();
}

const times = (what: string): number => asked.filter((path) => path === what).length;

test("when nothing at all is answered", async () => {
  watch(hung);
  await vi.advanceTimersByTimeAsync(MINUTES_MS);
  expect(times("live")).toBeGreaterThan(5);
});

test("when nobody says whether the session has ended: the cut is told before that is asked", async () => {
  watch(() => Promise.reject(new TypeError("network")));
  await vi.advanceTimersByTimeAsync(100);
  expect([states, asked]).toEqual([["connecting", "cut"], ["live", "s"]]);
  await vi.advanceTimersByTimeAsync(MINUTES_MS);
  expect(times("live")).toBeGreaterThan(5);
});

test("when what a piece needs does not come", async () => {
  const stream = (signal: AbortSignal): ReadableStream =>
    new ReadableStream({
      start(controller) {
        signal.addEventListener("abort", () => controller.error(signal.reason));
        controller.enqueue(PIECE);
      },
    });
  watch((signal) => Promise.resolve(new Response(stream(signal))), () => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(MINUTES_MS);
  expect(times("live")).toBeGreaterThan(5);
});

test("and of what was waited for nothing is left: no timer, no listener", async () => {
  const { signal } = new AbortController();
  const [added, removed] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
  expect(await patiently(() => Promise.resolve(1), signal)).toBe(1);
  expect(removed.mock.calls).toEqual(added.mock.calls);
  watch(() => Promise.reject(new TypeError("network")));
  await vi.advanceTimersByTimeAsync(MINUTES_MS);
  link.close();
  await vi.advanceTimersByTimeAsync(0);
  expect([vi.getTimerCount(), times("live") > 5]).toEqual([0, true]);
});

test("each attempt takes its listeners with it", async () => {
  const counts = new Map<string, number>();
  for (const name of ["addEventListener", "removeEventListener"] as const) {
    const real = AbortSignal.prototype[name];
    vi.spyOn(AbortSignal.prototype, name).mockImplementation(function (this: AbortSignal, ...args: unknown[]) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      Reflect.apply(real, this, args);
    });
  }
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  link = new LiveLink("s", { onPiece: () => Promise.resolve(), onState: () => undefined });
  void link.run();
  await vi.advanceTimersByTimeAsync(MINUTES_MS);
  link.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(counts.get("addEventListener")).toBeGreaterThan(5);
  expect(counts.get("removeEventListener")).toBe(counts.get("addEventListener"));
  vi.restoreAllMocks();
});
