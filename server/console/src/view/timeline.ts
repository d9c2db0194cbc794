/**
 * The session's timeline as SVG: incidents as marks coloured by severity, one lane for each recorded track, gaps as holes,
 * files at fault in red, and the place that is playing. Click or arrow keys seek.
 */
import type { Incident } from "../session/story";
import { svg } from "./dom";
import { place } from "./format";
import type { Stretch } from "./stretches";
import { SEVERITY_WORD } from "./words";

const LEFT = 86;
const RIGHT = 12;
const INCIDENTS_TOP = 8;
const INCIDENTS_HEIGHT = 22;
const LANE_TOP = 40;
const LANE_HEIGHT = 9;
const LANE_STEP = 17;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

export interface Lane {
  readonly label: string;
  readonly stretches: readonly Stretch[];
}

export class Timeline {
  readonly element = svg("svg", {
    class: "timeline",
    role: "slider",
    tabindex: 0,
    "aria-label": "Place in the recording",
    "aria-valuemin": 0,
  });
  private readonly playhead = svg("line", { class: "playhead", y1: 2 });
  private lanes: readonly Lane[] = [];
  private incidents: readonly Incident[] = [];
  private endMs = 1;
  private timeS = 0;

  constructor(
    private readonly seek: (seconds: number) => void,
    private readonly pick: (incident: Incident) => void,
  ) {
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.element.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.element.addEventListener("pointermove", (event) => event.buttons === 1 && this.onPointer(event));
    this.element.addEventListener("keydown", (event) => this.onKey(event));
  }

  show(endMs: number, lanes: readonly Lane[], incidents: readonly Incident[]): void {
    this.endMs = Math.max(1, endMs);
    this.lanes = lanes;
    this.incidents = incidents;
    this.element.setAttribute("aria-valuemax", String(Math.round(this.endMs / 1000)));
    this.draw();
  }

  setTime(seconds: number): void {
    this.timeS = seconds;
    const x = this.x(seconds * 1000);
    this.playhead.setAttribute("x1", String(x));
    this.playhead.setAttribute("x2", String(x));
    this.element.setAttribute("aria-valuenow", String(Math.round(seconds)));
    this.element.setAttribute("aria-valuetext", place(seconds * 1000));
  }

  private get width(): number {
    return Math.max(200, this.element.clientWidth);
  }

  private x(ms: number): number {
    return LEFT + (Math.min(ms, this.endMs) / this.endMs) * (this.width - LEFT - RIGHT);
  }

  private draw(): void {
    const height = LANE_TOP + this.lanes.length * LANE_STEP + 22;
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.element.setAttribute("height", String(height));
    this.playhead.setAttribute("y2", String(height - 20));
    this.element.replaceChildren(...this.axis(height), ...this.drawLanes(), ...this.drawIncidents(), this.playhead);
    this.setTime(this.timeS);
  }

  private axis(height: number): Element[] {
    const room = Math.max(1, Math.floor((this.width - LEFT - RIGHT) / 84));
    const step = STEPS_S.find((seconds) => this.endMs / 1000 / seconds <= room) ?? 7200;
    const marks: Element[] = [];
    for (let seconds = 0; seconds * 1000 <= this.endMs; seconds += step) {
      const x = this.x(seconds * 1000);
      marks.push(svg("line", { class: "tick", x1: x, x2: x, y1: INCIDENTS_TOP, y2: height - 18 }));
      marks.push(svg("text", { class: "time", x, y: height - 5 }, place(seconds * 1000)));
    }
    return marks;
  }

  private drawLanes(): Element[] {
    return this.lanes.flatMap((lane, index) => {
      const y = LANE_TOP + index * LANE_STEP;
      const stretches = lane.stretches.map(({ fromMs, toMs, state }) => {
        const x = this.x(fromMs);
        return svg("rect", { class: `stretch ${state}`, x, y, width: Math.max(1, this.x(toMs) - x), height: LANE_HEIGHT, rx: 2 });
      });
      const rail = svg("line", { class: "rail", x1: LEFT, x2: this.width - RIGHT, y1: y + 4.5, y2: y + 4.5 });
      return [svg("text", { class: "label", x: 0, y: y + 8 }, lane.label), rail, ...stretches];
    });
  }

  private drawIncidents(): Element[] {
    const label = svg("text", { class: "label", x: 0, y: INCIDENTS_TOP + 15 }, "Incidents");
    const order = { info: 0, notice: 1, alert: 2 };
    const sorted = [...this.incidents].sort((a, b) => order[a.severity] - order[b.severity]);
    const marks = sorted.map((incident) => {
      const x = this.x(incident.startMs);
      const width = Math.max(6, this.x(incident.endMs) - x);
      const mark = svg(
        "rect",
        {
          class: `mark ${incident.severity}`,
          x: Math.min(x, this.width - RIGHT - width),
          y: INCIDENTS_TOP,
          width,
          height: INCIDENTS_HEIGHT,
          rx: 3,
          "data-incident": incident.id,
        },
        svg("title", {}, `${place(incident.startMs)} ${incident.title} (${SEVERITY_WORD[incident.severity]})`),
      );
      mark.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        this.pick(incident);
      });
      return mark;
    });
    return [label, ...marks];
  }

  private onPointer(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (this.width - LEFT - RIGHT);
    if (share >= -0.02) this.seek((Math.min(1, Math.max(0, share)) * this.endMs) / 1000);
  }

  private onKey(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -5, ArrowRight: 5, PageDown: -60, PageUp: 60 };
    const step = steps[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? this.endMs / 1000 : null;
    if (step === undefined && target === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(target ?? Math.max(0, this.timeS + (step ?? 0)));
  }
}
