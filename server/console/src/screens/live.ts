/** Watching a session while it runs: two pictures, how old they are, how the candidate's session stands. */
import * as api from "../api";
import type { Screen, Shell } from "../app";
import type { RecipientKey } from "../contract/keys";
import { IntegrityError } from "../contract/outcome";
import type { LinkState } from "../session/live_link";
import { LiveSession } from "../session/live_session";
import { LiveWatch } from "../session/live_watch";
import { patiently } from "../session/patience";
import { fill, h, setText } from "../view/dom";
import { fillFocused } from "../view/focus";
import { LiveBar } from "../view/live_bar";
import { type LivePicture, livePicture } from "../view/live_picture";
import { DOUBT, faultWord, inPart, linkWord, type LiveKind, pageWord, pictureWord, soundWord, spokenWord } from "../view/live_words";
import { explain, stateWord } from "../view/words";
import { unlockForm } from "./unlock";

const ASK_MS = 5_000;
const CHIPS: Readonly<Record<LiveKind, string>> = { live: "live", doubtful: "notice", waiting: "", silent: "notice" };

const PICTURES = [
  { picture: "camera", name: "Camera" },
  { picture: "screen", name: "Screen" },
] as const;

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
  private readonly word = h("span", { class: "chip", id: "live-word" });
  private readonly spoken = h("p", { class: "unseen", role: "status" });
  private readonly bar: LiveBar;
  private readonly pictures: { readonly camera: LivePicture; readonly screen: LivePicture };
  private readonly recording: HTMLElement;
  private readonly timer: number;
  private watch: LiveWatch | null = null;
  /** Nothing is shown any more: the session has ended, or the page was left. */
  private over = false;
  private asking = false;

  constructor(
    private readonly shell: Shell,
    private row: api.SessionDetail,
    private readonly session: LiveSession,
  ) {
    this.title = `${session.candidate}, live`;
    const { camera, screen } = session.policy.capture;
    this.recording = h("a", { class: "button", href: `#/sessions/${row.session}` }, "Open the recording");
    this.pictures = { camera: livePicture("Camera", camera), screen: livePicture("Screen", screen) };
    this.bar = new LiveBar(session.policy.capture.microphone, (on) => this.watch?.sound(on));
    fill(this.element, this.heading(), this.spoken, this.stage);
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
      h("h1", null, this.session.candidate),
      h("span", { class: "quiet" }, row.title),
      this.state,
      this.word,
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
    const { camera, screen } = this.pictures;
    const pictures = h("div", { class: "pictures" }, camera.element, screen.element);
    fillFocused(this.stage, h("div", { class: "card player" }, pictures, this.bar.element));
    this.watch = new LiveWatch(this.session, key, { camera: camera.video, screen: screen.video }, {
      onTick: () => this.draw(),
      onState: (state, why) => this.connection(state, why),
    });
    this.watch.run().catch((error: unknown) => this.stop(error));
    this.draw();
  }

  private connection(state: LinkState, why: unknown): void {
    this.bar.connection(linkWord(state, why));
    if (state === "ended") this.end();
  }

  private draw(): void {
    const { watch, pictures } = this;
    if (watch === null || this.over) return;
    const { capture } = this.session.policy;
    const clocks = { nowMs: performance.now(), utcMs: Date.now() };
    const sound = soundWord(watch.silentSinceMs(), clocks);
    const recorded = PICTURES.filter(({ picture }) => capture[picture]);
    const words = recorded.map((one) => ({ ...one, ...pictureWord(watch.standing(one.picture), clocks) }));
    if (!capture.camera) pictures.camera.draw({ kind: "live", text: "" }, sound);
    for (const word of words) pictures[word.picture].draw(word, word.picture === "camera" ? sound : "");
    const [camera, microphone, screen] = [watch.fault("camera"), watch.fault("microphone"), watch.fault("screen")];
    pictures.camera.fault(faultWord(camera, microphone));
    pictures.screen.fault(faultWord(screen, undefined));
    // Where one is left out, the other tells how the page stands: in part.
    const right = words.filter(({ picture }) => watch.fault(picture) === undefined);
    const whole = pageWord(right.length > 0 ? right : words);
    const partial = sound !== "" || [camera, microphone, screen].some((error) => error !== undefined);
    const word = partial ? inPart(whole) : whole;
    this.word.className = `chip ${CHIPS[word.kind]}`;
    this.word.title = whole.kind === "doubtful" ? DOUBT : "";
    setText(this.word, word.text);
    setText(this.spoken, spokenWord(word, sound));
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
    this.word.hidden = true;
    setText(this.state, stateWord("ended"));
    setText(this.spoken, "The exam has ended.");
    this.say("The exam has ended", "The application may still be sending its last segments. What is stored can be opened as a recording.");
  }

  /** Waiting does not change what is wrong. */
  private stop(error: unknown): void {
    if (this.over) return;
    this.close();
    this.word.hidden = true;
    setText(this.spoken, "Watching has stopped.");
    this.say("Watching has stopped", explain(error));
    if (error instanceof api.Refused && error.status === 401) this.shell.fail(error);
  }

  private sayNotNamed(): void {
    const why = "Only keys that the exam's policy names can watch live. Who was added later can open segments once they are stored.";
    this.say("This key can't watch live", why);
  }

  /** Say why there is nothing to watch, in the place of the pictures. */
  private say(title: string, why: string): void {
    const words = h("div", { class: "unlock" }, h("h2", null, title), h("p", null, why), this.recording);
    fillFocused(this.stage, h("div", { class: "card sealed" }, words));
  }
}
