/** Waiting for something that may never come: not for ever. No network of its own. */
import { Refused } from "../api";

/** So long the server has for an answer that is not endless. */
export const PATIENCE_MS = 10_000;

/**
 * Ask, and give up after `PATIENCE_MS` or when `until` is given, also where what was asked takes no notice of its signal.
 * Throws `Refused` as if nobody had answered, or the reason of `until`.
 */
export async function patiently<T>(ask: (signal: AbortSignal) => Promise<T>, until?: AbortSignal): Promise<T> {
  const asked = new AbortController();
  const giveUp = (): void => asked.abort(new Refused(0, "E-OFFLINE", `no answer for ${PATIENCE_MS / 1000} s`));
  const stop = (): void => asked.abort(until?.reason);
  const timer = setTimeout(giveUp, PATIENCE_MS);
  if (until?.aborted === true) stop();
  until?.addEventListener("abort", stop);
  try {
    return await unless(asked.signal, ask(asked.signal));
  } finally {
    clearTimeout(timer);
    until?.removeEventListener("abort", stop);
  }
}

/** Wait for what is under way, or throw the signal's reason when that is given before. */
export async function unless<T>(signal: AbortSignal, underWay: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([underWay, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
