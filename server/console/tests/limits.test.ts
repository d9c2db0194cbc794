/** The largest files: what is beyond the format's limits is refused at once, as `app/contract/sealing` does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Bytes } from "../src/contract/bytes";
import { readU32 } from "../src/contract/bytes";
import { loads } from "../src/contract/canonical";
import { MANIFEST } from "../src/contract/records";
import { MAX_SEGMENT, parse } from "../src/contract/segment";
import { verifySession } from "../src/contract/verify";
import { VECTORS } from "./fake_server";

const FOLDER = join(VECTORS, "exports/ok");
const file = (name: string): Bytes => new Uint8Array(readFileSync(join(FOLDER, name)));

function grown(name: string, size: number): Bytes {
  const data = new Uint8Array(size);
  data.set(file(name));
  return data;
}

test("a file that is larger than any segment is bad-format, and nothing else is said of it", async () => {
  const manifest = MANIFEST.read(loads(file("manifest.json")), "manifest");
  const large = "segments/0-camera-0.fls";
  const read = (name: string) => Promise.resolve(name === large ? grown(name, MAX_SEGMENT + 1) : file(name));
  const { faults } = await verifySession(manifest, read, { pin: null, key: null });
  expect(faults.map(({ outcome, where }) => [outcome, where])).toEqual([["bad-format", large]]);
  expect(() => parse(grown(large, MAX_SEGMENT + 1))).toThrow("is larger than");
});

test("a file of more fragments than a record may speak of is refused", { timeout: 60_000 }, () => {
  const whole = file("segments/0-camera-0.fls");
  const header = 8 + readU32(whole, 4);
  const empty = new Uint8Array(header + 4 * 1_000_001);
  empty.set(whole.subarray(0, header));
  expect(() => parse(empty)).toThrow("more than 1000000 fragments");
});
