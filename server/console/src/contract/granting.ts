/** Making a grant: opens each segment's data key and wraps it for an added recipient. The only writer of the format here. */
import { type Bytes, concat, equal, sha256 } from "./bytes";
import { b64 } from "./canonical";
import { GRANT_TYPE, type Recipient, type SignedGrant } from "./grants";
import { seal } from "./hpke";
import { digest, sign } from "./jws";
import type { RecipientKey } from "./keys";
import { IntegrityError } from "./outcome";
import { grantInfo, parse, unwrap } from "./segment";
import type { Entry } from "./statements";

/**
 * Return one wrap: record's digest ‖ enc ‖ ciphertext. Only of the very file that was recorded: throws `digest-mismatch`
 * for another one, and what `parse` and `unwrap` throw.
 */
export async function wrapFor(recipient: Recipient, entry: Entry, file: Bytes, key: RecipientKey): Promise<Bytes> {
  if (!equal(await sha256(file), entry.record.digest)) {
    throw new IntegrityError("digest-mismatch", "the file is not the one that was recorded");
  }
  const parsed = parse(file);
  const dataKey = await unwrap(parsed, key);
  try {
    return concat(entry.digest, await seal(dataKey, recipient.key, grantInfo(parsed)));
  } finally {
    dataKey.fill(0);
  }
}

/** What a grant says, beside its wraps. */
export interface Granting {
  readonly session: string;
  readonly policyToken: string;
  readonly recipient: Recipient;
  readonly grantedMs: number;
}

/** Join and sign wraps with the key of a recipient whom the policy names. */
export async function signGrant(said: Granting, wraps: readonly Bytes[], key: RecipientKey): Promise<SignedGrant> {
  const joined = concat(...wraps);
  const { id, name, key: point } = said.recipient;
  const payload = {
    version: 1,
    session: said.session,
    policy: b64(await digest(said.policyToken)),
    recipient: { id, name, key: b64(point) },
    wraps: b64(await sha256(joined)),
    granted_ms: said.grantedMs,
  };
  return { statement: await sign(payload, key.id, key.signingKey, GRANT_TYPE), wraps: joined };
}
