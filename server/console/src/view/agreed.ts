/** What was granted to the candidate, in words: believed only with the institution's signature. */
import { type Agreement, openAgreement } from "../contract/agreements";
import type { JournalEntry } from "../contract/journal";
import { IntegrityError } from "../contract/outcome";
import type { Evidence } from "../session/evidence";
import { h } from "./dom";

const WORDS: Readonly<Record<Agreement["allowances"][number], string>> = {
  screen_reader: "screen reader",
  magnifier: "magnifier",
  input_method: "input method",
  accessibility_keys: "accessibility keys",
  assistive_input: "assistive input",
  reading_aloud: "speaking aloud",
  no_camera_judgement: "need not face the camera",
  breaks: "breaks",
};

/** Return a line on what the journal says was granted, or `null` where it says nothing. */
export async function agreed(journal: readonly JournalEntry[], evidence: Evidence): Promise<HTMLElement | null> {
  const tokens = journal.filter((entry) => entry.type === "agreement").map((entry) => String(entry.body["jws"] ?? ""));
  if (tokens.length === 0) return null;
  const { policy, bindings } = evidence.statements;
  const said = await Promise.all(
    [...new Set(tokens)].map(async (token) => {
      try {
        const key = evidence.manifest.institution_key;
        return describe(await openAgreement(token, key, policy?.exam ?? "", bindings[0]?.candidate ?? ""));
      } catch (error) {
        if (!(error instanceof IntegrityError)) throw error;
        return `not genuine: ${error.message}`;
      }
    }),
  );
  return h("p", { class: "agreed" }, h("strong", null, "By agreement: "), said.join("; "));
}

/** Return what is granted in short words. */
export function describe(agreement: Agreement): string {
  const words = agreement.allowances.map((allowance) =>
    allowance === "breaks" ? `breaks of ${Math.ceil(agreement.breaks_s / 60)} minutes in all` : WORDS[allowance],
  );
  if (agreement.extra_time_permille > 0) words.push(`${agreement.extra_time_permille / 10} % more time`);
  return words.join(", ");
}
