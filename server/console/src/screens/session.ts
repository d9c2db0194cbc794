/** One session: verdict, players, timeline, incidents, journal. Wires the parts; each of them is a module of its own. */
import * as api from "../api";
import type { Screen, Shell } from "../app";
import { digest } from "../contract/jws";
import type { RecipientKey } from "../contract/keys";
import { noticesOf } from "../contract/notices";
import { Evidence } from "../session/evidence";
import { FrameGrabber } from "../session/frames";
import { type Incident, Story } from "../session/story";
import { noteVerdict } from "../session/verdicts";
import { type Whose, whose } from "../session/whose";
import { fill, h } from "../view/dom";
import { equipment, sourcesOf } from "../view/equipment";
import { fillFocused } from "../view/focus";
import { dateTime } from "../view/format";
import { IncidentList } from "../view/incidents";
import { agreed } from "../view/agreed";
import { journalList } from "../view/journal";
import { lanesOf } from "../view/lanes";
import { locked } from "../view/locked";
import { particulars } from "../view/particulars";
import { Tabs } from "../view/tabs";
import { Timeline } from "../view/timeline";
import { drawBanner, drawChip } from "../view/verdict";
import { sentence, stateWord } from "../view/words";
import { Recipients } from "./adding";
import { Stage } from "./stage";
import { unlockForm } from "./unlock";

/** Where to look when an incident names no window: a little before it began. */
const LEAD_MS = 2_000;

export class SessionScreen implements Screen {
  readonly element = h("div", { class: "session" });
  readonly title: string;
  private readonly whose: Whose;
  private readonly chip = h("span", { class: "chip", id: "verdict", role: "status" });
  private readonly banner = h("div", { class: "banner", role: "alert", id: "faults", hidden: true });
  private readonly progress = h("progress", { class: "thin", hidden: true, "aria-label": "Checking files" });
  private readonly verifyButton: HTMLButtonElement;
  private readonly stage = h("section", { class: "stage", "aria-label": "Recording" });
  private readonly panels = { incidents: h("div"), journal: h("div"), evidence: h("div") };
  private readonly tabs: Tabs;
  private readonly recipients: Recipients;
  private readonly timeline = new Timeline(
    (seconds) => this.player?.playback.seek(seconds),
    (incident) => this.pick(incident),
  );
  private story = new Story();
  private incidents: readonly Incident[] = [];
  private list: IncidentList | null = null;
  private player: Stage | null = null;
  private checking: AbortController | null = null;
  private redrawn = false;
  private readonly onKey = (event: KeyboardEvent): void => this.player?.transport.onKey(event);

  static async open(shell: Shell, id: string): Promise<SessionScreen> {
    const [session, evidence] = await Promise.all([api.session(id), Evidence.load(id)]);
    const screen = new SessionScreen(shell, session, evidence);
    await screen.start();
    return screen;
  }

  private constructor(
    private readonly shell: Shell,
    private readonly session: api.SessionDetail,
    private readonly evidence: Evidence,
  ) {
    this.whose = whose(session, evidence.statements.bindings);
    this.title = this.whose.candidate;
    this.recipients = new Recipients(evidence);
    this.verifyButton = h("button", { type: "button", id: "verify-all", onclick: () => void this.verifyAll() }, "Verify all files");
    this.tabs = new Tabs([
      { id: "incidents", label: "Incidents", panel: this.panels.incidents },
      { id: "journal", label: "Journal", panel: this.panels.journal },
      { id: "evidence", label: "Evidence", panel: this.panels.evidence },
    ]);
    const side = h("aside", { class: "side card" }, this.tabs.element);
    const left = h("div", { class: "left" }, this.stage, h("div", { class: "card timebox" }, this.timeline.element, legend()));
    const doubt = this.whose.doubt !== "" && h("div", { class: "banner", role: "alert", id: "doubt" }, this.whose.doubt);
    fill(this.element, this.heading(), doubt, this.banner, h("div", { class: "columns" }, left, side));
    evidence.onChange(() => this.soon());
    document.addEventListener("keydown", this.onKey);
  }

  close(): void {
    document.removeEventListener("keydown", this.onKey);
    this.checking?.abort();
    this.player?.close();
    this.recipients.close();
    this.list?.close();
    this.evidence.close();
  }

  private heading(): HTMLElement {
    const { session } = this;
    const what = `${session.title} · ${dateTime(session.started_ms)}`;
    const exportLink = h("a", { class: "button", href: api.exportUrl(session.session), download: true }, "Export");
    return h(
      "div",
      { class: "heading" },
      h("a", { class: "back", href: "#/", "aria-label": "Back to the list of sessions" }, "‹"),
      h("h1", { title: this.whose.candidate }, this.whose.candidate),
      h("span", { class: "quiet", title: what }, what),
      h("span", { class: "chip" }, stateWord(session.state)),
      this.evidence.statements.policy?.demonstration === true && h("span", { class: "chip notice" }, "Demonstration"),
      this.chip,
      h("span", { class: "grow" }),
      this.progress,
      this.watchable() && h("a", { class: "button", href: `#/sessions/${session.session}/live` }, "Watch live"),
      !session.ended && h("button", { type: "button", onclick: () => this.shell.refresh() }, "Refresh"),
      this.verifyButton,
      exportLink,
    );
  }

