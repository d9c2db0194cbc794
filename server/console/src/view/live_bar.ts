/** Below the live pictures: the switch for the sound, what becomes of what is seen, how the connection stands. */
import { h, setText } from "./dom";
import { count } from "./format";

export class LiveBar {
  readonly element: HTMLElement;
  private readonly segments = h("span", { id: "stored" });
  private readonly link = h("span", { class: "link quiet", id: "link", role: "status" });

  constructor(recorded: boolean, onSound: (on: boolean) => void) {
    const note = h("p", { class: "quiet" }, "Seen live; it becomes evidence when its segment is stored. ", this.segments);
    const grow = h("span", { class: "grow" });
    this.element = h("div", { class: "transport" }, soundButton(recorded, onSound), note, grow, this.link);
  }

  /** Say how many segments the server stores. */
  stored(segments: number): void {
    setText(this.segments, `${count(segments, "segment")} stored by now.`);
  }

  /** Say what is not as it should be; empty where all is. */
  connection(word: string): void {
    setText(this.link, word);
  }
}

/** Browsers play no sound before somebody asks for it, so it is off at first. */
function soundButton(recorded: boolean, onSound: (on: boolean) => void): HTMLElement {
  if (!recorded) return h("span", { class: "quiet" }, "This exam records no sound.");
  const press = (): void => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Sound is on" : "Sound is off";
    onSound(on);
  };
  const button = h("button", { type: "button", class: "sound", "aria-pressed": "false", onclick: press }, "Sound is off");
  return button;
}
