/** How many live pages a browser may have: so many and no more, the next when one goes, and no limit where none is needed. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Seat, SEATS, takeSeat } from "../src/session/live_seats";
import { FakeLocks } from "./fake_locks";

/** A few turns of the event loop, in which whatever is going to happen happens. */
async function turns(): Promise<void> {
  for (let nth = 0; nth < 20; nth += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A page that wants a seat. */
class Guest {
  seat: Seat | null = null;
  error: unknown = null;
  full = 0;
  private readonly wants = new AbortController();

  constructor() {
    takeSeat(this.wants.signal, () => (this.full += 1)).then(
      (seat) => (this.seat = seat),
      (error: unknown) => (this.error = error),
    );
  }

  giveUp(): void {
    this.wants.abort(new Error("gave up"));
  }
}

async function guests(count: number): Promise<Guest[]> {
  const all = Array.from({ length: count }, () => new Guest());
  await turns();
  return all;
}

const seated = (all: readonly Guest[]): number => all.filter(({ seat }) => seat !== null).length;

function answeredBy(...protocols: readonly string[]): void {
  const entries = protocols.map((nextHopProtocol) => ({ nextHopProtocol }) as unknown as PerformanceEntry);
  vi.spyOn(performance, "getEntriesByType").mockImplementation((type) => (type === "navigation" ? entries.slice(0, 1) : entries.slice(1)));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Node has locks of its own from 24.5 on; where they are, what holds with the stand-in must hold with them. */
const own = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
const kinds: [string, () => unknown][] = [["stand-in", () => new FakeLocks()]];
if (own !== undefined) kinds.push(["Node's own", () => own]);

describe.each(kinds)("seats, with locks that are %s", (_, locks) => {
  let all: Guest[];

  beforeEach(async () => {
    vi.stubGlobal("navigator", { locks: locks() });
    answeredBy("http/1.1");
    all = await guests(SEATS);
  });

  afterEach(async () => {
    for (const guest of all) guest.giveUp();
    for (const { seat } of all) seat?.leave();
    await turns();
  });

  test("are for so many pages and no more; a further one is told so and waits", async () => {
    expect([SEATS, seated(all)]).toEqual([4, 4]);
    expect(all.map(({ full }) => full)).toEqual([0, 0, 0, 0]);
    all.push(...(await guests(2)));
    expect([seated(all), all.at(-1)!.full]).toEqual([4, 1]);
  });

  test.each([0, 1, 2, 3])("go on to who waits, whichever becomes free: %i", async (nth) => {
    const [first, second] = await guests(2);
    all.push(first!, second!);
    all[nth]!.seat!.leave();
    await turns();
    expect([first!.seat !== null, second!.seat]).toEqual([true, null]);
    // The one who was served waits for no other seat: the next that is free is for who comes next.
    all[(nth + 1) % SEATS]!.seat!.leave();
    await turns();
    expect(second!.seat).not.toBeNull();
    first!.seat!.leave();
    await turns();
    all.push(...(await guests(2)));
    expect(all.slice(-2).map(({ seat }) => seat !== null)).toEqual([true, false]);
  });

  test("that become free together serve two", async () => {
    all.push(...(await guests(3)));
    for (const guest of all.slice(0, 2)) guest.seat!.leave();
    await turns();
    expect(all.slice(SEATS).map(({ seat }) => seat !== null)).toEqual([true, true, false]);
  });

  test("are not taken by who gave up waiting", async () => {
    const [gone, waits] = await guests(2);
    all.push(gone!, waits!);
    gone!.giveUp();
    await turns();
    expect(String(gone!.error)).toContain("gave up");
    all[2]!.seat!.leave();
    await turns();
    expect([gone!.seat, waits!.seat !== null]).toEqual([null, true]);
  });

  test("are not lost with who gives up in the moment of being seated", async () => {
    const [gone, waits] = await guests(2);
    all.push(gone!, waits!);
    all[0]!.seat!.leave();
    gone!.giveUp();
    await turns();
    expect([gone!.seat, waits!.seat !== null]).toEqual([null, true]);
  });

  test.each(["h2", "h3"])("are not counted where answers come by %s", async (protocol) => {
    answeredBy("http/1.1", "", protocol, "");
    all.push(...(await guests(3)));
    expect(seated(all)).toBe(SEATS + 3);
  });

  test.each([["h2", "http/1.1"], [""], []])("are counted after answers by %j, %j", async (...protocols) => {
    answeredBy(...protocols);
    all.push(...(await guests(1)));
    expect(seated(all)).toBe(SEATS);
  });
});

test.each([
  ["has no locks", {}],
  ["grants a page none", { locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } }],
])("a browser that %s counts nothing", async (_, navigator) => {
  vi.stubGlobal("navigator", navigator);
  answeredBy("http/1.1");
  expect(seated(await guests(SEATS + 2))).toBe(SEATS + 2);
});
