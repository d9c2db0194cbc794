/** Times, sizes and counts as people read them. */

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Return a place on the session's timeline: `4:05`, `1:02:03`. */
export function place(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const tail = `${String(minutes).padStart(hours > 0 ? 2 : 1, "0")}:${String(seconds).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}

/** Return a length of time in words: `47 s`, `12 min`, `1 h 05 min`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Return a wall-clock date and time in the reader's own zone. */
export function dateTime(ms: number | null): string {
  return ms === null ? "–" : DATE_TIME.format(ms);
}

/** Return a wall-clock time of day in the reader's own zone. */
export function clock(ms: number): string {
  return CLOCK.format(ms);
}

/** Return how long ago `ms` was. */
export function ago(ms: number | null, now = Date.now()): string {
  if (ms === null) return "–";
  const past = now - ms;
  if (past < 5_000) return "now";
  return past < 86_400_000 ? `${duration(past)} ago` : DATE_TIME.format(ms);
}

/** Return a size in decimal units. */
export function size(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Return a number with its noun: `1 segment`, `12 segments`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}
