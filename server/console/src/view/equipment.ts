/** What the session was recorded with, from the journal: devices or sample footage, versions, models. */
import type { JournalEntry } from "../contract/journal";
import { h } from "./dom";
import { factValue, sentence } from "./words";

/** What one track was recorded from; `sample` says that no device was behind it. */
export interface Source {
  readonly track: string;
  readonly name: string;
  readonly sample: boolean;
}

/** Return the last word on each track's source. */
export function sourcesOf(journal: readonly JournalEntry[]): readonly Source[] {
  const byTrack = new Map<string, Source>();
  for (const { type, body } of journal) {
    if (type !== "source") continue;
    const [track, name] = [String(body["track"]), String(body["name"] ?? "unnamed")];
    byTrack.set(track, { track, name, sample: body["origin"] === "sample" });
  }
  return [...byTrack.values()];
}

export function equipment(journal: readonly JournalEntry[]): HTMLElement {
  const sources = sourcesOf(journal).map(({ track, name, sample }) => {
    return [sentence(track), sample ? `${name} (sample footage, no real device)` : name] as const;
  });
  const notes = journal
    .filter((entry) => entry.type === "note")
    .flatMap((entry) => Object.entries(entry.body))
    .filter(([key]) => key === "fairlock" || key === "system" || key.startsWith("model_"))
    .map(([key, value]) => [sentence(key.replace(/^model_/, "model for ")), factValue(key, value)] as const);
  const rows = [...sources, ...new Map(notes)];
  return h(
    "section",
    { class: "particulars" },
    h("h2", null, "Recorded with"),
    rows.length === 0
      ? h("p", { class: "quiet" }, "The journal does not say.")
      : h("dl", null, ...rows.flatMap(([term, text]) => [h("dt", null, term), h("dd", null, text)])),
  );
}
