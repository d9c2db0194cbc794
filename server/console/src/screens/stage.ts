/** The two pictures and the controls below them. */
import type { Evidence } from "../session/evidence";
import { Playback } from "../session/playback";
import { h } from "../view/dom";
import { nothing, pictureBox } from "../view/picture";
import { Transport } from "../view/transport";

export class Stage {
  readonly element: HTMLElement;
  readonly playback: Playback;
  readonly transport: Transport;
  private readonly camera = h("video", { id: "camera", playsinline: true, preload: "auto", "aria-label": "Camera" });
  private readonly screen = h("video", { id: "screen", playsinline: true, preload: "auto", "aria-label": "Screen" });
  private readonly boxes: { readonly camera: HTMLElement; readonly screen: HTMLElement };

  constructor(evidence: Evidence, onTime: (seconds: number) => void, onFailure: (error: unknown) => void) {
    this.screen.muted = true;
    const tick = (): void => {
      this.transport.draw();
      onTime(this.playback.time);
    };
    this.playback = new Playback(this.camera, this.screen, evidence, tick, onFailure);
    this.transport = new Transport(this.playback, evidence.endMs());
    this.boxes = { camera: pictureBox("Camera", this.camera), screen: pictureBox("Screen", this.screen) };
    const pictures = h("div", { class: "pictures" }, this.boxes.camera, this.boxes.screen);
    this.element = h("div", { class: "card player" }, pictures, this.transport.element);
  }

  /** Load the first pictures; says so where a track has none. */
  async open(): Promise<void> {
    const there = await this.playback.open();
    if (!there.camera) this.boxes.camera.append(nothing("No camera recording that can be played"));
    if (!there.screen) this.boxes.screen.append(nothing("No screen recording that can be played"));
    this.transport.draw();
  }

  /** Say beside a picture what it was recorded from. */
  label(track: "camera" | "screen", text: string): void {
    const tag = this.boxes[track].querySelector(".tag");
    if (tag !== null) tag.textContent = text;
  }

  close(): void {
    this.playback.close();
  }
}
