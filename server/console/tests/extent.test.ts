/** The timeline ends with what was recorded, however late the rest was sent. */
import { expect, test } from "vitest";
import { extentMs } from "../src/session/extent";

const HOUR_MS = 3_600_000;
const camera = { track: "camera", start_ms: HOUR_MS, duration_ms: 5_000 } as const;
const journal = { track: "journal", start_ms: 26 * HOUR_MS, duration_ms: 100 } as const;

test("a journal that was written a day later makes the exam no longer", () => {
  expect(extentMs([camera, journal])).toBe(HOUR_MS + 5_000);
  expect(extentMs([journal, { ...camera, track: "microphone", start_ms: 0 }])).toBe(5_000);
});

test("where neither picture nor sound was recorded, everything counts", () => {
  expect(extentMs([journal])).toBe(26 * HOUR_MS + 100);
  expect(extentMs([])).toBe(0);
});
