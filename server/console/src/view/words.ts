/** The console's words: what codes, outcomes and kinds mean to an examiner. The server sends codes; the words live here. */
import { Refused } from "../api";
import { WrongPassphrase } from "../contract/keys";
import { IntegrityError, type Outcome } from "../contract/outcome";

/** What each outcome means, as a sentence that says what it does and does not show. */
export const OUTCOME_MEANING: Readonly<Record<Outcome, string>> = {
  ok: "Everything that was checked is as it was signed.",
  "bad-format": "A part of the evidence does not have the form it must have. It was damaged or made by another program.",
  "unknown-suite": "A segment was sealed with a method that this console does not know.",
  "bad-signature": "A signature does not fit what it signs: the text was changed after it was signed.",
  "unknown-key": "A statement was signed with a key that nothing vouches for.",
  "wrong-policy": "The evidence belongs to another policy than the one that comes with it.",
  "broken-chain": "The records do not follow one another: something was taken out, put in or moved.",
  "digest-mismatch": "A stored file is not the file that the application recorded: it was changed or exchanged.",
  "record-mismatch": "A file says something else about itself than its signed record does.",
  "wrong-recipient": "A segment is not sealed to exactly the people the policy names, or not to this key.",
  "bad-wrap": "The key of a segment does not open: its header or the wrapped key was changed.",
  "bad-commitment": "A segment's key is not the one the application committed to.",
  "bad-fragment": "A piece of the recording was changed, moved or exchanged.",
  truncated: "A recording stops before its signed end.",
  missing: "Something that is spoken of is not stored here.",
  "bad-receipt": "A receipt of the server does not fit what it speaks of.",
};

const REFUSALS: Readonly<Record<string, string>> = {
  "E-OFFLINE": "The server does not answer. Check the network, then try again.",
  "E-NOT-SIGNED-IN": "You are signed out. Sign in again.",
  "E-NOT-ALLOWED": "Your account may not do this.",
  "E-SESSION-UNKNOWN": "There is no such session on this server.",
  "E-STORAGE": "The server cannot read its storage just now. Try again in a moment.",
  "E-CONFLICT": "This does not go with what the server has stored already. Load the page again to see what that is.",
  "E-RECORD": "The server checked this against the session and did not take it. Load the page again and repeat it.",
  "E-FORMAT": "The server does not read what this page sent: the two may be of different versions. Load the page again.",
};

/** Return a sentence for anything that went wrong. */
export function explain(error: unknown): string {
  if (error instanceof WrongPassphrase) return "This passphrase does not open the key. Check it and try again.";
  if (error instanceof IntegrityError) return `${OUTCOME_MEANING[error.outcome]} (${error.message})`;
  if (!(error instanceof Refused)) return `Something in this page went wrong: ${String(error)}`;
  if (error.code === "E-BUSY") {
    return error.retryAfter === null
      ? "The server is busy. Try again in a moment."
      : `Too many attempts. Try again in ${error.retryAfter} seconds.`;
  }
  const sentence = REFUSALS[error.code];
  if (sentence === undefined) {
    return `The server refused (${error.code}, status ${error.status}). Try again; if it stays so, tell its operator this code.`;
  }
  return IN_ITS_WORDS.has(error.code) && error.detail !== "" ? `${sentence} It says: ${error.detail}.` : sentence;
}

/** Refusals of which the server knows more than its code says. */
const IN_ITS_WORDS: ReadonlySet<string> = new Set(["E-CONFLICT", "E-RECORD", "E-FORMAT"]);

export type Severity = "info" | "notice" | "alert";

export const SEVERITY_WORD: Readonly<Record<Severity, string>> = { info: "Info", notice: "Notice", alert: "Alert" };

/** Titles of what only the server sees; the journal's incidents bring their own. */
const SERVER_TITLES: Readonly<Record<string, readonly [string, Severity]>> = {
  frozen: ["Exam frozen", "notice"],
  thawed: ["Exam released", "info"],
  second_program: ["A second program tried to join", "alert"],
  conflicting_segment: ["Evidence was sent twice with different content", "alert"],
  segment_lost: ["A stored piece of evidence is missing", "alert"],
  quota_reached: ["The server took no more evidence: its quota was used up", "alert"],
  server_unreachable: ["Application not heard", "info"],
  server_back: ["Application heard again", "info"],
};

/** Return title and severity of an incident that the server saw. */
export function serverIncident(kind: string): readonly [string, Severity] {
  return SERVER_TITLES[kind] ?? [sentence(kind), "notice"];
}

const STATES: Readonly<Record<string, string>> = {
  idle: "Not started",
  recovering: "Recovering",
  joining: "Joining",
  notice: "Reading the notice",
  checking: "Checking the system",
  identifying: "Identifying",
  locking: "Locking",
  running: "Running",
  paused: "Paused",
  unlocking: "Unlocking",
  flushing: "Sending the rest",
  ended: "Ended",
};

/** Return a session state's word. */
export function stateWord(state: string): string {
  return STATES[state] ?? sentence(state);
}

/** Return `some_key_ms` as `Some key`. */
export function sentence(key: string): string {
  const words = key.replace(/_(ms|permille|s)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Return a name from a table, as `open_link`, in plain words; other texts stay as they are. */
export function plain(text: string): string {
  return /^[a-z]+(_[a-z]+)+$/.test(text) ? text.replaceAll("_", " ") : text;
}

/** Return one fact's value as text: units by the key's ending. */
export function factValue(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((one) => plain(factValue(key, one))).join(", ");
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  if (key.endsWith("_permille")) return `${(Number(text) / 10).toFixed(0)} %`;
  if (key.endsWith("_ms")) return `${(Number(text) / 1000).toFixed(1)} s`;
  if (value === true || text === "true") return "yes";
  if (value === false || text === "false") return "no";
  return text;
}
