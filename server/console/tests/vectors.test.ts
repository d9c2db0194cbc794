/** The project's test vectors (tests/vectors): the console must say of each what the Python verifier says. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loads } from "../src/contract/canonical";
import { GRANTS } from "../src/contract/grants";
import { PROTECTED_KEY, type RecipientKey, unprotect, WrongPassphrase } from "../src/contract/keys";
import { OUTCOMES } from "../src/contract/outcome";
import { MANIFEST, segmentName } from "../src/contract/records";
import type { OpenedSegment } from "../src/contract/segment";
import type { Entry } from "../src/contract/statements";
import { type Verdict, verifySession } from "../src/contract/verify";

const FOLDER = join(import.meta.dirname, "../../../tests/vectors");

interface Vector {
  readonly name: string;
  readonly folder: string;
  readonly outcome: string;
  readonly complete: boolean;
  readonly unreadable: boolean;
  readonly faults: readonly (readonly [string, string])[];
  readonly grants: readonly (readonly [string, string])[];
  readonly key: string | null;
  readonly passphrase: string | null;
  readonly pin: string | null;
  readonly plaintext_sha256: Readonly<Record<string, string>>;
}

const INDEX = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8")) as readonly Vector[];

const file = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(FOLDER, name)));

const opened = new Map<string, Promise<RecipientKey>>();

/** Open each key once: PBKDF2 is slow on purpose. */
function keyOf(vector: Vector): Promise<RecipientKey | null> {
  if (vector.key === null || vector.passphrase === null) return Promise.resolve(null);
  const blob = PROTECTED_KEY.read(loads(file(vector.key)), "key");
  const key = opened.get(vector.key) ?? unprotect(blob, vector.passphrase);
  opened.set(vector.key, key);
  return key;
}

const reader = (vector: Vector) => async (name: string) => {
  const path = join(vector.folder, name);
  return existsSync(join(FOLDER, path)) ? file(path) : null;
};

const grantsOf = (vector: Vector) => async () => {
  const path = join(vector.folder, "grants.json");
  return existsSync(join(FOLDER, path)) ? GRANTS.read(loads(file(path)), "Grants") : null;
};

async function verify(vector: Vector): Promise<{ verdict: Verdict; plaintext: Record<string, string> }> {
  const manifest = MANIFEST.read(loads(file(join(vector.folder, "manifest.json"))), "manifest");
  const plaintext: Record<string, string> = {};
  const onOpened = (entry: Entry, opened: OpenedSegment): void => {
    const hash = createHash("sha256");
    for (const fragment of opened.fragments) hash.update(fragment);
    plaintext[segmentName(entry.record)] = hash.digest("hex");
  };
  const given = { pin: vector.pin, key: await keyOf(vector), grants: grantsOf(vector), onOpened };
  return { verdict: await verifySession(manifest, reader(vector), given), plaintext };
}

describe("vectors", () => {
  test.each(INDEX.filter((vector) => vector.unreadable))("$name is refused as $outcome", (vector) => {
    const bytes = file(join(vector.folder, "manifest.json"));
    const refusal = expect.objectContaining({ outcome: vector.outcome });
    expect(() => MANIFEST.read(loads(bytes), "manifest")).toThrow(refusal);
  });

  test.each(INDEX.filter((vector) => !vector.unreadable))("$name is $outcome", async (vector) => {
    const { verdict } = await verify(vector);
    expect(verdict.chain, JSON.stringify(verdict.faults)).toBe(vector.outcome === "ok" ? "intact" : vector.outcome);
    expect(verdict.complete).toBe(vector.complete);
    expect(verdict.faults.map((fault) => [fault.outcome, fault.where])).toEqual(vector.faults);
    expect(verdict.grants.map((grant) => [grant.outcome, grant.where])).toEqual(vector.grants);
  });

  test.each(INDEX.filter((vector) => vector.outcome === "ok"))("$name opens to its plaintext", async (vector) => {
    expect((await verify(vector)).plaintext).toEqual(vector.plaintext_sha256);
  });

  test("every outcome has a vector", () => {
    expect(new Set(INDEX.map((vector) => vector.outcome))).toEqual(new Set(OUTCOMES));
  });
});

describe("protected key", () => {
  const vector = INDEX.find((candidate) => candidate.name === "ok") as Vector;
  let key: RecipientKey;

  beforeAll(async () => {
    key = (await keyOf(vector)) as RecipientKey;
  });

  test("can't be exported", async () => {
    expect(key.privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("pkcs8", key.privateKey)).rejects.toThrow();
  });

  test("refuses another passphrase", async () => {
    const blob = PROTECTED_KEY.read(loads(file(vector.key as string)), "key");
    await expect(unprotect(blob, "correct horse battery stable")).rejects.toThrow(WrongPassphrase);
  });

  test("refuses a blob that claims another key's id", async () => {
    const blob = PROTECTED_KEY.read(loads(file(vector.key as string)), "key");
    const other = { ...blob, id: "A".repeat(43) };
    await expect(unprotect(other, vector.passphrase as string)).rejects.toThrow("not its own");
  });
});
