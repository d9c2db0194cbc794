/** What a hostile server sends in drips costs no more than its bytes; a segment that no recorder writes is not shown to its end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ByteQueue } from "../src/contract/byte_queue";
import { bigEndian, concat } from "../src/contract/bytes";
import { PieceReader } from "../src/contract/live";
import { MAX_FRAGMENT, parseHead } from "../src/contract/segment";
import { MAX_LIVE_FRAGMENTS, MAX_LIVE_SEGMENT, SegmentStream } from "../src/contract/segment_stream";
import { SFrameKey } from "../src/contract/sframe";
import { VECTORS } from "./fake_server";

const FILE = new Uint8Array(readFileSync(join(VECTORS, "exports/ok/segments/0-camera-0.fls")));
const HEAD = FILE.slice(0, 8 + parseHead(FILE)!.headerBytes.length);
const MEGABYTE = 1024 * 1024;

let copied: number;

beforeEach(() => {
  copied = 0;
  const { set, slice } = Uint8Array.prototype;
  vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (this: Uint8Array, from: ArrayLike<number>, at?: number) {
    copied += from.length;
    set.call(this, from, at);
  });
  vi.spyOn(Uint8Array.prototype, "slice").mockImplementation(function (this: Uint8Array, from?: number, to?: number) {
    const part = slice.call(this, from, to);
    copied += part.length;
    return part;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const stream = (): SegmentStream => new SegmentStream(() => Promise.resolve(new Uint8Array(32)));

test("a large fragment of which single bytes come", async () => {
  const reading = stream();
  await reading.push(concat(HEAD, bigEndian(MAX_FRAGMENT, 4)));
  for (let nth = 0; nth < 4; nth += 1) await reading.push(new Uint8Array(MEGABYTE));
  for (let nth = 0; nth < 500; nth += 1) await reading.push(new Uint8Array(1));
  expect(copied).toBeLessThan(20 * MEGABYTE);
});

test("a large piece of which single bytes come", () => {
  const reader = new PieceReader();
  reader.push(concat(bigEndian(2 * MEGABYTE, 4), new Uint8Array(MEGABYTE)));
  for (let nth = 0; nth < 500; nth += 1) reader.push(new Uint8Array(1));
  expect(copied).toBeLessThan(6 * MEGABYTE);
});

test("many pieces that come at once", () => {
  const pieces = 40_000;
  const frame = concat(bigEndian(13, 4), Uint8Array.of(1, 1), new Uint8Array(11));
  const whole = concat(...Array.from({ length: pieces }, () => frame));
  copied = 0;
  expect(new PieceReader().push(whole).length).toBe(pieces);
  expect(copied).toBeLessThan(4 * whole.length);
});

test("more fragments than a recorder writes", async () => {
  vi.spyOn(SFrameKey.prototype, "open").mockResolvedValue(new Uint8Array(0));
  const reading = stream();
  const empty = new Uint8Array(4);
  await reading.push(concat(HEAD, ...Array.from({ length: MAX_LIVE_FRAGMENTS }, () => empty)));
  await expect(reading.push(empty)).rejects.toThrow(`more than ${MAX_LIVE_FRAGMENTS} fragments`);
});

test("more bytes than a recorder writes", async () => {
  vi.spyOn(SFrameKey.prototype, "open").mockResolvedValue(new Uint8Array(0));
  const reading = stream();
  await reading.push(HEAD);
  const fragment = concat(bigEndian(2 * MEGABYTE, 4), new Uint8Array(2 * MEGABYTE));
  const most = Math.floor((MAX_LIVE_SEGMENT - HEAD.length) / fragment.length);
  for (let nth = 0; nth < most; nth += 1) await reading.push(fragment);
  await expect(reading.push(fragment)).rejects.toThrow(`larger than ${MAX_LIVE_SEGMENT} bytes`);
});

test("bytes in a queue come out as they went in, whatever the steps", () => {
  const queue = new ByteQueue();
  let [put, got] = [0, 0];
  const strange: number[] = [];
  for (let round = 0; round < 500; round += 1) {
    queue.push(Uint8Array.from({ length: (round * 7919) % 97 }, () => put++ % 251));
    const wanted = Math.min(queue.size, (round * 104_729) % 193);
    const [seen, taken] = [[...queue.peek(wanted)], queue.take(wanted)];
    taken.forEach((byte, nth) => {
      if (byte !== got++ % 251 || byte !== seen[nth]) strange.push(round);
    });
  }
  expect([strange, queue.size]).toEqual([[], put - got]);
});
