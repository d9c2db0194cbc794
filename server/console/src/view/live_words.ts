/** What the live page says of a picture, and of the connection. Pure: clocks come from outside. */
import { Refused } from "../api";
import { IntegrityError } from "../contract/outcome";
import type { Standing } from "../session/live_feed";
import type { LinkState } from "../session/live_link";
import { duration } from "./format";
import { explain, OUTCOME_MEANING } from "./words";

/** Longer without anything new is no longer live: segments' fragments take a second, and the network its time. */
const SILENT_MS = 5_000;
/** A greater age, or one before its time, may as well be a wrong clock: it is said as what it is. */
const OLD_MS = 15_000;
const AHEAD_MS = 3_000;

export type LiveKind = "waiting" | "live" | "doubtful" | "silent";

export interface LiveWord {
  readonly kind: LiveKind;
  readonly text: string;
}

/** The clocks at one moment: performance.now() and UTC, of this page. */
export interface Clocks {
  readonly nowMs: number;
  readonly utcMs: number;
}

export function pictureWord({ momentMs, progressMs }: Standing, { nowMs, utcMs }: Clocks): LiveWord {
  if (progressMs !== null && nowMs - progressMs > SILENT_MS) {
    return { kind: "silent", text: `No picture for ${duration(nowMs - progressMs)}` };
  }
  if (progressMs === null || momentMs === null) return { kind: "waiting", text: "Waiting for the first picture" };
  const age = utcMs - momentMs;
  if (age > OLD_MS) return { kind: "doubtful", text: `${duration(age)} old by the candidate's clock` };
  if (age < -AHEAD_MS) return { kind: "doubtful", text: `Candidate's clock ${duration(-age)} ahead` };
  return { kind: "live", text: `Live · ${Math.max(0, Math.round(age / 1000))} s behind` };
}

const ORDER: readonly LiveKind[] = ["live", "doubtful", "waiting", "silent"];

/** Of two pictures, the word that stands for both: as long as one of them is live, the page is. */
export function pageWord(words: readonly LiveWord[]): LiveWord {
  const sorted = [...words].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return sorted[0] ?? { kind: "waiting", text: "No picture is recorded" };
}

/** The page's word while something of the session is not shown. */
export function inPart(word: LiveWord): LiveWord {
  return word.kind === "live" ? { kind: "doubtful", text: word.text.replace("Live", "Live in part") } : word;
}

/** What is not shown and why: one sentence where one thing is wrong with both. */
export function faultWord(camera: unknown, microphone: unknown): string {
  const [picture, sound] = [reason(camera), reason(microphone)];
  if (picture !== "" && picture === sound) return `Picture and sound are left out. ${picture}`;
  return [picture && `Not shown. ${picture}`, sound && `Sound is left out. ${sound}`].filter((word) => word !== "").join(" ");
}

function reason(error: unknown): string {
  if (error === undefined) return "";
  return error instanceof IntegrityError ? OUTCOME_MEANING[error.outcome] : explain(error);
}

/** What a doubtful age means; nothing else says more than its own words. */
export const DOUBT =
  "The clocks of the two computers differ, or the server held the picture back: live view can't tell one from the other.";

/** What to say of the connection; empty while it is as it should be. */
export function linkWord(state: LinkState, why: unknown): string {
  if (state === "connecting") return "Connecting…";
  if (state !== "cut") return "";
  if (why instanceof Refused && why.code === "E-BUSY") return "The server lets nobody else watch just now. This page goes on trying.";
  if (why instanceof Refused && why.status !== 0) return `${explain(why)} This page goes on trying.`;
  return "The connection was cut. This page makes it again in a few seconds.";
}
