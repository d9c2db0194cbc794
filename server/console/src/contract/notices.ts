/**
 * Which notice the candidate acknowledged, as `app/noticed.py`: the application's words, like all of the journal. What
 * is checked is that digest, words and policy belong together.
 */
import { sha256, utf8 } from "./bytes";
import type { JournalEntry } from "./journal";

/** What was acknowledged. `sha256` (hex) is of `text`; `fits`: so the journal says, and under this policy. */
export interface Notice {
  readonly text: string;
  readonly sha256: string;
  readonly fits: boolean;
}

/** What is said of a notice that does not fit; the very words of `app/noticed.py`. */
export const UNFIT = "(NOT what the journal says of it, or under another policy)";

/** Read a `notice` entry's body; `policyDigest` is SHA-256 of the session's policy JWS. */
export async function readNotice(body: JournalEntry["body"], policyDigest: Uint8Array): Promise<Notice> {
  const said = body["text"];
  const text = typeof said === "string" ? said : "";
  const digest = hex(await sha256(utf8(text)));
  const fits = text === said && body["sha256"] === digest && body["policy"] === hex(policyDigest);
  return { text, sha256: digest, fits };
}

/** Return what is read of each of a journal's notices. */
export async function noticesOf(
  journal: readonly JournalEntry[],
  policyDigest: Uint8Array,
): Promise<ReadonlyMap<JournalEntry, Notice>> {
  const entries = journal.filter((entry) => entry.type === "notice");
  return new Map(await Promise.all(entries.map(async (entry) => [entry, await readNotice(entry.body, policyDigest)] as const)));
}

function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
