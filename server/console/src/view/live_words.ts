/** What the live page says of a picture, and of the connection. Pure: clocks come from outside. */
import { Refused } from "../api";
import { IntegrityError } from "../contract/outcome";
import type { Attendance } from "../session/live_attendance";
import type { Standing } from "../session/live_feed";
import { NotShown } from "../session/live_lane";
import { SEATS } from "../session/live_seats";
import { clock, duration } from "./format";
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
  if (progressMs === null) return { kind: "waiting", text: "Waiting for the first picture" };
  if (momentMs === null) return { kind: "waiting", text: "Waiting for the picture" };
  const age = utcMs - momentMs;
  if (age > OLD_MS) return { kind: "doubtful", text: `${duration(age)} old by the candidate's clock` };
  if (age < -AHEAD_MS) return { kind: "doubtful", text: `Candidate's clock ${duration(-age)} ahead` };
  return { kind: "live", text: `Live · ${Math.max(0, Math.round(age / 1000))} s behind` };
}

const ORDER: readonly LiveKind[] = ["live", "doubtful", "waiting", "silent"];

/** A picture by its name. */
export interface Named extends LiveWord {
  readonly name: "Camera" | "Screen";
}

/** What stands for the whole page; `of` names the picture where it speaks of one alone. */
export interface PageWord extends LiveWord {
  readonly of: string;
}

/** Of two pictures, the word of the one that stands worst, by its name where the other stands otherwise. */
export function pageWord(words: readonly Named[]): PageWord {
  const worst = words.reduce<Named | null>((found, word) => (found === null || rank(word) > rank(found) ? word : found), null);
  if (worst === null) return { kind: "waiting", text: "No picture is recorded", of: "" };
  const { kind, text, name } = worst;
  if (words.every((word) => word.kind === kind)) return { kind, text, of: "" };
  return { kind, text: `${name}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`, of: `${name}: ` };
}

function rank({ kind }: LiveWord): number {
  return ORDER.indexOf(kind);
}

/** What is said of sound that is recorded and does not come; `sinceMs` is since when. */
export function soundWord(sinceMs: number | null, { nowMs }: Clocks): string {
  return sinceMs !== null && nowMs - sinceMs > SILENT_MS ? "No sound comes" : "";
}

/** What a page speaks, which changes seldom: no numbers. */
export function spokenWord({ kind, of }: PageWord, sound: string): string {
  return `${of}${SPOKEN[kind]}${sound && ` ${sound}.`}`;
}

const SPOKEN: Readonly<Record<LiveKind, string>> = {
  live: "The picture is live.",
  doubtful: "The picture may be old, or something of it is left out.",
  waiting: "Waiting for the picture.",
  silent: "No picture comes.",
};

/** The page's word while something of the session is not shown. */
export function inPart(word: PageWord): PageWord {
  return word.kind === "live" ? { ...word, kind: "doubtful", text: word.text.replace("Live", "Live in part") } : word;
}

/** What is not shown and why: one sentence where one thing is wrong with both. */
export function faultWord(camera: unknown, microphone: unknown): string {
  const [picture, sound] = [reason(camera), reason(microphone)];
  if (picture !== "" && picture === sound) return `Picture and sound are left out. ${picture}`;
  return [picture && `Not shown. ${picture}`, sound && `Sound is left out. ${sound}`].filter((word) => word !== "").join(" ");
}

function reason(error: unknown): string {
  if (error === undefined) return "";
  if (error instanceof NotShown) return error.message;
  return error instanceof IntegrityError ? OUTCOME_MEANING[error.outcome] : explain(error);
}

/** What a doubtful age means; nothing else says more than its own words. */
export const DOUBT =
  "The clocks of the two computers differ, or the server held the picture back: live view can't tell one from the other.";

/** When a page that was left alone did not watch, in UTC; it ends with the next connection. */
export interface Absence {
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** What is known of a page's absence when its connection has come to `state`. */
export function absenceAfter(known: Absence | null, state: Attendance, utcMs: number): Absence | null {
  const goesOn = known !== null && known.toMs === null;
  if (state === "away") return goesOn ? known : { fromMs: utcMs, toMs: null };
  return goesOn && state === "connected" ? { ...known, toMs: utcMs } : known;
}

/** What to say of the connection; empty while it is as it should be and always was. */
export function linkWord(state: Attendance, why: unknown, absence: Absence | null = null): string {
  if (state === "connecting") return "Connecting…";
  if (state === "connected") return absenceWord(absence);
  if (state !== "cut") return "";
  if (why instanceof Refused && why.code === "E-BUSY") return "The server lets nobody else watch just now. This page goes on trying.";
  if (why instanceof Refused && why.status !== 0) return `${explain(why)} This page goes on trying.`;
  return "The connection was cut. This page makes it again in a few seconds.";
}

/** What was not watched stays said: an examiner must not take it for seen. */
function absenceWord(absence: Absence | null): string {
  if (absence === null || absence.toMs === null) return "";
  return `Not watched from ${clock(absence.fromMs)} to ${clock(absence.toMs)}: this page was hidden.`;
}

/** What a page says that has no seat (session/live_seats.ts), and what to do. */
export const FULL = {
  title: `${SEATS} other live pages are open in this browser`,
  why: "More at a time would leave too few connections for the rest of the console. Close one of them, and this page begins by itself.",
  lasting: "To watch more at a time, use another browser, or ask whoever runs the server to let its proxy speak HTTP/2.",
} as const;
