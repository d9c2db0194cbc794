/** What the institution granted one candidate, as `app/contract/agreement.py` and `sealing/agreements.py`. */
import type { Bytes } from "./bytes";
import { p256, verify } from "./jws";
import { IntegrityError } from "./outcome";
import { int, list, object, oneOf, type Read, text, withDefault } from "./reader";

export const AGREEMENT_TYPE = "fairlock-agreement+v1";

const ALLOWANCE = oneOf(
  "screen_reader",
  "magnifier",
  "input_method",
  "accessibility_keys",
  "assistive_input",
  "reading_aloud",
  "no_camera_judgement",
  "breaks",
);

export const AGREEMENT = object({
  version: int({ min: 1, max: 1 }),
  exam: text({ min: 1, max: 64 }),
  candidate: text({ min: 1, max: 200 }),
  allowances: withDefault(list(ALLOWANCE, { max: 8 }), () => []),
  extra_time_permille: withDefault(int({ min: 0, max: 4_000 }), () => 0),
  breaks_s: withDefault(int({ min: 0, max: 28_800 }), () => 0),
  issued_ms: int({ min: 0 }),
  expires_ms: int({ min: 0 }),
});

export type Agreement = Read<typeof AGREEMENT>;

/** Check an agreement's JWS: signed by the key that signed the policy, for this exam and candidate; throws otherwise. */
export async function openAgreement(token: string, institutionKey: Bytes, exam: string, candidate: string): Promise<Agreement> {
  const agreement = await verify(AGREEMENT, token, await p256(institutionKey), AGREEMENT_TYPE);
  if (agreement.exam !== exam || agreement.candidate !== candidate) {
    throw new IntegrityError("wrong-policy", "the agreement is another candidate's or another exam's");
  }
  return agreement;
}
