/** Watching a session while it runs: two pictures, how old they are, how the candidate's session stands. */
import * as api from "../api";
import type { Screen, Shell } from "../app";
import type { RecipientKey } from "../contract/keys";
import { IntegrityError } from "../contract/outcome";
import type { Attendance } from "../session/live_attendance";
import { LiveSession } from "../session/live_session";
import { LiveWatch } from "../session/live_watch";
import { patiently } from "../session/patience";
import { fill, h, setText } from "../view/dom";
import { fillFocused } from "../view/focus";
import { LiveBar } from "../view/live_bar";
import { LiveBoard } from "../view/live_board";
import { type Absence, absenceAfter, FULL, linkWord } from "../view/live_words";
import { explain, stateWord } from "../view/words";
import { unlockForm } from "./unlock";

const ASK_MS = 5_000;

export async function liveScreen(shell: Shell, id: string): Promise<Screen> {
  const [row, session] = await Promise.all([api.session(id), LiveSession.load(id)]);
  session.mustBe(row);
  const screen = new LiveScreen(shell, row, session);
  await screen.start().catch((error: unknown) => {
    screen.close();
    throw error;
  });
  return screen;
}

class LiveScreen implements Screen {
  readonly element = h("div", { class: "session watching" });
  readonly title: string;
  private readonly stage = h("section", { class: "stage", "aria-label": "Live view" });
  private readonly state = h("span", { class: "chip", id: "state" });
  private readonly board: LiveBoard;
  private readonly bar: LiveBar;
  private readonly player: HTMLElement;
  private readonly recording: HTMLElement;
  private readonly timer: number;
  private watch: LiveWatch | null = null;
  /** Nothing is shown any more: the session has ended, or the page was left. */
  private over = false;
  private asking = false;
  /** Too many live pages are open in this browser: this one waits. */
  private isFull = false;
  private absence: Absence | null = null;

  constructor(
    private readonly shell: Shell,
    private row: api.SessionDetail,
    private readonly session: LiveSession,
  ) {
    this.title = `${session.candidate}, live`;
    const { capture } = session.policy;
    this.recording = h("a", { class: "button", href: `#/sessions/${row.session}` }, "Open the recording");
    this.board = new LiveBoard(capture);
    this.bar = new LiveBar(capture.microphone, (on) => this.watch?.sound(on));
    this.player = h("div", { class: "card player" }, this.board.element, this.bar.element);
    fill(this.element, this.heading(), this.board.spoken, this.stage);
    this.timer = window.setInterval(() => void this.ask(), ASK_MS);
  }

  /** Ask nothing and show nothing any more. */
  close(): void {
    this.over = true;
    window.clearInterval(this.timer);
    this.watch?.close();
  }

  async start(): Promise<void> {
    this.drawState();
    if (this.over) return;
    if (!this.session.policy.capture.live_view) {
      this.say("This exam can't be watched live", "Its policy does not allow it. What is stored can be opened as a recording.");
    } else if (this.shell.key !== null) this.begin(this.shell.key);
    else await this.askForKey();
  }

  private heading(): HTMLElement {
    const { row } = this;
    const back = { class: "back", href: `#/sessions/${row.session}`, "aria-label": "Back to the recording" };
    return h(
      "div",
      { class: "heading" },
      h("a", back, "‹"),
      h("h1", { title: this.session.candidate }, this.session.candidate),
      h("span", { class: "quiet", title: row.title }, row.title),
      this.state,
      this.board.word,
      h("span", { class: "grow" }),
      this.recording,
    );
  }

  private async askForKey(): Promise<void> {
    const keys = await api.keys();
    if (this.over) return;
    const mayWatch = (keyId: string): boolean => this.session.mayWatch(keyId);
    if (!keys.some((key) => mayWatch(key.id))) return this.sayNotNamed();
    const form = unlockForm(keys, mayWatch, (key) => {
      this.shell.useKey(key);
      this.begin(key);
    });
    fill(this.stage, h("div", { class: "card sealed" }, form));
  }

  private begin(key: RecipientKey): void {
    if (this.over) return;
    if (!this.session.mayWatch(key.id)) return this.sayNotNamed();
    fillFocused(this.stage, this.player);
    this.watch = new LiveWatch(this.session, key, this.board.videos, {
      onTick: () => this.draw(),
      onState: (state, why) => this.connection(state, why),
    });
    this.watch.run().catch((error: unknown) => this.stop(error));
    this.draw();
  }

  private connection(state: Attendance, why: unknown): void {
    this.absence = absenceAfter(this.absence, state, Date.now());
    this.bar.connection(linkWord(state, why, this.absence));
    if (state === "full") this.wait();
    else if (this.isFull && state !== "away") this.goOn();
    if (state === "ended") this.end();
  }

  /** Without a seat there is nothing to watch; it comes by itself once another page is closed. */
  private wait(): void {
    this.isFull = true;
    this.board.rest(FULL.title);
    this.put(h("h2", null, FULL.title), h("p", null, FULL.why), h("p", { class: "quiet" }, FULL.lasting));
  }

  private goOn(): void {
    this.isFull = false;
    fillFocused(this.stage, this.player);
  }

  private draw(): void {
    if (this.watch !== null && !this.over && !this.isFull) this.board.draw(this.watch);
  }

  /** How the session stands at the server; one question at a time, so that no answer overtakes a later one. */
  private async ask(): Promise<void> {
    if (this.over || this.asking || document.hidden) return;
    this.asking = true;
    try {
      const row = await patiently((signal) => api.session(this.row.session, signal));
      if (this.over) return;
      this.session.mustBe(row);
      this.row = row;
      this.drawState();
    } catch (error) {
      const another = error instanceof IntegrityError && error.outcome === "record-mismatch";
      if (another || (error instanceof api.Refused && [401, 403, 404].includes(error.status))) this.stop(error);
      // The connection's own line says what else is wrong.
    } finally {
      this.asking = false;
    }
  }

  private drawState(): void {
    const { frozen, ended, state, segments } = this.row;
    this.state.className = frozen ? "chip notice" : "chip";
    setText(this.state, frozen ? "Frozen" : stateWord(state));
    this.bar.stored(segments);
    if (ended || state === "ended") this.end();
  }

  private end(): void {
    if (this.over) return;
    this.close();
    this.board.rest("The exam has ended.");
    setText(this.state, stateWord("ended"));
    this.say("The exam has ended", "The application may still be sending its last segments. What is stored can be opened as a recording.");
  }

  /** Waiting does not change what is wrong. */
  private stop(error: unknown): void {
    if (this.over) return;
    this.close();
    this.board.rest("Watching has stopped.");
    this.say("Watching has stopped", explain(error));
    if (error instanceof api.Refused && error.status === 401) this.shell.fail(error);
  }

  private sayNotNamed(): void {
    const why = "Only keys that the exam's policy names can watch live. Who was added later can open segments once they are stored.";
    this.say("This key can't watch live", why);
  }

  /** Say why there is nothing to watch any more. */
  private say(title: string, why: string): void {
    this.put(h("h2", null, title), h("p", null, why), this.recording);
  }

  /** Put words in the place of the pictures. */
  private put(...words: readonly HTMLElement[]): void {
    fillFocused(this.stage, h("div", { class: "card sealed" }, h("div", { class: "unlock" }, ...words)));
  }
}
