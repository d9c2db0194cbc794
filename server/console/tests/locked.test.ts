/** What the examiner reads of how the computer was locked: the application's words, whatever they are. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Json } from "../src/contract/canonical";
import type { JournalEntry } from "../src/contract/journal";
import { lockedOf, TIER_MEANING } from "../src/view/locked";

function entry(body: { readonly [key: string]: Json }, type: JournalEntry["type"] = "lockdown"): JournalEntry {
  return { type, at_ms: 0, utc_ms: 0, body };
}

describe("how the computer was locked", () => {
  test("every word on it is kept in order", () => {
    const first = entry({ tier: "A", platform: "linux-kiosk", holding: ["kiosk"], missing: { capture_shield: "None." }, doubts: [] });
    const later = entry({ tier: "C", platform: "linux-wayland", holding: [], missing: {}, doubts: ["No."] });
    expect(lockedOf([entry({ tier: "B" }, "note"), first, later])).toEqual([
      { tier: "A", platform: "linux-kiosk", holding: ["kiosk"], missing: [["capture_shield", "None."]], doubts: [] },
      { tier: "C", platform: "linux-wayland", holding: [], missing: [], doubts: ["No."] },
    ]);
  });

  test("a body from elsewhere breaks nothing", () => {
    const bodies = [{}, { tier: 7, holding: "kiosk", missing: ["x"], doubts: null }, { missing: { a: { b: 1 } } }];
    expect(lockedOf(bodies.map((body) => entry(body))).map((word) => word.tier)).toEqual(["?", "7", "?"]);
  });

  test("the tiers mean what the candidate was told", () => {
    const python = readFileSync(new URL("../../../app/contract/tiers.py", import.meta.url), "utf-8");
    for (const meaning of Object.values(TIER_MEANING)) expect(python).toContain(`"${meaning}"`);
  });
});
