/** One picture of the live page, with what has to be said of it on the picture itself, so that nothing else moves. */
import { h, setText } from "./dom";
import { DOUBT, type LiveWord } from "./live_words";
import { nothing, pictureBox } from "./picture";

export interface LivePicture {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  /** Say how it and its sound stand; a picture that is not live is dimmed, so that nobody takes it for one. */
  draw(word: LiveWord, sound?: string): void;
  /** Say what is not shown of it and why. */
  fault(sentence: string): void;
}

export function livePicture(label: "Camera" | "Screen", recorded: boolean): LivePicture {
  const video = h("video", { id: label.toLowerCase(), playsinline: true, "aria-label": label });
  const veil = h("p", { class: "veil" }, recorded ? "Waiting for the first picture" : "");
  const faults = h("p", { class: "fault", role: "status", hidden: true });
  const element = pictureBox(label, video);
  element.append(veil, faults);
  if (!recorded) element.append(nothing(`This exam records no ${label.toLowerCase()}`));
  const draw = ({ kind, text }: LiveWord, sound = ""): void => {
    const stale = kind === "silent" || kind === "waiting";
    element.classList.toggle("stale", stale);
    element.classList.toggle("silent", kind === "silent");
    const said = [kind === "live" ? "" : text, sound, kind === "doubtful" ? DOUBT : ""].filter((word) => word !== "").join(". ");
    setText(veil, said);
    veil.hidden = said === "";
    veil.classList.toggle("low", !stale);
  };
  const fault = (sentence: string): void => {
    faults.hidden = sentence === "";
    setText(faults, sentence);
    if (sentence !== "" && !element.classList.contains("silent")) veil.hidden = true;
  };
  return { element, video, draw, fault };
}
