/** One picture of the live page, with what has to be said of it on the picture itself, so that nothing else moves. */
import { h, setText } from "./dom";
import { DOUBT, type LiveWord } from "./live_words";
import { nothing, pictureBox } from "./picture";

export interface LivePicture {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  /** Say how it stands; a picture that is not live is dimmed, so that nobody takes it for one. */
  draw(word: LiveWord): void;
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
  const draw = ({ kind, text }: LiveWord): void => {
    element.classList.toggle("stale", kind === "silent" || kind === "waiting");
    const said = kind === "live" ? "" : kind === "doubtful" ? `${text}. ${DOUBT}` : text;
    setText(veil, said);
    veil.hidden = said === "";
    veil.classList.toggle("low", kind === "doubtful");
  };
  const fault = (sentence: string): void => {
    faults.hidden = sentence === "";
    setText(faults, sentence);
    if (sentence !== "") veil.hidden = true;
  };
  return { element, video, draw, fault };
}
