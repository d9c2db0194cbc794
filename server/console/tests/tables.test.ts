/** The tables by which the console reads the contract are those of the Python dataclasses (shapes.json). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AGREEMENT } from "../src/contract/agreements";
import { GRANT, GRANTS } from "../src/contract/grants";
import { ENTRY_TYPE, PICTURE_META } from "../src/contract/journal";
import { PROTECTED_KEY } from "../src/contract/keys";
import { POLICY } from "../src/contract/policy";
import type { Reader } from "../src/contract/reader";
import { BINDING, COMPLETION, END, MANIFEST, OPENING, RECEIPT, RECORD } from "../src/contract/records";
import { SEGMENT_HEADER } from "../src/contract/segment";

const SHAPES = JSON.parse(readFileSync(join(import.meta.dirname, "shapes.json"), "utf8")) as Record<string, unknown>;

const TABLES: Record<string, Reader<unknown>> = {
  Policy: POLICY,
  Binding: BINDING,
  Record: RECORD,
  Receipt: RECEIPT,
  End: END,
  Completion: COMPLETION,
  Manifest: MANIFEST,
  ProtectedKey: PROTECTED_KEY,
  SegmentHeader: SEGMENT_HEADER,
  PictureMeta: PICTURE_META,
  Agreement: AGREEMENT,
  Grant: GRANT,
  Grants: GRANTS,
  Opening: OPENING,
  EntryType: ENTRY_TYPE,
};

test("every class of the contract has a table", () => {
  expect(Object.keys(TABLES)).toEqual(Object.keys(SHAPES));
});

test.each(Object.keys(SHAPES))("%s is read as Python reads it", (name) => {
  expect(TABLES[name]?.shape).toEqual(SHAPES[name]);
});
