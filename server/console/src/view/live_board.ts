/** The two live pictures and what is said of them: on each, in a word for the whole page, and in one that is spoken. */
import type { Policy } from "../contract/policy";
import type { LiveWatch, Picture } from "../session/live_watch";
import { h, setText } from "./dom";
import { type LivePicture, livePicture } from "./live_picture";
import { DOUBT, faultWord, inPart, type LiveKind, pageWord, pictureWord, soundWord, spokenWord } from "./live_words";

const CHIPS: Readonly<Record<LiveKind, string>> = { live: "live", doubtful: "notice", waiting: "", silent: "notice" };

const PICTURES = [
  { picture: "camera", name: "Camera" },
  { picture: "screen", name: "Screen" },
] as const;

export class LiveBoard {
  readonly element: HTMLElement;
  readonly word = h("span", { class: "chip", id: "live-word" });
  readonly spoken = h("p", { class: "unseen", role: "status" });
  readonly videos: { readonly [P in Picture]: HTMLVideoElement };
  private readonly pictures: { readonly [P in Picture]: LivePicture };

  constructor(private readonly capture: Policy["capture"]) {
    const [camera, screen] = [livePicture("Camera", capture.camera), livePicture("Screen", capture.screen)];
    this.element = h("div", { class: "pictures" }, camera.element, screen.element);
    this.pictures = { camera, screen };
    this.videos = { camera: camera.video, screen: screen.video };
  }

  /** Say how what is watched stands at this moment. */
  draw(watch: LiveWatch): void {
    const { capture, pictures } = this;
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
    this.word.hidden = false;
    this.word.className = `chip ${CHIPS[word.kind]}`;
    this.word.title = whole.kind === "doubtful" ? DOUBT : "";
    setText(this.word, word.text);
    setText(this.spoken, spokenWord(word, sound));
  }

  /** Say nothing of pictures that are not shown; `spoken` is what there is to say instead. */
  rest(spoken: string): void {
    this.word.hidden = true;
    setText(this.spoken, spoken);
  }
}
