/**
 * How long a session's timeline is. What its journal says days later, when the rest was sent, makes no exam longer.
 */
import type { SegmentRecord, Track } from "../contract/records";

const MEDIA: ReadonlySet<Track> = new Set<Track>(["camera", "screen", "microphone"]);

/** Return when the last picture or sound ends; where neither was recorded, when the last segment of any kind does. */
export function extentMs(records: readonly Pick<SegmentRecord, "track" | "start_ms" | "duration_ms">[]): number {
  const media = records.filter(({ track }) => MEDIA.has(track));
  const counted = media.length > 0 ? media : records;
  return counted.reduce((end, { start_ms, duration_ms }) => Math.max(end, start_ms + duration_ms), 0);
}
