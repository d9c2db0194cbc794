/** Recipients added later, as `app/contract/sealing/grants.py`: statements beside the evidence, with wrapped keys. */
import { type Bytes, equal, sha256 } from "./bytes";
import { b64 } from "./canonical";
import { digest, keyId, keyIdOf, p256, verify } from "./jws";
import { IntegrityError } from "./outcome";
import { type Policy, RECIPIENT } from "./policy";
import { bytes, int, list, object, type Read, text, withDefault } from "./reader";
import { digestReader, sessionReader, versionReader } from "./records";

export const GRANT_TYPE = "fairlock-grant+v1";
export const WRAP_BYTES = 32 + 113;
/** Wraps in one grant; a longer session takes several. */
export const MAX_WRAPS = 20_000;
const LAST_MS = 253_402_300_799_999;

export const GRANT = object({
  version: versionReader,
  session: sessionReader,
  policy: digestReader,
  recipient: RECIPIENT,
  wraps: digestReader,
  granted_ms: int({ min: 0, max: LAST_MS }),
});
export type Grant = Read<typeof GRANT>;
export type Recipient = Read<typeof RECIPIENT>;

export const SIGNED_GRANT = object({
  statement: text({ max: 16_384 }),
  wraps: bytes({ min: WRAP_BYTES, max: MAX_WRAPS * WRAP_BYTES }),
});
export type SignedGrant = Read<typeof SIGNED_GRANT>;

export const GRANTS = object({
  version: versionReader,
  grants: withDefault(list(SIGNED_GRANT, { max: 32 }), () => []),
});
export type Grants = Read<typeof GRANTS>;

/** A grant whose signature and wraps hold; `wraps` maps a record's digest in base64url to enc ‖ ciphertext. */
export interface OpenedGrant {
  readonly grant: Grant;
  readonly granter: Recipient;
  readonly wraps: ReadonlyMap<string, Bytes>;
}

/** Check all of a grant that needs neither private key nor segments; throws the first fault. */
export async function openGrant(
  { statement, wraps }: SignedGrant,
  { session, policyToken, policy }: { session: string; policyToken: string; policy: Policy },
): Promise<OpenedGrant> {
  const kid = keyIdOf(statement);
  const granter = policy.recipients.find((recipient) => recipient.id === kid);
  if (granter === undefined) {
    throw new IntegrityError("unknown-key", `signed with key ${kid}, which is no recipient's of the policy`);
  }
  const grant = await verify(GRANT, statement, await p256(granter.key), GRANT_TYPE);
  if (grant.session !== session) throw new IntegrityError("record-mismatch", `speaks of session ${grant.session}`);
  if (!equal(grant.policy, await digest(policyToken))) {
    throw new IntegrityError("wrong-policy", "was made under another policy");
  }
  await checkRecipient(grant.recipient, policy);
  return { grant, granter, wraps: await readWraps(wraps, grant.wraps) };
}

/** Check that a recipient may be added: a key on the curve, its own id, not in the policy (`wrong-recipient`). */
export async function checkRecipient(recipient: Recipient, policy: Policy): Promise<void> {
  await p256(recipient.key);
  if ((await keyId(recipient.key)) !== recipient.id) {
    throw new IntegrityError("wrong-recipient", "the recipient's id is not its key's");
  }
  if (policy.recipients.some((named) => named.id === recipient.id)) {
    throw new IntegrityError("wrong-recipient", "the policy names this recipient already");
  }
}

async function readWraps(data: Bytes, signed: Bytes): Promise<Map<string, Bytes>> {
  if (!equal(await sha256(data), signed)) {
    throw new IntegrityError("digest-mismatch", "the wraps are not those that were signed");
  }
  if (data.length % WRAP_BYTES !== 0) throw new IntegrityError("bad-format", "the wraps are cut off");
  const wraps = new Map<string, Bytes>();
  for (let at = 0; at < data.length; at += WRAP_BYTES) {
    wraps.set(b64(data.slice(at, at + 32)), data.slice(at + 32, at + WRAP_BYTES));
  }
  if (wraps.size !== data.length / WRAP_BYTES) {
    throw new IntegrityError("record-mismatch", "a segment stands in the grant twice");
  }
  return wraps;
}
