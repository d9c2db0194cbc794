/**
 * Checks a session's grants beside its evidence, and opens segments with the wraps of an added recipient, as
 * `app/contract/sealing/grant_check.py`. What it finds never becomes a fault of the evidence.
 */
import type { Bytes } from "./bytes";
import { b64 } from "./canonical";
import { type Grants, openGrant, type OpenedGrant, type SignedGrant } from "./grants";
import type { RecipientKey } from "./keys";
import { IntegrityError, type Outcome } from "./outcome";
import { type Manifest, segmentName } from "./records";
import { type ParsedSegment, unwrapGranted } from "./segment";
import type { Entry, Statements } from "./statements";

/** What is said of one grant. `opened` is null where it can't be believed. */
export interface GrantFinding {
  readonly outcome: Outcome;
  readonly where: string;
  readonly message: string;
  readonly opened: OpenedGrant | null;
}

/** Returns a session's grants, `null` where there are none; throws `IntegrityError` for what can't be taken. */
export type ReadGrants = () => Promise<Grants | null>;

export class GrantChecker {
  private readonly found: GrantFinding[] = [];

  private constructor(
    private readonly manifest: Manifest,
    private readonly statements: Statements,
  ) {}

  /** Check the grants; `statements` have been checked up to the chain. */
  static async begin(manifest: Manifest, statements: Statements, read: ReadGrants | null): Promise<GrantChecker> {
    const checker = new GrantChecker(manifest, statements);
    await checker.collect("grants", async () => {
      const records = new Set(statements.entries.map((entry) => b64(entry.digest)));
      for (const [number, signed] of ((await read?.()) ?? { grants: [] }).grants.entries()) {
        await checker.collect(`grant ${number}`, () => checker.take(`grant ${number}`, signed, records));
      }
    });
    return checker;
  }

  /** How many segments there were when the grants were checked: a page that was loaded before may know of fewer. */
  get total(): number {
    return this.statements.entries.length;
  }

  /** Whether a sound grant names this key. */
  names(id: string): boolean {
    return this.found.some(({ opened }) => opened?.grant.recipient.id === id);
  }

  /**
   * Return a segment's data key for an added recipient, or `null` where no grant opens it. A wrap that does not open
   * spoils the finding of its grant alone; another one may still hold a good one.
   */
  async unwrap(entry: Entry, parsed: ParsedSegment, key: RecipientKey): Promise<Bytes | null> {
    for (const [at, { opened }] of this.found.entries()) {
      const wrap = opened?.grant.recipient.id === key.id ? opened.wraps.get(b64(entry.digest)) : undefined;
      if (wrap === undefined) continue;
      try {
        return await unwrapGranted(parsed, wrap, key);
      } catch (error) {
        if (!(error instanceof IntegrityError)) throw error;
        this.spoil(at, error.outcome, `${segmentName(entry.record)}: ${error.message}`);
      }
    }
    return null;
  }

  /** Return what is known of each grant by now, in the order of the file. */
  findings(): readonly GrantFinding[] {
    return this.found;
  }

  private async take(where: string, signed: SignedGrant, records: ReadonlySet<string>): Promise<void> {
    const { policy } = this.statements;
    if (policy === null) {
      throw new IntegrityError("unknown-key", "without a readable policy nobody is known who may add others");
    }
    const { session, policy: policyToken } = this.manifest;
    const opened = await openGrant(signed, { session, policyToken, policy });
    const strange = [...opened.wraps.keys()].filter((record) => !records.has(record)).length;
    if (strange > 0) {
      throw new IntegrityError("record-mismatch", `wraps ${strange} keys of segments that are not in the chain`);
    }
    this.found.push({ outcome: "ok", where, message: "", opened });
  }

  private async collect(where: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      this.found.push({ outcome: error.outcome, where, message: error.message, opened: null });
    }
  }

  private spoil(at: number, outcome: Outcome, message: string): void {
    const before = this.found[at];
    if (before?.outcome === "ok") this.found[at] = { ...before, outcome, message };
  }
}
