/** Adds a recipient to a session: fetches every file, wraps its key in this page, and hands the signed grant in. */
import * as api from "../api";
import type { Bytes } from "../contract/bytes";
import { signGrant, wrapFor } from "../contract/granting";
import { MAX_WRAPS, type Recipient } from "../contract/grants";
import type { RecipientKey } from "../contract/keys";
import { IntegrityError } from "../contract/outcome";
import type { Entry } from "../contract/statements";
import { abreast } from "./abreast";
import type { Evidence } from "./evidence";

const PARALLEL = 4;

/** How many segments the added person can open, and how many are missing or at fault. */
export interface Added {
  readonly segments: number;
  readonly left: number;
}

/**
 * Add `recipient` with `key`, which the policy names. `told` hears how many files are done. Nothing is handed in before
 * all of them are; throws `Refused`, or the signal's reason when it was stopped.
 */
export async function addRecipient(
  evidence: Evidence,
  key: RecipientKey,
  recipient: Recipient,
  told: (done: number) => void,
  signal: AbortSignal,
): Promise<Added> {
  const { session, manifest } = evidence;
  const { entries } = evidence.statements;
  const wraps = (await wrapAll(evidence, key, recipient, told, signal)).filter((wrap) => wrap !== null);
  const said = { session, policyToken: manifest.policy, recipient, grantedMs: Date.now() };
  for (let at = 0; at < wraps.length; at += MAX_WRAPS) {
    await api.addGrant(session, await signGrant(said, wraps.slice(at, at + MAX_WRAPS), key));
  }
  return { segments: wraps.length, left: entries.length - wraps.length };
}

/** Return each segment's wrap in the chain's order, `null` for one that is missing or at fault. */
async function wrapAll(
  evidence: Evidence,
  key: RecipientKey,
  recipient: Recipient,
  told: (done: number) => void,
  signal: AbortSignal,
): Promise<readonly (Bytes | null)[]> {
  const { entries } = evidence.statements;
  const wraps = entries.map((): Bytes | null => null);
  let done = 0;
  await abreast(entries.entries(), PARALLEL, async ([at, entry]) => {
    signal.throwIfAborted();
    wraps[at] = await wrapOne(evidence.session, entry, key, recipient, signal);
    done += 1;
    told(done);
  });
  return wraps;
}

async function wrapOne(
  session: string,
  entry: Entry,
  key: RecipientKey,
  recipient: Recipient,
  signal: AbortSignal,
): Promise<Bytes | null> {
  const file = await api.segment(session, entry.record, signal);
  if (file === null) return null;
  try {
    return await wrapFor(recipient, entry, file, key);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    return null;
  }
}
