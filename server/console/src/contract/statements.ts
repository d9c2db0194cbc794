/**
 * Checks the signed statements of a session (policy, bindings, records, receipts, end, completion). No files.
 *
 * The order of checks, and the outcome of each, are those of `docs/evidence-format.md` and of
 * `app/contract/sealing/statements.py`.
 */
import { type Bytes, equal } from "./bytes";
import { b64 } from "./canonical";
import type { Faults } from "./faults";
import { digest, ed25519, keyIdOf, unverified, verify, type VerifyingKey } from "./jws";
import { IntegrityError } from "./outcome";
import { openPolicy } from "./policies";
import { POLICY, type Policy } from "./policy";
import * as signed from "./records";
import type { Binding, Manifest, SegmentRecord } from "./records";

/** A record whose signature holds. `place` counts from 0 in the chain, `digest` is its JWS's. */
export interface Entry {
  readonly place: number;
  readonly digest: Bytes;
  readonly record: SegmentRecord;
}

interface Epoch {
  readonly number: number;
  readonly key: VerifyingKey;
}

/** Checks one manifest. Call `begin`, then the `check…` methods in the order in which they stand here. */
export class Statements {
  policy: Policy | null = null;
  readonly entries: Entry[] = [];
  readonly bindings: Binding[] = [];
  /** The place of each head of the chain by its digest in base64url, with 0 for genesis. */
  readonly heads = new Map<string, number>();
  private readonly epochs = new Map<string, Epoch>();
  private readonly receipted = new Set<string>();
  private signer = 0;
  private ended = false;
  private completed = false;
  private cachedReceiptKey: Promise<VerifyingKey> | null = null;

  private constructor(
    private readonly manifest: Manifest,
    private readonly faults: Faults,
    private readonly policyDigest: Bytes,
    private readonly genesis: Bytes,
  ) {
    this.heads.set(b64(genesis), 0);
  }

  static async begin(manifest: Manifest, faults: Faults): Promise<Statements> {
    const policyDigest = await digest(manifest.policy);
    return new Statements(manifest, faults, policyDigest, await signed.genesis(manifest.session, policyDigest));
  }

  /** Check the policy. One that can't be believed is still read, so that all else can be checked too. */
  async checkPolicy(pin: string | null): Promise<void> {
    await this.faults.collect("policy", async () => {
      try {
        this.policy = await openPolicy(this.manifest.policy, this.manifest.institution_key, pin);
      } catch (error) {
        this.policy = this.unbelievedPolicy();
        throw error;
      }
    });
  }

  private unbelievedPolicy(): Policy | null {
    try {
      return unverified(POLICY, this.manifest.policy);
    } catch {
      return null;
    }
  }

  /** Check that the server bound epochs 0, 1, … of this session, each with a key of its own. */
  async checkBindings(): Promise<void> {
    if (this.manifest.bindings.length === 0) {
      this.faults.add("bindings", "missing", "no binding says whose session this is");
    }
    let candidate: string | null = null;
    for (const [number, token] of this.manifest.bindings.entries()) {
      await this.faults.collect(`binding ${number}`, async () => {
        const binding = await verify(signed.BINDING, token, await this.receiptKey(), signed.BINDING_TYPE);
        candidate ??= binding.candidate;
        this.checkBinding(binding, number, candidate);
        const key = await ed25519(binding.signing_key);
        if (this.epochs.has(key.id)) throw new IntegrityError("broken-chain", "an epoch uses the key of an earlier one");
        this.epochs.set(key.id, { number, key });
        this.bindings.push(binding);
      });
    }
  }

  private checkBinding(binding: Binding, number: number, candidate: string): void {
    if (binding.session !== this.manifest.session) {
      throw new IntegrityError("record-mismatch", `binds session ${binding.session}`);
    }
    if (binding.candidate !== candidate) {
      throw new IntegrityError("record-mismatch", "binds another candidate than the first binding");
    }
    if (!equal(binding.policy, this.policyDigest)) throw new IntegrityError("wrong-policy", "binds to another policy");
    if (this.policy !== null && binding.exam !== this.policy.exam) {
      throw new IntegrityError("wrong-policy", `binds to exam ${binding.exam}`);
    }
    if (binding.epoch !== number) {
      throw new IntegrityError("broken-chain", `binds epoch ${binding.epoch}, expected ${number}`);
    }
  }

  /** Check each record's signature, its link to the one before, and that no track skips a number. */
  async checkChain(): Promise<void> {
    let head = this.genesis;
    const expected = new Map<string, number>();
    for (const [place, token] of this.manifest.records.entries()) {
      const where = `record ${place}`;
      const tokenDigest = await digest(token);
      await this.faults.collect(where, async () => {
        const epoch = this.epochOf(token);
        const record = await verify(signed.RECORD, token, epoch.key, signed.RECORD_TYPE);
        this.entries.push({ place, digest: tokenDigest, record });
        this.checkLink(where, record, head, epoch.number);
        this.checkSequence(where, record, expected);
      });
      // What follows is checked against what stands here, so that one gap counts as one fault.
      head = tokenDigest;
      if (!this.heads.has(b64(head))) this.heads.set(b64(head), place + 1);
    }
  }

