/** What this page found about sessions since it was opened: for the list. Never stored. */
import type { Standing } from "./evidence";

export interface ShortVerdict {
  readonly good: boolean;
  readonly word: string;
}

const found = new Map<string, ShortVerdict>();

export function lastVerdict(session: string): ShortVerdict | null {
  return found.get(session) ?? null;
}

/** Return the short form of a standing and remember it. */
export function noteVerdict(session: string, standing: Standing): ShortVerdict {
  const verdict = shorten(standing);
  found.set(session, verdict);
  return verdict;
}

export function shorten({ faults, checked, total }: Standing): ShortVerdict {
  const [first] = faults;
  if (first !== undefined) return { good: false, word: `Fault: ${first.outcome}` };
  if (checked === total) return { good: true, word: "Intact" };
  return { good: true, word: `Signatures intact, ${checked} of ${total} files checked` };
}
