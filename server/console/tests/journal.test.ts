/** Fragments of the journal's track (tests/vectors/journal.json): taken or refused as Python does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { utf8 } from "../src/contract/bytes";
import { decodeEntries } from "../src/contract/journal";
import { VECTORS } from "./fake_server";

interface Vector {
  readonly about: string;
  readonly fragment: string;
  readonly entries: number | null;
}

test.each(JSON.parse(readFileSync(join(VECTORS, "journal.json"), "utf8")) as Vector[])("$about", ({ fragment, entries }) => {
  if (entries !== null) expect(decodeEntries(utf8(fragment)).length).toBe(entries);
  else expect(() => decodeEntries(utf8(fragment))).toThrow(expect.objectContaining({ outcome: "bad-format" }));
});