  private checkLink(where: string, record: SegmentRecord, head: Bytes, signer: number): void {
    if (record.session !== this.manifest.session) {
      this.faults.add(where, "record-mismatch", `speaks of session ${record.session}`);
    }
    if (!equal(record.previous, head)) {
      this.faults.add(where, "broken-chain", "does not follow the record before it");
    }
    if (signer < record.epoch || signer < this.signer) {
      this.faults.add(where, "broken-chain", `signed with the key of epoch ${signer}, which had ended`);
    }
    this.signer = Math.max(signer, this.signer);
  }

  private checkSequence(where: string, record: SegmentRecord, expected: Map<string, number>): void {
    const track = `${record.epoch} ${record.track}`;
    const next = expected.get(track) ?? 0;
    if (record.sequence !== next) {
      const message = `${record.track} of epoch ${record.epoch} continues with ${record.sequence}, not ${next}`;
      this.faults.add(where, "broken-chain", message);
    }
    expected.set(track, record.sequence + 1);
  }

  /** Check that each receipt speaks of a record of this chain and of that record's file. */
  async checkReceipts(): Promise<void> {
    const byDigest = new Map(this.entries.map((entry) => [b64(entry.digest), entry.record]));
    const check = async (token: string): Promise<void> => {
      const receipt = await verify(signed.RECEIPT, token, await this.receiptKey(), signed.RECEIPT_TYPE);
      const record = byDigest.get(b64(receipt.record));
      if (receipt.session !== this.manifest.session || record === undefined) {
        throw new IntegrityError("bad-receipt", "speaks of a record that is not in the chain");
      }
      if (!equal(receipt.digest, record.digest) || receipt.size !== record.size) {
        throw new IntegrityError("bad-receipt", "the server stored another file than the record's");
      }
      this.receipted.add(b64(receipt.record));
    };
    for (const [number, token] of this.manifest.receipts.entries()) {
      await this.faults.collect(`receipt ${number}`, () => check(token), "bad-receipt");
    }
  }

  /** Check that the end, where there is one, names this chain's head and counts. */
  async checkEnd(): Promise<void> {
    const token = this.manifest.end;
    if (token === null) {
      if (this.manifest.completion !== null) {
        this.faults.add("end", "missing", "the server confirmed an end that is not here");
      }
      return;
    }
    await this.faults.collect("end", async () => {
      const epoch = this.epochOf(token);
      this.checkEndFields(await verify(signed.END, token, epoch.key, signed.END_TYPE), epoch);
      this.ended = true;
    });
  }

  private checkEndFields(end: signed.End, epoch: Epoch): void {
    const count = this.manifest.records.length;
    if (end.session !== this.manifest.session) throw new IntegrityError("record-mismatch", `ends session ${end.session}`);
    if (epoch.number < this.signer) {
      throw new IntegrityError("broken-chain", `signed in epoch ${epoch.number}, which had ended`);
    }
    if (this.heads.get(b64(end.head)) !== count || end.records !== count) {
      throw new IntegrityError("broken-chain", `the chain that ended has ${end.records} records`);
    }
    const said = new Map([...end.segments].filter(([, segments]) => segments !== 0));
    const held = this.segments();
    if (said.size !== held.size || [...said].some(([track, segments]) => held.get(track) !== segments)) {
      throw new IntegrityError("record-mismatch", "counts other segments than the chain holds");
    }
  }

  /** Check that the completion, where there is one, confirms this end. */
  async checkCompletion(): Promise<void> {
    const { completion: token, end } = this.manifest;
    if (token === null) return;
    const check = async (): Promise<void> => {
      const completion = await verify(signed.COMPLETION, token, await this.receiptKey(), signed.COMPLETION_TYPE);
      const sameEnd = end !== null && equal(completion.end, await digest(end));
      if (completion.session !== this.manifest.session || !sameEnd) {
        throw new IntegrityError("bad-receipt", "confirms another end");
      }
      this.completed = true;
    };
    await this.faults.collect("completion", check, "bad-receipt");
  }

  /** Return how many records each track has. */
  segments(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { record } of this.entries) counts.set(record.track, (counts.get(record.track) ?? 0) + 1);
    return counts;
  }

  /** Return whether end, completion and a receipt for every record are there and hold. */
  complete(): boolean {
    return this.ended && this.completed && this.receipted.size === this.manifest.records.length;
  }

  /** Return the key that the binding of an epoch names, or `null` where no sound one does. */
  keyOfEpoch(number: number): VerifyingKey | null {
    return [...this.epochs.values()].find((epoch) => epoch.number === number)?.key ?? null;
  }

  private receiptKey(): Promise<VerifyingKey> {
    if (this.policy === null) {
      throw new IntegrityError("unknown-key", "without a readable policy the server's key is not known");
    }
    this.cachedReceiptKey ??= ed25519(this.policy.server.receipt_key);
    return this.cachedReceiptKey;
  }

  private epochOf(token: string): Epoch {
    const id = keyIdOf(token);
    const epoch = this.epochs.get(id);
    if (epoch === undefined) throw new IntegrityError("unknown-key", `signed with key ${id}, which no binding names`);
    return epoch;
  }
}
