/**
 * What must be known of a session before anything of it is shown live: its policy, and the keys that its bindings name.
 *
 * The statements are checked as a verifier does; where one of them does not hold, nothing can be watched. Records and
 * files are not looked at: that is for session/evidence.ts, once there are any.
 */
import * as api from "../api";
import { Faults } from "../contract/faults";
import type { VerifyingKey } from "../contract/jws";
import { IntegrityError } from "../contract/outcome";
import type { Policy } from "../contract/policy";
import type { Manifest } from "../contract/records";
import { Statements } from "../contract/statements";
import { patiently } from "./patience";
import { type Row, whose } from "./whose";

const AGAIN_MS = 2_000;

export class LiveSession {
  private askedAt = performance.now();
  /** The server took back what it had said: nothing is believed any more. */
  private takenBack: IntegrityError | null = null;

  private constructor(
    readonly policy: Policy,
    private manifest: Manifest,
    private statements: Statements,
  ) {}

  /** Fetch and check the policy and the bindings; throws the first fault. */
  static async load(session: string): Promise<LiveSession> {
    const manifest = await api.manifest(session);
    if (manifest.session !== session) throw new IntegrityError("record-mismatch", "the server speaks of another session");
    const statements = await checked(manifest);
    return new LiveSession(statements.policy as Policy, manifest, statements);
  }

  get session(): string {
    return this.manifest.session;
  }

  /** Whose session it is, by the server's signed word. */
  get candidate(): string {
    return this.statements.bindings[0]!.candidate;
  }

  /** Throws `record-mismatch` where the server's list says something else than its binding. */
  mustBe(row: Row): void {
    const { doubt } = whose(row, this.statements.bindings);
    if (doubt !== "") throw new IntegrityError("record-mismatch", doubt);
  }

  /** Whether the policy names the key. Who was added later can't watch: that takes a stored segment. */
  mayWatch(keyId: string): boolean {
    return this.policy.recipients.some((recipient) => recipient.id === keyId);
  }

  /** Return the key that the binding of an epoch names; asks the server for the bindings anew where there is none yet. */
  async keyOf(epoch: number): Promise<VerifyingKey> {
    if (this.takenBack !== null) throw this.takenBack;
    let key = this.statements.keyOfEpoch(epoch);
    if (key === null && performance.now() - this.askedAt >= AGAIN_MS) {
      this.askedAt = performance.now();
      await this.reload();
      key = this.statements.keyOfEpoch(epoch);
    }
    if (key === null) throw new IntegrityError("unknown-key", `no binding names a key for start ${epoch} of the application`);
    return key;
  }

  /** What was said stays said: the same policy, and the bindings that are known, with new ones behind them at most. */
  private async reload(): Promise<void> {
    const manifest = await patiently((signal) => api.manifest(this.session, signal));
    if (manifest.session !== this.session || manifest.policy !== this.manifest.policy) {
      this.takenBack = new IntegrityError("wrong-policy", "the server has come to hand out another policy of this session");
    } else if (!this.manifest.bindings.every((token, number) => token === manifest.bindings[number])) {
      this.takenBack = new IntegrityError("broken-chain", "the server has come to hand out other bindings of this session");
    }
    if (this.takenBack !== null) throw this.takenBack;
    this.statements = await checked(manifest);
    this.manifest = manifest;
  }
}

async function checked(manifest: Manifest): Promise<Statements> {
  const faults = new Faults();
  const statements = await Statements.begin(manifest, faults);
  await statements.checkPolicy(null);
  await statements.checkBindings();
  const [first] = faults.found;
  if (first !== undefined) throw new IntegrityError(first.outcome, `${first.where}: ${first.message}`);
  return statements;
}
