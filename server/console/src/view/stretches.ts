/** Stretches of the timeline: neighbouring segments of one state drawn as one. */

/** A stretch of one track: `state` is "plain" (not checked yet), "good" or "bad". */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: "plain" | "good" | "bad";
}

const TOUCHING_MS = 400;

/** Join stretches (in order of time) that touch and are of one state. */
export function join(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: Stretch[] = [];
  for (const next of stretches) {
    const last = joined.at(-1);
    if (last !== undefined && last.state === next.state && next.fromMs - last.toMs <= TOUCHING_MS) {
      joined[joined.length - 1] = { ...last, toMs: Math.max(last.toMs, next.toMs) };
    } else joined.push(next);
  }
  return joined;
}
