/**
 * Video and MediaSource as far as a live view uses them, for tests without a browser. A fragment's bytes are the two ends of
 * its range in seconds; initialisation bytes are one byte. tests/e2e/test_console_live.py has the real ones.
 */
import { vi } from "vitest";
import type { LivePart } from "../src/session/live_track";

export const INITIAL = new Uint8Array(1);
/** Three bytes are nothing that this browser plays. */
export const BROKEN = new Uint8Array(3);

export function fragment(from: number, to: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float64Array.of(from, to).buffer);
}

export function part(data: Uint8Array<ArrayBuffer>): LivePart {
  return { mime: "video/mp4", data, begins: data.length === 1, zeroMs: 1_000_000 };
}

type Range = [from: number, to: number];

class FakeBuffer extends EventTarget {
  ranges: Range[] = [];

  get buffered(): TimeRanges {
    return timeRanges(this.ranges);
  }

  changeType(): void {}

  remove(): void {
    queueMicrotask(() => this.dispatchEvent(new Event("updateend")));
  }

  appendBuffer(data: Uint8Array): void {
    const broken = data.length === BROKEN.length;
    if (data.length === 16) this.add([...new Float64Array(data.slice().buffer)] as Range);
    queueMicrotask(() => this.dispatchEvent(new Event(broken ? "error" : "updateend")));
  }

  private add([from, to]: Range): void {
    const touching = this.ranges.filter((range) => range[0] <= to + 0.01 && range[1] >= from - 0.01);
    const whole: Range = [Math.min(from, ...touching.map((one) => one[0])), Math.max(to, ...touching.map((one) => one[1]))];
    this.ranges = [...this.ranges.filter((range) => !touching.includes(range)), whole].sort((a, b) => a[0] - b[0]);
  }
}

class FakeSource extends EventTarget {
  readonly buffers: FakeBuffer[] = [];

  addSourceBuffer(): FakeBuffer {
    const buffer = new FakeBuffer();
    this.buffers.push(buffer);
    return buffer;
  }
}

/** Plays nothing by itself; holds what all buffers of its source hold. */
export class FakeVideo extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  paused = false;
  error = null;
  private source: FakeSource | undefined;

  constructor(private readonly sources: readonly FakeSource[]) {
    super();
  }

  set src(url: string) {
    this.source = this.sources[Number(url)];
    this.currentTime = 0;
    queueMicrotask(() => this.source?.dispatchEvent(new Event("sourceopen")));
  }

  get buffered(): TimeRanges {
    const [first, ...rest] = (this.source?.buffers ?? []).map(({ ranges }) => ranges);
    return timeRanges(rest.reduce((all, ranges) => all.flatMap((one) => common(one, ranges)), first ?? []));
  }

  get readyState(): number {
    return this.buffered.length > 0 ? HTMLMediaElement.HAVE_CURRENT_DATA : 0;
  }

  removeAttribute(): void {
    this.source = undefined;
  }

  load(): void {}
}

/** Put the fakes in place; returns a video, and the sources of all players that are made. */
export function fakeMedia(): { readonly video: FakeVideo; readonly sources: readonly FakeSource[] } {
  const sources: FakeSource[] = [];
  vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2 });
  vi.stubGlobal("MediaSource", FakeSource);
  vi.stubGlobal("URL", { createObjectURL: (source: FakeSource) => String(sources.push(source) - 1), revokeObjectURL: () => undefined });
  return { video: new FakeVideo(sources), sources };
}

function common(one: Range, others: readonly Range[]): Range[] {
  const cut = others.map((other): Range => [Math.max(one[0], other[0]), Math.min(one[1], other[1])]);
  return cut.filter(([from, to]) => from < to);
}

function timeRanges(ranges: readonly Range[]): TimeRanges {
  return { length: ranges.length, start: (nth) => ranges[nth]![0], end: (nth) => ranges[nth]![1] };
}
