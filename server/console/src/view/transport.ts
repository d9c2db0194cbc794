/** The playback controls, and the keys that do the same. */
import type { Playback } from "../session/playback";
import { h, svg } from "./dom";
import { place } from "./format";

const RATES = [0.5, 1, 1.5, 2, 4];
const PLAY = "M7 4.5v15l13-7.5z";
const PAUSE = "M6 4.5h4v15H6zM14 4.5h4v15h-4z";

export class Transport {
  readonly element: HTMLElement;
  private readonly icon = svg("path", { d: PLAY });
  private readonly button: HTMLButtonElement;
  private readonly clock = h("span", { class: "clock" }, "0:00");

  constructor(
    private readonly playback: Playback,
    private readonly endMs: number,
  ) {
    const picture = svg("svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true" }, this.icon);
    this.button = h("button", { class: "round", type: "button", "aria-label": "Play", onclick: () => this.toggle() }, picture);
    const rate = h("select", { "aria-label": "Speed" }, ...RATES.map((value) => h("option", { value }, `${value}×`)));
    rate.value = "1";
    rate.addEventListener("change", () => this.playback.setRate(Number(rate.value)));
    const volume = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: 1, "aria-label": "Volume" });
    volume.addEventListener("input", () => this.playback.setVolume(volume.valueAsNumber));
    this.element = h(
      "div",
      { class: "transport" },
      this.skip(-10, "Back 10 seconds", "−10 s"),
      this.button,
      this.skip(10, "Forward 10 seconds", "+10 s"),
      this.clock,
      h("span", { class: "grow" }),
      h("label", { class: "quiet" }, "Volume ", volume),
      h("label", { class: "quiet" }, "Speed ", rate),
    );
  }

  /** Show time and state; called on each tick. */
  draw(): void {
    const { playing, time } = this.playback;
    this.clock.textContent = `${place(time * 1000)} / ${place(this.endMs)}`;
    this.icon.setAttribute("d", playing ? PAUSE : PLAY);
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
  }

  /** Space plays and pauses, J and L go back and forth; not while something is typed. */
  onKey(event: KeyboardEvent): void {
    const target = event.target;
    const typing = target instanceof HTMLElement && target.closest("input, select, button, a, summary") !== null;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") this.toggle();
    else if (event.key === "j" || event.key === "ArrowLeft") this.playback.seek(this.playback.time - 10);
    else if (event.key === "l" || event.key === "ArrowRight") this.playback.seek(this.playback.time + 10);
    else return;
    event.preventDefault();
  }

  private toggle(): void {
    if (this.playback.playing) this.playback.pause();
    else void this.playback.play();
    this.draw();
  }

  private skip(seconds: number, label: string, text: string): HTMLElement {
    const onclick = (): void => this.playback.seek(this.playback.time + seconds);
    return h("button", { class: "plain", type: "button", "aria-label": label, onclick }, text);
  }
}
