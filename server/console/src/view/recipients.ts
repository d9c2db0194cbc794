/** Who may open a recording: the people its policy names, and those who were added later, with what is said of each. */
import type { GrantChecker, GrantFinding } from "../contract/grant_check";
import type { OpenedGrant } from "../contract/grants";
import type { Evidence } from "../session/evidence";
import { h } from "./dom";
import { count, dateTime } from "./format";
import { thumbprint } from "./public_key";
import { OUTCOME_MEANING } from "./words";

export function recipientList(evidence: Evidence): HTMLElement {
  const named = evidence.statements.policy?.recipients ?? [];
  return h(
    "ul",
    { class: "recipients" },
    ...named.map(({ name }) => h("li", null, h("strong", null, name), h("span", { class: "quiet" }, " named in the policy"))),
    ...evidence.grants.findings().map((finding) => line(finding, evidence.grants)),
  );
}

/** Return why a finding names nobody. What the server did not hand out may well be genuine. */
export function unnamed({ outcome, where, message }: Pick<GrantFinding, "outcome" | "where" | "message">): string {
  if (outcome === "missing") {
    return "Whether somebody was added later is not known: the server did not hand it out just now. Load this page again in a moment.";
  }
  return `Not genuine, and ignored: ${outcome}, ${where}: ${message}. ${OUTCOME_MEANING[outcome]}`;
}

/** Return who added somebody, when, and for how much of what there was when the grants were checked. */
export function added({ grant, granter, wraps }: OpenedGrant, { total }: GrantChecker): string {
  return `added by ${granter.name}, ${dateTime(grant.granted_ms)} by that computer's clock, for ${wraps.size} of ${count(total, "segment")}`;
}

function line(finding: GrantFinding, checker: GrantChecker): HTMLElement {
  const { outcome, message, opened } = finding;
  if (opened === null) return h("li", { class: "problem" }, unnamed(finding));
  const { grant } = opened;
  return h(
    "li",
    null,
    h("strong", null, grant.recipient.name),
    h("span", { class: "quiet" }, ` ${added(opened, checker)}. Key `, h("code", null, thumbprint(grant.recipient.id))),
    outcome !== "ok" && h("p", { class: "problem" }, "Not all of it opens: ", h("code", null, outcome), ` ${message}`),
  );
}
