/** How well the candidate's computer was locked, from the journal: the tier and what it means, what held, what did not. */
import type { Json } from "../contract/canonical";
import type { JournalEntry } from "../contract/journal";
import { h } from "./dom";
import { sentence } from "./words";

/** What each tier means; the words of `app/contract/tiers.py`. */
export const TIER_MEANING: Readonly<Record<string, string>> = {
  A: "This computer was prepared for exams: its session shows the exam and runs nothing else.",
  B: "On this desktop the exam holds the screen and the keyboard, and sees which other programs come forward.",
  C: "This desktop lets the exam hold little: what it can't prevent or see is named and left to the recording.",
};

/** One word of the application on how it was locked, valid until the next. `missing` pairs a capability with the reason. */
export interface Locked {
  readonly tier: string;
  readonly platform: string;
  readonly holding: readonly string[];
  readonly missing: readonly (readonly [string, string])[];
  readonly doubts: readonly string[];
}

/** Return every word on it in order of time; a body's fields are the candidate's computer's and may be anything. */
export function lockedOf(journal: readonly JournalEntry[]): readonly Locked[] {
  return journal.filter((entry) => entry.type === "lockdown").map(({ body }) => ({
    tier: String(body["tier"] ?? "?"),
    platform: String(body["platform"] ?? "unknown"),
    holding: texts(body["holding"]),
    missing: pairs(body["missing"]),
    doubts: texts(body["doubts"]),
  }));
}

export function locked(journal: readonly JournalEntry[]): HTMLElement {
  const words = lockedOf(journal);
  const last = words.at(-1);
  const section = h("section", { class: "particulars" }, h("h2", null, "How the computer was locked"));
  if (last === undefined) {
    section.append(h("p", { class: "quiet" }, "The journal does not say."));
    return section;
  }
  const tiers = [...new Set(words.map((word) => word.tier))];
  section.append(
    h("p", null, h("strong", null, `Tier ${last.tier}`), ` ${TIER_MEANING[last.tier] ?? "This console does not know this tier."}`),
    ...(tiers.length > 1 ? [h("p", { class: "problem" }, `It changed: ${tiers.join(", then ")}. The journal says when.`)] : []),
    ...last.doubts.map((doubt) => h("p", { class: "problem" }, `Not taken for a testing centre's seat: ${doubt}`)),
    h("dl", null, ...rows(last).flatMap(([term, text]) => [h("dt", null, term), h("dd", null, text)])),
  );
  return section;
}

function rows(last: Locked): readonly (readonly [string, string])[] {
  const held = last.holding.length === 0 ? "nothing" : last.holding.map(sentence).join(", ");
  return [
    ["System", last.platform],
    ["Held", held],
    ...last.missing.map(([name, reason]) => [`Missing: ${sentence(name).toLowerCase()}`, reason] as const),
  ];
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map((item: Json) => String(item)) : [];
}

function pairs(value: Json | undefined): readonly (readonly [string, string])[] {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject ? Object.entries(value).map(([name, reason]) => [name, String(reason)] as const) : [];
}
