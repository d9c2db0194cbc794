/** The list of incidents: what, when, how serious, the facts in plain words, and the picture. Never a verdict. */
import type { Picture } from "../contract/journal";
import type { FrameGrabber } from "../session/frames";
import type { Incident } from "../session/story";
import { h } from "./dom";
import { duration, place } from "./format";
import { factValue, sentence, SEVERITY_WORD } from "./words";

/** Incidents that the camera shows; only for these is a frame worth taking. */
const VISIBLE = new Set([
  "phone",
  "object",
  "object_in_hand",
  "headphones",
  "second_person",
  "other_person",
  "absent",
  "no_face",
  "looking_away",
]);
const IMAGE_TYPES = new Set(["image/jpeg", "image/png", "image/webp"]);

export class IncidentList {
  readonly element = h("ol", { class: "incidents" });
  private readonly urls: string[] = [];
  private readonly watcher: IntersectionObserver;
  private readonly waiting = new Map<Element, Incident>();

  constructor(
    private readonly pictureOf: (incident: Incident) => Picture | null,
    private readonly frames: FrameGrabber | null,
    private readonly pick: (incident: Incident) => void,
  ) {
    this.watcher = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) if (isIntersecting) void this.takeFrame(target);
    });
  }

  /** Show these; `none` is what to say where there are none. */
  show(incidents: readonly Incident[], none: string): void {
    this.close();
    this.element.replaceChildren(...incidents.map((incident) => this.item(incident)));
    if (incidents.length === 0) this.element.append(h("li", { class: "empty" }, none));
  }

  /** Mark and scroll to the incident that was picked. */
  highlight(id: string): void {
    for (const item of this.element.querySelectorAll(".incident")) {
      const same = item.getAttribute("data-incident") === id;
      item.classList.toggle("picked", same);
      if (same) item.scrollIntoView({ block: "nearest" });
    }
  }

  close(): void {
    this.watcher.disconnect();
    this.waiting.clear();
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
  }

  private item(incident: Incident): HTMLElement {
    const length = incident.endMs - incident.startMs;
    const facts = incident.facts.filter(([, value]) => value !== null && value !== "");
    const button = h(
      "button",
      { class: "jump", type: "button", onclick: () => this.pick(incident) },
      h("span", { class: "when" }, place(incident.startMs)),
      h("span", { class: "title" }, incident.title),
      h("span", { class: `chip ${incident.severity}` }, SEVERITY_WORD[incident.severity]),
    );
    const seen = incident.seenBy === "server" ? "Seen by the server" : null;
    const lasted = length >= 500 ? `Lasted ${duration(length)}` : null;
    const line = [lasted, seen].filter((part) => part !== null).join(" · ");
    return h(
      "li",
      { class: `incident ${incident.severity}`, "data-incident": incident.id },
      button,
      line !== "" && h("p", { class: "quiet" }, line),
      facts.length > 0 && h("dl", null, ...facts.flatMap(([key, value]) => [
        h("dt", null, sentence(key)),
        h("dd", null, factValue(key, value)),
      ])),
      this.picture(incident),
    );
  }

  private picture(incident: Incident): HTMLElement | null {
    const picture = this.pictureOf(incident);
    if (picture !== null && IMAGE_TYPES.has(picture.mime)) {
      const url = URL.createObjectURL(new Blob([picture.image], { type: picture.mime }));
      this.urls.push(url);
      return figure(h("img", { src: url, alt: `Camera: ${incident.title}` }), `Camera at ${place(picture.at_ms)}`);
    }
    if (this.frames === null || !VISIBLE.has(incident.kind)) return null;
    const frame = h("figure", { class: "pending" });
    this.waiting.set(frame, incident);
    this.watcher.observe(frame);
    return frame;
  }

  private async takeFrame(target: Element): Promise<void> {
    const incident = this.waiting.get(target);
    if (incident === undefined) return;
    this.waiting.delete(target);
    this.watcher.unobserve(target);
    const at = (incident.startMs + Math.min(incident.endMs, incident.startMs + 2_000)) / 2;
    const canvas = (await this.frames?.grab(at)) ?? null;
    if (canvas === null) return target.remove();
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Camera: ${incident.title}`);
    target.replaceWith(figure(canvas, `Camera at ${place(at)}, from the recording`));
  }
}

function figure(picture: HTMLElement, caption: string): HTMLElement {
  return h("figure", null, picture, h("figcaption", null, caption));
}
