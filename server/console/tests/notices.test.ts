/** What the examiner reads of an acknowledged notice: its digest is computed here, never taken from the journal. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Json } from "../src/contract/canonical";
import type { JournalEntry } from "../src/contract/journal";
import { noticesOf, readNotice, UNFIT } from "../src/contract/notices";

const SAID = "What happens\nWho can open it: nobody – «é»";
const POLICY = new Uint8Array(32).fill(0xa5);
const SOUND = { text: SAID, sha256: hashed(SAID), policy: "a5".repeat(32) };

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

describe("an acknowledged notice", () => {
  test("is told with the digest of its words", async () => {
    expect(await readNotice(SOUND, POLICY)).toEqual({ text: SAID, sha256: hashed(SAID), fits: true });
  });

  // Those of tests/unit/test_notice_acknowledged.py, and bodies without the words.
  const edits: readonly { readonly [key: string]: Json }[] = [
    { sha256: "0" },
    { policy: "0" },
    { text: 7 },
    { text: "Less" },
    { text: 7, sha256: hashed("7") },
    { text: null, sha256: hashed("None") },
    { text: {}, sha256: hashed("") },
  ];
  test.each(edits)("does not fit where the journal says %j", async (edit) => {
    const { text, sha256, fits } = await readNotice({ ...SOUND, ...edit }, POLICY);
    expect([sha256, fits]).toEqual([hashed(text), false]);
  });

  test("is found among the journal's other lines", async () => {
    const entry = (type: JournalEntry["type"]): JournalEntry => ({ type, at_ms: 0, utc_ms: 0, body: SOUND });
    const [note, notice] = [entry("note"), entry("notice")];
    const found = await noticesOf([note, notice], POLICY);
    expect([found.size, found.get(notice)?.fits]).toEqual([1, true]);
  });

  test("that does not fit is told of in the words of the terminal", () => {
    expect(readFileSync(new URL("../../../app/noticed.py", import.meta.url), "utf-8")).toContain(`" ${UNFIT}"`);
  });
});
