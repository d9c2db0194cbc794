/**
 * The verifier: checks a whole session's evidence and reports every fault, as `app/contract/sealing/verify.py`.
 *
 * The console shows a session in two steps (statements at once, files as they are read); `verifySession` is both in
 * one, in the order in which faults are reported.
 */
import type { Bytes } from "./bytes";
import { type Fault, Faults } from "./faults";
import { GrantChecker, type GrantFinding, type ReadGrants } from "./grant_check";
import type { RecipientKey } from "./keys";
import type { Outcome } from "./outcome";
import { type Manifest, segmentName } from "./records";
import { MAX_SEGMENT, type OpenedSegment } from "./segment";
import { type Checked, SegmentChecker } from "./segment_check";
import { type Entry, Statements } from "./statements";

/**
 * What a verifier found. `chain` is "intact" or the first fault's outcome; `complete`: no fault, and the end, its
 * completion and a receipt for every record are there. `grants` never change it.
 */
export interface Verdict {
  readonly chain: "intact" | Outcome;
  readonly faults: readonly Fault[];
  readonly bytes: number;
  readonly complete: boolean;
  readonly grants: readonly GrantFinding[];
}

/** Where segment files come from; `null` where there is none. */
export type ReadSegment = (name: string) => Promise<Bytes | null>;

/** What the statements of a manifest say, with the faults before and after those of the files. */
export interface CheckedStatements {
  readonly statements: Statements;
  readonly opening: readonly Fault[];
  readonly closing: readonly Fault[];
}

/** Check all that is signed in `manifest`; throws only what is no fault of the evidence. */
export async function checkStatements(manifest: Manifest, pin: string | null): Promise<CheckedStatements> {
  const faults = new Faults();
  const statements = await Statements.begin(manifest, faults);
  await statements.checkPolicy(pin);
  await statements.checkBindings();
  await statements.checkChain();
  const opening = faults.found.splice(0);
  await statements.checkReceipts();
  await statements.checkEnd();
  await statements.checkCompletion();
  return { statements, opening, closing: faults.found };
}

/** Return the checker of files that goes with checked statements and grants. */
export function segmentChecker(statements: Statements, grants: GrantChecker): SegmentChecker {
  const recipients = statements.policy?.recipients.map((recipient) => recipient.id) ?? null;
  return new SegmentChecker(recipients, statements.heads, grants);
}

/** Check one file, a missing one and one that can't be taken included. */
export async function checkFile(checker: SegmentChecker, entry: Entry, data: Bytes | null): Promise<Checked> {
  const where = segmentName(entry.record);
  if (data === null) return { faults: [{ outcome: "missing", where, message: "the segment file is missing" }], opened: null };
  if (data.length <= MAX_SEGMENT) return checker.check(entry, data);
  return { faults: [{ outcome: "bad-format", where, message: `is larger than ${MAX_SEGMENT} bytes` }], opened: null };
}

/** What a verifier is given beside the evidence; `onOpened` is told of every plaintext. */
export interface Verifying {
  readonly pin: string | null;
  readonly key: RecipientKey | null;
  readonly grants?: ReadGrants | null;
  readonly onOpened?: (entry: Entry, opened: OpenedSegment) => void;
}

/** Check `manifest` and every segment file, and report all faults. */
export async function verifySession(
  manifest: Manifest,
  read: ReadSegment,
  { pin, key, grants = null, onOpened }: Verifying,
): Promise<Verdict> {
  const { statements, opening, closing } = await checkStatements(manifest, pin);
  const granted = await GrantChecker.begin(manifest, statements, grants);
  const checker = segmentChecker(statements, granted);
  const faults = [...opening, ...(key === null ? [] : checker.useKey(key))];
  let bytes = 0;
  for (const entry of statements.entries) {
    const data = await read(segmentName(entry.record));
    bytes += data?.length ?? 0;
    const checked = await checkFile(checker, entry, data);
    faults.push(...checked.faults);
    if (checked.opened !== null) onOpened?.(entry, checked.opened);
  }
  faults.push(...closing);
  const complete = statements.complete() && faults.length === 0;
  return { chain: faults[0]?.outcome ?? "intact", faults, bytes, complete, grants: granted.findings() };
}
