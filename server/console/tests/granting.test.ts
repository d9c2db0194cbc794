/** A grant made here is one that the verifier takes, and opens nothing but what it was made of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../src/contract/bytes";
import { utf8 } from "../src/contract/bytes";
import { loads } from "../src/contract/canonical";
import { signGrant, wrapFor } from "../src/contract/granting";
import { checkRecipient, type Grants, type Recipient } from "../src/contract/grants";
import { open, seal } from "../src/contract/hpke";
import { PROTECTED_KEY, type RecipientKey, unprotect } from "../src/contract/keys";
import { MANIFEST, type Manifest, segmentName } from "../src/contract/records";
import type { Policy } from "../src/contract/policy";
import type { Entry } from "../src/contract/statements";
import { checkStatements, type Verdict, verifySession } from "../src/contract/verify";

const FOLDER = join(import.meta.dirname, "../../../tests/vectors");
const file = (name: string): Bytes => new Uint8Array(readFileSync(join(FOLDER, name)));
const segment = (name: string): Bytes => file(join("exports/ok", name));

let examiner: RecipientKey;
let added: RecipientKey;
let recipient: Recipient;
let manifest: Manifest;
let entries: readonly Entry[];
let policy: Policy;

async function key(name: string, passphrase: string): Promise<RecipientKey> {
  return unprotect(PROTECTED_KEY.read(loads(file(`keys/${name}.json`)), "key"), passphrase);
}

async function verdict(grants: Grants, opened: string[] = []): Promise<Verdict> {
  const onOpened = (entry: Entry): void => void opened.push(segmentName(entry.record));
  const given = { pin: null, key: added, grants: () => Promise.resolve(grants), onOpened };
  return verifySession(manifest, (name) => Promise.resolve(segment(name)), given);
}

async function grantOf(wraps: readonly Bytes[], by: RecipientKey): Promise<Grants> {
  const said = { session: manifest.session, policyToken: manifest.policy, recipient, grantedMs: 1_800_000_000_000 };
  return { version: 1, grants: [await signGrant(said, wraps, by)] };
}

beforeAll(async () => {
  examiner = await key("examiner", "correct horse battery staple");
  added = await key("stranger", "pässphräse");
  recipient = { id: added.id, name: "Second examiner", key: added.publicBytes };
  manifest = MANIFEST.read(loads(file("exports/ok/manifest.json")), "manifest");
  const { statements } = await checkStatements(manifest, null);
  entries = statements.entries;
  policy = statements.policy as Policy;
});

describe("a grant", () => {
  test("opens every segment to the person it adds, and the evidence stays intact", async () => {
    const wraps = await Promise.all(entries.map((entry) => wrapFor(recipient, entry, segment(segmentName(entry.record)), examiner)));
    const opened: string[] = [];
    const found = await verdict(await grantOf(wraps, examiner), opened);
    expect([found.chain, found.complete, found.grants.map((one) => one.outcome)]).toEqual(["intact", true, ["ok"]]);
    expect(opened).toEqual(entries.map((entry) => segmentName(entry.record)));
    expect(found.grants[0]?.opened?.granter.id).toBe(examiner.id);
  });

  test("by the one whom it adds is not believed", async () => {
    const [entry] = entries as [Entry];
    const wrap = await wrapFor(recipient, entry, segment(segmentName(entry.record)), examiner);
    const found = await verdict(await grantOf([wrap], added));
    expect(found.grants.map((one) => one.outcome)).toEqual(["unknown-key"]);
    expect(found.faults.map((fault) => [fault.outcome, fault.where])).toEqual([["wrong-recipient", "key"]]);
  });

  test("is made of the recorded file alone", async () => {
    const [first, second] = entries as [Entry, Entry];
    const other = segment(segmentName(second.record));
    await expect(wrapFor(recipient, first, other, examiner)).rejects.toThrow("not the one that was recorded");
    await expect(wrapFor(recipient, first, segment(segmentName(first.record)), added)).rejects.toThrow("not sealed to this key");
  });

  test("is for nobody whom the policy names, and for no id that is not its key's", async () => {
    await expect(checkRecipient(recipient, policy)).resolves.toBeUndefined();
    await expect(checkRecipient({ ...recipient, id: examiner.id }, policy)).rejects.toThrow("not its key's");
    const named = { id: examiner.id, name: "", key: examiner.publicBytes };
    await expect(checkRecipient(named, policy)).rejects.toThrow("names this recipient already");
  });
});

test("HPKE seals what it opens, each time anew, and not under another info", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => seal(utf8("a data key"), added.publicBytes, utf8("info"))));
  expect(one).not.toEqual(other);
  expect(await open(one as Bytes, added.privateKey, added.publicBytes, utf8("info"))).toEqual(utf8("a data key"));
  await expect(open(one as Bytes, added.privateKey, added.publicBytes, utf8("other"))).rejects.toThrow();
});

test("the signing key can't be exported", async () => {
  expect(added.signingKey.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("pkcs8", added.signingKey)).rejects.toThrow();
});
