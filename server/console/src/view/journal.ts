/** The journal's other lines in plain words: states, sources, gaps, notes (which model ran, which camera was real). */
import type { Json } from "../contract/canonical";
import type { JournalEntry, Picture } from "../contract/journal";
import { type Notice, UNFIT } from "../contract/notices";
import { h } from "./dom";
import { clock, place } from "./format";
import { factValue, plain, sentence, stateWord } from "./words";

const TYPES: Readonly<Record<JournalEntry["type"], string>> = {
  incident: "Incident",
  gap: "Gap",
  state: "State",
  source: "Source",
  note: "Note",
  agreement: "Agreement",
  lockdown: "Lockdown",
  quality: "Picture quality",
  notice: "Notice",
};

export function journalList(
  entries: readonly JournalEntry[],
  jump: (seconds: number) => void,
  pictureOf: (id: string) => Picture | null,
  notices: ReadonlyMap<JournalEntry, Notice>,
): HTMLElement {
  const lines = entries.map((entry) => {
    const when = h(
      "button",
      { class: "when", type: "button", title: clock(entry.utc_ms), onclick: () => jump(entry.at_ms / 1000) },
      place(entry.at_ms),
    );
    const read = notices.get(entry);
    const said = read === undefined ? body(entry, pictureOf) : notice(read);
    return h("li", { class: `line ${entry.type}` }, when, h("span", { class: "kind" }, TYPES[entry.type]), said);
  });
  if (lines.length === 0) lines.push(h("li", { class: "empty" }, "The journal holds nothing else."));
  return h("ol", { class: "journal" }, ...lines);
}

function body(entry: JournalEntry, pictureOf: (id: string) => Picture | null): HTMLElement {
  const control = entry.body["control_picture"];
  if (typeof control === "string") return controlPicture(pictureOf(control));
  if (entry.type === "state" && typeof entry.body["state"] === "string") {
    const rest = told(entry).filter(([key]) => key !== "state");
    return h("span", null, h("strong", null, stateWord(entry.body["state"])), rest.length > 0 && ` · ${words(rest)}`);
  }
  if (entry.type === "gap") return h("span", null, gapWords(entry));
  const facts = told(entry);
  if (facts.length < 2) return h("span", null, words(facts));
  return h("dl", null, ...facts.flatMap(([key, value]) => [h("dt", null, sentence(key)), h("dd", null, said(key, value))]));
}

/** What an entry says that is for people. */
function told(entry: JournalEntry): readonly (readonly [string, Json])[] {
  return Object.entries(entry.body).filter(
    ([key, value]) => value !== null && value !== "" && key !== "utc_ms" && key !== "jws",
  );
}

/** A picture taken at a moment drawn by lot, so that a reviewer also sees how it looked when nothing was reported. */
function controlPicture(picture: Picture | null): HTMLElement {
  const words = "Control picture, taken at a moment drawn by lot";
  if (picture === null || picture.mime !== "image/jpeg") return h("span", null, `${words}; it is not among the evidence`);
  const url = URL.createObjectURL(new Blob([picture.image], { type: picture.mime }));
  const image = h("img", { src: url, alt: "Camera: control picture" });
  image.addEventListener("load", () => URL.revokeObjectURL(url));
  return h("span", { class: "control" }, words, image);
}

/** What the candidate read and acknowledged before anything was recorded, word for word. */
function notice({ text, sha256, fits }: Notice): HTMLElement {
  const lines = text.split("\n").map((line) => h("p", null, line));
  const digest = h("p", { class: "quiet" }, "SHA-256 of these words: ", h("code", null, sha256));
  const doubt = !fits && h("span", { class: "problem" }, ` ${UNFIT}`);
  return h("details", null, h("summary", null, "Read and acknowledged", doubt), ...lines, digest);
}

function gapWords({ body }: JournalEntry): string {
  const [from, to] = [Number(body["from_ms"]), Number(body["to_ms"])];
  const length = ((to - from) / 1000).toFixed(1);
  return `${sentence(String(body["track"]))}: nothing for ${length} s from ${place(from)} (${String(body["reason"])})`;
}

function words(fields: readonly (readonly [string, Json])[]): string {
  return fields.map(([key, value]) => pair(key, value)).join(" · ");
}

function pair(key: string, value: Json): string {
  if (key === "why" || key === "event") return plain(String(value));
  if (key === "text" || key === "message" || key === "reason") return String(value);
  return `${sentence(key)}: ${said(key, value)}`;
}

function said(key: string, value: Json): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return factValue(key, value);
  return Object.entries(value).map(([k, v]) => `${sentence(k).toLowerCase()} ${factValue(k, v)}`).join(", ");
}
