/** The timeline's lanes from the records: neighbouring segments of one state are one stretch. */
import type { Track } from "../contract/records";
import type { Entry } from "../contract/statements";
import type { Evidence } from "../session/evidence";
import { join, type Stretch } from "./stretches";
import type { Lane } from "./timeline";

const LANES: readonly (readonly [Track, string])[] = [
  ["camera", "Camera"],
  ["screen", "Screen"],
  ["microphone", "Microphone"],
];

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
