/** The chain's verdict: a chip for the heading, and a red banner that says what each fault means. */
import type { Fault } from "../contract/faults";
import type { Outcome } from "../contract/outcome";
import type { Standing } from "../session/evidence";
import { type ShortVerdict } from "../session/verdicts";
import { fill, h } from "./dom";
import { count } from "./format";
import { OUTCOME_MEANING } from "./words";

const SHOWN = 50;

export function drawChip(chip: HTMLElement, verdict: ShortVerdict): void {
  chip.className = `chip ${verdict.good ? "good" : "bad"}`;
  chip.textContent = verdict.word;
}

/** Fill the banner, or hide it where there is no fault. */
export function drawBanner(banner: HTMLElement, standing: Standing): void {
  banner.hidden = standing.faults.length === 0;
  if (banner.dataset["count"] === String(standing.faults.length)) return;
  banner.dataset["count"] = String(standing.faults.length);
  const [first] = standing.faults;
  if (first === undefined) return;
  const groups = new Map<Outcome, Fault[]>();
  for (const fault of standing.faults) groups.set(fault.outcome, [...(groups.get(fault.outcome) ?? []), fault]);
  const lines = [...groups].map(([outcome, faults]) =>
    h("li", null, h("code", null, outcome), ` ${OUTCOME_MEANING[outcome]} `, h("span", { class: "quiet" }, where(faults))),
  );
  const list = standing.faults.slice(0, SHOWN).map((fault) =>
    h("li", null, h("code", null, fault.outcome), ` ${fault.where}: ${fault.message}`),
  );
  const rest = standing.faults.length - SHOWN;
  fill(
    banner,
    h("strong", null, `This evidence does not hold: ${first.outcome}`),
    h("ul", null, ...lines),
    h("p", null, "Files with a fault are not played. Ask for the cause before you judge anybody by this recording."),
    h(
      "details",
      null,
      h("summary", null, `${count(standing.faults.length, "fault")} in detail`),
      h("ul", null, ...list, rest > 0 && h("li", null, `and ${rest} more`)),
    ),
  );
}

function where(faults: readonly Fault[]): string {
  const places = [...new Set(faults.map((fault) => fault.where))];
  return places.length <= 3 ? `(${places.join(", ")})` : `(${places.length} places)`;
}
