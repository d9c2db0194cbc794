/** What is known about a session and who vouches for it, as a list of terms. */
import type { SessionDetail } from "../api";
import { keyId } from "../contract/jws";
import type { Evidence } from "../session/evidence";
import { h } from "./dom";
import { count, dateTime, duration, size } from "./format";
import { stateWord } from "./words";

export async function particulars(session: SessionDetail, evidence: Evidence): Promise<HTMLElement> {
  const { policy, bindings } = evidence.statements;
  const tracks = [...evidence.statements.segments()].map(([track, number]) => `${track} ${number}`).join(", ");
  const institutionKey = await keyId(evidence.manifest.institution_key);
  const rows: readonly (readonly [string, string])[] = [
    ["Candidate", bindings[0]?.candidate ?? `${session.candidate} (not signed)`],
    ["Exam", `${session.title} (${session.exam})`],
    ["State", stateWord(session.state)],
    ["Started", dateTime(session.started_ms)],
    ["Last seen", dateTime(session.last_seen_ms)],
    ["Recorded", duration(evidence.endMs())],
    ["Segments", tracks === "" ? "none" : tracks],
    ["Stored", size(session.bytes)],
    ["Program starts", String(bindings.length)],
    ["Closed", session.complete ? "Signed end, all parts stored" : session.ended ? "Signed end, parts missing" : "No signed end"],
    ["Institution", policy?.institution ?? "unknown"],
    ["Institution's key", institutionKey],
    ["Policy", policy === null ? "not readable" : `issued ${dateTime(policy.issued_ms)}`],
    ["Sealed to", policy?.recipients.map((recipient) => recipient.name).join(", ") ?? "unknown"],
    ["Kept for", policy === null ? "unknown" : count(policy.retention.days, "day")],
    ["Session", session.session],
  ];
  return h(
    "div",
    { class: "particulars" },
    h("dl", null, ...rows.flatMap(([term, text]) => [h("dt", null, term), h("dd", null, text)])),
    h(
      "p",
      { class: "quiet" },
      "The policy vouches for everything else. Compare the institution's key with the one that your institution published: ",
      "without that, the evidence is only consistent with itself.",
    ),
  );
}
