/** Pieces of live view: tests/vectors/live.json, of which `app/contract/live.py` must say the same, however they are cut. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Piece, PieceReader } from "../src/contract/live";
import { IntegrityError } from "../src/contract/outcome";
import { VECTORS } from "./fake_server";

interface Case {
  readonly name: string;
  readonly hex: string;
  readonly says: string;
  readonly pieces: readonly (Omit<Piece, "data"> & { readonly data: string })[];
}

const CASES = JSON.parse(readFileSync(join(VECTORS, "live.json"), "utf8")) as readonly Case[];
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

/** Read all of `data` in steps; what is left at the end was cut off. */
function read(data: Uint8Array, step: number): readonly Piece[] {
  const reader = new PieceReader();
  const pieces: Piece[] = [];
  for (let at = 0; at < data.length; at += step) pieces.push(...reader.push(data.subarray(at, at + step)));
  if (reader.pending) throw new IntegrityError("bad-format", "the last piece is cut off");
  return pieces;
}

function says(data: Uint8Array, step: number): Pick<Case, "says" | "pieces"> {
  try {
    return { says: "ok", pieces: read(data, step).map((piece) => ({ ...piece, data: hex(piece.data) })) };
  } catch (error) {
    return { says: error instanceof IntegrityError ? error.outcome : `NOT ITS OWN ERROR: ${String(error)}`, pieces: [] };
  }
}

test.each(CASES)("$name", ({ hex: bytes, ...expected }) => {
  const { says: outcome, pieces } = expected;
  expect(says(Buffer.from(bytes, "hex"), 1 << 20)).toEqual({ says: outcome, pieces });
});

test("pieces are read however they are cut", () => {
  for (const { name, hex: bytes, says: outcome, pieces } of CASES) {
    for (const step of [1, 3, 7, 16]) expect(says(Buffer.from(bytes, "hex"), step), name).toEqual({ says: outcome, pieces });
  }
});

test("random bytes are read or refused, and a claim of much takes no memory", () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) % 256;
  for (let round = 0; round < 500; round += 1) {
    const data = Uint8Array.from({ length: 64 }, () => (random() < 128 ? 0 : random() % 14));
    expect(says(data, 9).says).toMatch(/^(ok|bad-format)$/);
  }
});
