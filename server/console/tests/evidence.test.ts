/** One session in the page, on a server that goes on meanwhile, refuses, or fails in the middle. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Refused } from "../src/api";
import { type Json, loads } from "../src/contract/canonical";
import { signGrant, wrapFor } from "../src/contract/granting";
import type { Recipient } from "../src/contract/grants";
import { PROTECTED_KEY, type RecipientKey, unprotect } from "../src/contract/keys";
import { MANIFEST, segmentName } from "../src/contract/records";
import { checkStatements } from "../src/contract/verify";
import { abreast } from "../src/session/abreast";
import { Evidence } from "../src/session/evidence";
import { addRecipient } from "../src/session/granting";
import { added, unnamed } from "../src/view/recipients";
import { explain } from "../src/view/words";
import { FakeServer, VECTORS } from "./fake_server";

const OFFLINE = [503, "E-STORAGE", "the disk"] as const;

let examiner: RecipientKey;
let recipient: Recipient;
let server: FakeServer;

async function key(name: string, passphrase: string): Promise<RecipientKey> {
  return unprotect(PROTECTED_KEY.read(loads(readFileSync(join(VECTORS, `keys/${name}.json`))), "key"), passphrase);
}

beforeAll(async () => {
  examiner = await key("examiner", "correct horse battery staple");
  const added = await key("stranger", "pässphräse");
  recipient = { id: added.id, name: "Second examiner", key: added.publicBytes };
});

beforeEach(() => {
  server = new FakeServer("ok");
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Grant all that the server stores by now, as another examiner's page does. */
async function grantAll(): Promise<void> {
  const manifest = MANIFEST.read(server.manifest, "manifest");
  const { statements } = await checkStatements(manifest, null);
  const file = (name: string) => new Uint8Array(readFileSync(join(VECTORS, "exports/ok", name)));
  const wraps = await Promise.all(
    statements.entries.map((entry) => wrapFor(recipient, entry, file(segmentName(entry.record)), examiner)),
  );
  const said = { session: manifest.session, policyToken: manifest.policy, recipient, grantedMs: 1 };
  server.grants.push(await signGrant(said, wraps, examiner));
}

/** The session as it was after its first records. */
function shortly(records: number): typeof server.manifest {
  const cut = (name: string): Json => (server.manifest[name] as readonly Json[]).slice(0, records);
  return { ...server.manifest, records: cut("records"), receipts: cut("receipts"), end: null, completion: null };
}

describe("grants", () => {
  test("of records that came after the page was loaded are genuine", async () => {
    const whole = server.manifest;
    server.manifest = shortly(2);
    const evidence = await Evidence.load(server.session);
    server.manifest = whole;
    await grantAll();
    await evidence.reloadGrants();
    expect(evidence.grants.findings().map(({ outcome, message }) => [outcome, message])).toEqual([["ok", ""]]);
    expect(evidence.statements.entries.length).toBe(2);
    const [opened] = evidence.grants.findings().map((finding) => finding.opened);
    expect(opened!.wraps.size).toBeGreaterThan(2);
    expect(added(opened!, evidence.grants)).toContain(`for ${opened!.wraps.size} of ${opened!.wraps.size} segments`);
  });

  test("are not believed under another policy than the page's", async () => {
    const policy = new FakeServer("policy-other-institution").manifest["policy"] as Json;
    server = new FakeServer("ok");
    const evidence = await Evidence.load(server.session);
    await grantAll();
    server.manifest = { ...server.manifest, policy };
    await evidence.reloadGrants();
    expect(evidence.grants.findings().map((finding) => finding.outcome)).toEqual(["wrong-policy"]);
  });

  test("that were not handed out are not called false", async () => {
    server.refuses.set("grants", OFFLINE);
    const evidence = await Evidence.load(server.session);
    const [said] = evidence.grants.findings().map(unnamed);
    expect(said).toContain("not known");
    expect(said).not.toContain("genuine");
    const forged = { outcome: "unknown-key", where: "grant 0", message: "x" } as const;
    expect(unnamed(forged)).toMatch(/^Not genuine, and ignored: unknown-key, grant 0/);
  });
});

describe("a server that fails in the middle", () => {
  const segments = (): number => server.asked.filter((path) => path.startsWith("segments/")).length;

  function failing(evidence: Evidence): void {
    const [first] = evidence.statements.entries;
    server.refuses.set(`segments/${segmentName(first!.record).slice(9, -4).replaceAll("-", "/")}`, OFFLINE);
  }

  test("is asked for no more files when verifying all", async () => {
    const evidence = await Evidence.load(server.session);
    failing(evidence);
    await expect(evidence.checkAll(new AbortController().signal)).rejects.toThrow(Refused);
    const asked = segments();
    expect(asked).toBeLessThan(evidence.statements.entries.length);
    await new Promise((resolve) => setImmediate(resolve));
    expect([segments(), evidence.standing().checked]).toEqual([asked, asked - 1]);
  });

  test("is asked for no more files when adding a recipient, and handed nothing", async () => {
    const evidence = await Evidence.load(server.session);
    failing(evidence);
    const signal = new AbortController().signal;
    await expect(addRecipient(evidence, examiner, recipient, () => undefined, signal)).rejects.toThrow(Refused);
    expect(segments()).toBeLessThan(evidence.statements.entries.length);
    expect(server.asked.filter((path) => path === "grants").length).toBe(1); // asked for when the page was loaded
  });
});

test("a refusal says what to do, with what the server says of it", async () => {
  const evidence = await Evidence.load(server.session);
  server.refuses.set("grants", [409, "E-CONFLICT", "a session has at most 32 grants"]);
  const refused = addRecipient(evidence, examiner, recipient, () => undefined, new AbortController().signal);
  const said = explain(await refused.catch((error: unknown) => error));
  expect(said).toContain("Load the page again");
  expect(said).toContain("a session has at most 32 grants");
  for (const code of ["E-RECORD", "E-FORMAT"]) expect(explain(new Refused(422, code, "why"))).toMatch(/again.*why\.$/);
});

test("of many things at once none is begun after one failed, and those under way are waited for", async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    await Promise.resolve();
    if (item === 1) throw new RangeError("one");
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    ended += 1;
  };
  await expect(abreast([0, 1, 2, 3, 4, 5], 3, work)).rejects.toThrow("one");
  expect([begun, ended]).toEqual([[0, 1, 2], 2]);
  await abreast([5, 6], 3, work);
  expect([begun.slice(3), ended]).toEqual([[5, 6], 4]);
});