  private watchable(): boolean {
    return !this.session.ended && this.evidence.statements.policy?.capture.live_view === true;
  }

  private async start(): Promise<void> {
    fill(this.panels.evidence, await particulars(this.session, this.evidence), this.recipients.element);
    this.showIncidents(null);
    fill(this.panels.journal, h("p", { class: "empty" }, "The journal is sealed. Unlock the recording to read it."));
    this.draw();
    if (this.shell.key !== null) await this.unlock(this.shell.key);
    else await this.askForKey();
  }

  private async askForKey(): Promise<void> {
    const mayOpen = (keyId: string): boolean | null => this.evidence.mayOpen(keyId);
    const form = unlockForm(await api.keys(), mayOpen, (key) => {
      this.shell.useKey(key);
      void this.unlock(key).catch((error: unknown) => this.shell.fail(error));
    });
    fill(this.stage, h("div", { class: "card sealed" }, form));
  }

  private async unlock(key: RecipientKey): Promise<void> {
    this.evidence.unlock(key);
    this.recipients.unlock(key);
    this.player = new Stage(this.evidence, (seconds) => this.timeline.setTime(seconds), (error) => this.shell.fail(error));
    fillFocused(this.stage, this.player.element);
    await Promise.all([this.player.open(), this.readStory()]);
  }

  private async readStory(): Promise<void> {
    const note = h("p", { class: "empty" }, "Opening the journal…");
    fill(this.panels.journal, note);
    this.story = new Story();
    await this.story.load(this.evidence, (done, total) => (note.textContent = `Opening the journal, ${done} of ${total} files…`));
    this.showIncidents(new FrameGrabber(this.evidence));
    const jump = (seconds: number): void => this.player?.playback.seek(seconds);
    const unreadable = this.story.unreadable.map((text) => h("p", { class: "problem" }, `A part can't be read: ${text}`));
    const journal = this.story.journal();
    const notices = await noticesOf(journal, await digest(this.evidence.manifest.policy));
    fill(this.panels.journal, ...unreadable, journalList(journal, jump, (id) => this.story.pictureOf(id), notices));
    const granted = await agreed(journal, this.evidence);
    this.panels.evidence.prepend(...(granted === null ? [] : [granted]), locked(journal), equipment(journal));
    for (const { track, sample } of sourcesOf(journal)) {
      if (sample && (track === "camera" || track === "screen")) {
        this.player?.label(track, `${sentence(track)}: sample footage`);
      }
    }
  }

  private showIncidents(frames: FrameGrabber | null): void {
    this.incidents = this.story.incidents(this.session.server_incidents);
    this.list?.close();
    this.list = new IncidentList((incident) => this.story.pictureOf(incident.id), frames, (incident) => this.pick(incident));
    const sealed = frames === null;
    this.list.show(this.incidents, sealed ? "The server saw nothing unusual." : "No incident was recorded.");
    const note = sealed && h("p", { class: "quiet note" }, "Only what the server saw. The rest is sealed.");
    fill(this.panels.incidents, note, this.list.element);
    this.tabs.label("incidents", sealed ? "Incidents" : `Incidents (${this.incidents.length})`);
    this.drawTimeline();
  }

  private pick(incident: Incident): void {
    this.tabs.select(0);
    this.list?.highlight(incident.id);
    this.player?.playback.seek((incident.window?.fromMs ?? Math.max(0, incident.startMs - LEAD_MS)) / 1000);
  }

  private async verifyAll(): Promise<void> {
    if (this.checking !== null) return this.checking.abort();
    this.checking = new AbortController();
    this.verifyButton.textContent = "Stop";
    this.progress.hidden = false;
    try {
      await this.evidence.checkAll(this.checking.signal);
    } catch (error) {
      this.shell.fail(error);
    } finally {
      this.checking = null;
      this.verifyButton.textContent = "Verify all files";
      this.progress.hidden = true;
      this.draw();
    }
  }

  /** Many files change at once; the page is drawn once for all of them. */
  private soon(): void {
    if (this.redrawn) return;
    this.redrawn = true;
    window.setTimeout(() => {
      this.redrawn = false;
      this.draw();
    }, 100);
  }

  private draw(): void {
    const standing = this.evidence.standing();
    drawChip(this.chip, noteVerdict(this.session.session, standing));
    drawBanner(this.banner, standing);
    this.recipients.draw();
    this.progress.max = Math.max(1, standing.total);
    this.progress.value = standing.checked;
    this.verifyButton.disabled = standing.checked === standing.total && !standing.retriable;
    this.drawTimeline();
  }

  private drawTimeline(): void {
    this.timeline.show(this.evidence.endMs(), lanesOf(this.evidence), this.incidents);
  }
}

/** What the colours of the timeline mean. */
function legend(): HTMLElement {
  const entries = [
    ["good", "file checked"],
    ["plain", "not checked yet"],
    ["bad", "at fault"],
    ["alert", "alert"],
    ["notice", "notice"],
    ["info", "info"],
  ] as const;
  return h("ul", { class: "legend" }, ...entries.map(([kind, text]) => h("li", { class: kind }, text)));
}
