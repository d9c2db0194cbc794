/**
 * How many live pages one browser may have at a time. Over HTTP/1.1 a browser makes six connections to a host, and each live
 * page keeps one for as long as it watches: six pages would leave none for anything else of the console, without a word.
 *
 * A seat is a lock (Web Locks API, w3.org/TR/web-locks) that all pages of this origin in one browser share; it goes with the
 * page that holds it, also where that crashes. Opens no connection and knows nothing of who is watched.
 */

/** Two of the six connections stay free for the rest of the console. */
export const SEATS = 4;
const NAMES = Array.from({ length: SEATS }, (_, nth) => `fairlock-live-seat-${nth + 1}`);

export interface Seat {
  leave(): void;
}

const UNCOUNTED: Seat = { leave: () => undefined };

/**
 * Take a seat; where all are taken, call `onFull` and wait until one is free. Throws the signal's reason. A browser that has no
 * locks, or grants none to this page, counts nothing, nor is anything counted where connections are no limit.
 */
export async function takeSeat(signal: AbortSignal, onFull: () => void): Promise<Seat> {
  signal.throwIfAborted();
  if (carriesMany() || !("locks" in navigator)) return UNCOUNTED;
  const { locks } = navigator;
  for (const name of NAMES) {
    const seat = await hold(locks, name, { ifAvailable: true }).catch(() => UNCOUNTED);
    if (signal.aborted) seat?.leave();
    signal.throwIfAborted();
    if (seat !== null) return seat;
  }
  onFull();
  return firstFree(locks, signal);
}

/** Whether one connection carries many requests at once, as HTTP/2 and HTTP/3 do: what the newest answer came by tells. */
function carriesMany(): boolean {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const known = entries.map((entry) => (entry as PerformanceResourceTiming).nextHopProtocol).filter((id) => /^h(ttp\/|[23])/.test(id));
  return /^h[23]/.test(known.at(-1) ?? "");
}

/** Return a held lock as a seat, or `null` where it is not free and was wanted at once. */
function hold(locks: LockManager, name: string, options: LockOptions): Promise<Seat | null> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) return new Promise((leave) => resolve({ leave }));
      resolve(null);
      return undefined;
    };
    locks.request(name, options, held).catch(reject);
  });
}

/** Wait for all seats, keep the first and let go of the others. */
function firstFree(locks: LockManager, signal: AbortSignal): Promise<Seat> {
  const waiting = new AbortController();
  const stop = (): void => waiting.abort(signal.reason);
  signal.addEventListener("abort", stop);
  const first = new Promise<Seat>((resolve, reject) => {
    for (const name of NAMES) {
      const take = (seat: Seat | null): void => {
        // Two may become free in the same moment, or one while the wait is given up.
        if (seat === null || waiting.signal.aborted) {
          seat?.leave();
          return reject(signal.reason as Error);
        }
        waiting.abort();
        resolve(seat);
      };
      hold(locks, name, { signal: waiting.signal }).then(take, reject);
    }
  });
  return first.finally(() => signal.removeEventListener("abort", stop));
}
