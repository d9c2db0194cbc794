/** What a verifier says about evidence: the same words as `app/contract/errors.py`. */
export const OUTCOMES = [
  "ok",
  "bad-format",
  "unknown-suite",
  "bad-signature",
  "unknown-key",
  "wrong-policy",
  "broken-chain",
  "digest-mismatch",
  "record-mismatch",
  "wrong-recipient",
  "bad-wrap",
  "bad-commitment",
  "bad-fragment",
  "truncated",
  "missing",
  "bad-receipt",
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Evidence or a signature is not what it claims to be; `outcome` names the class of the fault. */
export class IntegrityError extends Error {
  override readonly name = "IntegrityError";

  constructor(
    readonly outcome: Outcome,
    message: string,
  ) {
    super(message);
  }
}
