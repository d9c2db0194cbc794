/** The timeline's lanes from the records: neighbouring segments of one state are one stretch. */
import type { Track } from "../contract/records";
import type { Entry } from "../contract/statements";
import type { Evidence } from "../session/evidence";
import type { Lane, Stretch } from "./timeline";

const LANES: readonly (readonly [Track, string])[] = [
  ["camera", "Camera"],
  ["screen", "Screen"],
  ["microphone", "Microphone"],
];
const TOUCHING_MS = 400;

export function lanesOf(evidence: Evidence): readonly Lane[] {
  return LANES.map(([track, label]) => ({
    label,
    stretches: join(evidence.track(track).map((entry) => stretch(entry, evidence))),
  }));
}

function stretch(entry: Entry, evidence: Evidence): Stretch {
  const { start_ms, duration_ms } = entry.record;
  const faults = evidence.faultsOf(entry);
  const state = faults === null ? "plain" : faults.length === 0 ? "good" : "bad";
  return { fromMs: start_ms, toMs: start_ms + duration_ms, state };
}

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
