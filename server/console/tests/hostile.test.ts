/**
 * Broken and hostile bytes (tests/vectors/hostile.jsonl, made by `python -m tests.vectors.hostile`): each reader returns
 * or throws its own error, and says what the Python side says. FAIRLOCK_HOSTILE names another file of cases.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { AGREEMENT } from "../src/contract/agreements";
import { b64, dumps, type Json, loads, unb64 } from "../src/contract/canonical";
import { GRANT, GRANT_TYPE, GRANTS } from "../src/contract/grants";
import { decodeEntries, decodePicture } from "../src/contract/journal";
import { ed25519, keyId, p256, verify } from "../src/contract/jws";
import { PROTECTED_KEY, type RecipientKey, unprotect } from "../src/contract/keys";
import { IntegrityError } from "../src/contract/outcome";
import { POLICY } from "../src/contract/policy";
import type { Reader } from "../src/contract/reader";
import * as records from "../src/contract/records";
import { openSegment, parse } from "../src/contract/segment";
import { verifySession } from "../src/contract/verify";
import { VECTORS } from "./fake_server";

type Bytes = Uint8Array<ArrayBuffer>;
type Delta = readonly [head: number, tail: number, between: string];

interface Case {
  readonly reader: string;
  readonly folder: string;
  readonly files: Readonly<Record<string, Delta>>;
  readonly key: string;
  readonly says: string;
}

const KEPT = process.env["FAIRLOCK_HOSTILE"] ?? join(VECTORS, "hostile.jsonl");
const CASES = readFileSync(KEPT, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Case);

const TABLES: Readonly<Record<string, Reader<unknown>>> = {
  Manifest: records.MANIFEST,
  Grants: GRANTS,
  Policy: POLICY,
  Agreement: AGREEMENT,
  ProtectedKey: PROTECTED_KEY,
};
const STATEMENTS: Readonly<Record<string, readonly [Reader<unknown>, string]>> = {
  policy: [POLICY, records.POLICY_TYPE],
  binding: [records.BINDING, records.BINDING_TYPE],
  record: [records.RECORD, records.RECORD_TYPE],
  receipt: [records.RECEIPT, records.RECEIPT_TYPE],
  end: [records.END, records.END_TYPE],
  completion: [records.COMPLETION, records.COMPLETION_TYPE],
  grant: [GRANT, GRANT_TYPE],
};

let examiner: RecipientKey;

beforeAll(async () => {
  const key = PROTECTED_KEY.read(loads(readFileSync(join(VECTORS, "keys/examiner.json"))), "key");
  examiner = await unprotect(key, "correct horse battery staple");
});

function restored(name: string, [head, tail, between]: Delta): Bytes {
  const path = join(VECTORS, name);
  const base = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const middle = inflateSync(Buffer.from(between, "base64"));
  return new Uint8Array(Buffer.concat([base.subarray(0, head), middle, base.subarray(base.length - tail)]));
}

const hex = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Return a read value as the JSON it was read from, with every field written out. */
function json(value: unknown): Json {
  if (value instanceof Uint8Array) return b64(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, json(item)]));
  if (Array.isArray(value)) return value.map(json);
  if (value === null || typeof value !== "object") return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item)]));
}

async function read(reader: string, data: Bytes, signer: Bytes): Promise<Json> {
  const [kind, detail = ""] = reader.split(" ");
  switch (kind) {
    case "canonical":
      return loads(data);
    case "table":
      return json(TABLES[detail]?.read(loads(data), detail));
    case "statement": {
      const [table, type] = STATEMENTS[detail] as readonly [Reader<unknown>, string];
      const key = await (signer.length === 32 ? ed25519(signer) : p256(signer));
      return json(await verify(table, Buffer.from(data).toString("latin1"), key, type));
    }
    case "journal":
      return json(decodeEntries(data));
    case "picture": {
      const { image, ...meta } = decodePicture(data) as NonNullable<ReturnType<typeof decodePicture>>;
      return [json(meta), hex(image)];
    }
    case "parse": {
      const { header, fragments, torn } = parse(data);
      return [json(header), fragments.map((one) => one.length), torn];
    }
    default: {
      const { complete, fragments } = await openSegment(data, examiner);
      return [complete, fragments.map(hex)];
    }
  }
}

async function session(folder: string, files: ReadonlyMap<string, Bytes>, pin: string): Promise<string> {
  const file = (name: string): Bytes | null => files.get(`${folder}/${name}`) ?? null;
  const granted = file("grants.json");
  const grants = async () => (granted === null ? null : GRANTS.read(loads(granted), "Grants"));
  const manifest = records.MANIFEST.read(loads(file("manifest.json") as Bytes), "Manifest");
  const verdict = await verifySession(manifest, async (name) => file(name), { pin, key: examiner, grants });
  const said = [...verdict.faults, ...verdict.grants].map(({ outcome, where }) => `${outcome} ${where}`);
  return [...said, verdict.complete ? "complete" : "not complete"].join("; ");
}

async function says({ reader, folder, files, key }: Case): Promise<string> {
  const given = new Map(Object.entries(files).map(([name, delta]) => [name, restored(name, delta)]));
  try {
    if (reader === "session") return await session(folder, given, await keyId(unb64(key)));
    const value = await read(reader, [...given.values()][0] as Bytes, unb64(key));
    return `ok ${hex(dumps(value)).slice(0, 16)}`;
  } catch (error) {
    return error instanceof IntegrityError ? error.outcome : `NOT ITS OWN ERROR: ${String(error)}`;
  }
}

const READERS = [...new Set(CASES.map((one) => one.reader))].sort();

test.each(READERS)("%s says of broken bytes what Python says", { timeout: 120_000 }, async (reader) => {
  for (const [number, one] of CASES.entries()) {
    if (one.reader === reader) expect(await says(one), `line ${number + 1}`).toBe(one.says);
  }
});
