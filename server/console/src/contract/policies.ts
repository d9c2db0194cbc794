/** Opening a signed policy: the one place that decides whether a policy may be believed. */
import type { Bytes } from "./bytes";
import { keyId, p256, verify } from "./jws";
import { IntegrityError } from "./outcome";
import { POLICY, type Policy } from "./policy";
import { POLICY_TYPE } from "./records";

/**
 * Check a policy's JWS against the institution's key and that key against `pin` (its id as known from elsewhere).
 * Throws `unknown-key`, `bad-signature`, `bad-format` or `wrong-policy` (it contradicts itself).
 */
export async function openPolicy(token: string, institutionKey: Bytes, pin: string | null): Promise<Policy> {
  const key = await p256(institutionKey);
  if (pin !== null && key.id !== pin) {
    throw new IntegrityError("unknown-key", "the institution's key is not the one that was pinned");
  }
  const policy = await verify(POLICY, token, key, POLICY_TYPE);
  await checkConsistency(policy);
  return policy;
}

async function checkConsistency(policy: Policy): Promise<void> {
  if (policy.expires_ms <= policy.issued_ms) {
    throw new IntegrityError("wrong-policy", "the policy expires before it was issued");
  }
  if (new Set(policy.recipients.map((recipient) => recipient.id)).size !== policy.recipients.length) {
    throw new IntegrityError("wrong-policy", "a recipient stands in the policy twice");
  }
  for (const recipient of policy.recipients) {
    await p256(recipient.key);
    if ((await keyId(recipient.key)) !== recipient.id) {
      throw new IntegrityError("wrong-policy", `the id of recipient '${recipient.name}' is not its key's`);
    }
  }
}
