/** The list of sessions, newest first, renewed while it is shown. */
import * as api from "../api";
import type { Screen, Shell } from "../app";
import { ago, count, dateTime, duration, size } from "../view/format";
import { fill, h } from "../view/dom";
import { stateWord } from "../view/words";
import { lastVerdict } from "../session/verdicts";

const RENEW_MS = 10_000;
const COLUMNS = ["Candidate", "Exam", "State", "Started", "Duration", "Last seen", "Server saw", "Recording", "Verdict"];

export async function sessionsScreen(shell: Shell): Promise<Screen> {
  const filter = h("input", { type: "search", placeholder: "Candidate or exam", "aria-label": "Filter by candidate or exam" });
  const total = h("span", { class: "quiet" });
  const body = h("tbody");
  let rows = await api.sessions();

  const draw = (): void => {
    const wanted = filter.value.trim().toLowerCase();
    const shown = rows.filter((row) => `${row.candidate} ${row.title} ${row.exam}`.toLowerCase().includes(wanted));
    total.textContent = count(shown.length, "session");
    fill(body, ...shown.map(line));
    if (shown.length === 0) fill(body, h("tr", null, h("td", { colspan: COLUMNS.length, class: "empty" }, emptyWord(rows))));
  };
  const renew = async (): Promise<void> => {
    if (document.hidden) return;
    rows = await api.sessions();
    draw();
  };

  filter.addEventListener("input", draw);
  draw();
  const timer = window.setInterval(() => void renew().catch((error: unknown) => shell.fail(error)), RENEW_MS);
  const head = h("tr", null, ...COLUMNS.map((column) => h("th", { scope: "col" }, column)));
  const table = h("table", { class: "sessions" }, h("thead", null, head), body);
  const element = h(
    "div",
    { class: "page" },
    h("div", { class: "heading" }, h("h1", null, "Sessions"), total, h("span", { class: "grow" }), filter),
    h("div", { class: "card scroll" }, table),
  );
  return { element, title: "Sessions", close: () => window.clearInterval(timer) };
}

function emptyWord(rows: readonly api.SessionRow[]): string {
  return rows.length === 0 ? "No session yet. It appears here when a candidate opens an exam link." : "Nothing matches.";
}

function line(row: api.SessionRow): HTMLElement {
  const open = (): void => void (location.hash = `#/sessions/${row.session}`);
  const link = h("a", { href: `#/sessions/${row.session}` }, row.candidate);
  const started = row.started_ms === null ? null : row.started_ms;
  const length = started !== null && row.last_seen_ms !== null ? duration(row.last_seen_ms - started) : "–";
  return h(
    "tr",
    { onclick: (event: MouseEvent) => event.target instanceof HTMLAnchorElement || open() },
    h("th", { scope: "row" }, link),
    h("td", null, row.title),
    h("td", null, stateChip(row)),
    h("td", null, dateTime(started)),
    h("td", null, length),
    h("td", null, ago(row.last_seen_ms)),
    h("td", null, row.incidents === 0 ? "–" : h("span", { class: "chip notice" }, count(row.incidents, "incident"))),
    h("td", null, row.segments === 0 ? "–" : size(row.bytes)),
    h("td", null, verdictChip(row)),
  );
}

function stateChip(row: api.SessionRow): HTMLElement {
  if (row.frozen) return h("span", { class: "chip notice" }, "Frozen");
  const live = row.state === "running" && !row.ended;
  return h("span", { class: live ? "chip live" : "chip" }, stateWord(row.state));
}

/** What this page has found since it was opened; the server's word alone is no verdict. */
function verdictChip(row: api.SessionRow): HTMLElement {
  const verdict = lastVerdict(row.session);
  if (verdict !== null) return h("span", { class: `chip ${verdict.good ? "good" : "bad"}` }, verdict.word);
  const word = row.complete ? "Complete, not checked yet" : row.ended ? "Parts not sent yet" : "Not checked yet";
  return h("span", { class: "quiet" }, word);
}
