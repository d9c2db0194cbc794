/** Single pictures of the camera: decodes the segment that holds a moment in a video of its own and copies the frame. */
import { concat } from "../contract/bytes";
import type { OpenedSegment } from "../contract/segment";
import type { Evidence } from "./evidence";

const PATIENCE_MS = 8_000;
const HEIGHT = 240;

/** Takes one frame after another, never two at once: decoders are dear. */
export class FrameGrabber {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly evidence: Evidence) {}

  /** Return a canvas with the camera's picture at `ms`, or `null` where there is none. */
  grab(ms: number): Promise<HTMLCanvasElement | null> {
    const taken = this.queue.then(() => this.take(ms)).catch(() => null);
    this.queue = taken;
    return taken;
  }

  private async take(ms: number): Promise<HTMLCanvasElement | null> {
    const entry = this.evidence.track("camera").find(({ record }) => {
      return record.start_ms <= ms && ms < record.start_ms + record.duration_ms;
    });
    const opened = entry === undefined ? null : await this.evidence.open(entry);
    return opened === null ? null : frameOf(opened, ms / 1000);
  }
}

async function frameOf(segment: OpenedSegment, seconds: number): Promise<HTMLCanvasElement> {
  const video = document.createElement("video");
  video.muted = true;
  const source = new MediaSource();
  const url = URL.createObjectURL(source);
  try {
    const ready = event(source, "sourceopen");
    video.src = url;
    await ready;
    const buffer = source.addSourceBuffer(segment.header.mime);
    const appended = event(buffer, "updateend");
    buffer.appendBuffer(concat(...segment.fragments));
    await appended;
    source.endOfStream();
    const start = video.buffered.length > 0 ? video.buffered.start(0) : 0;
    const end = video.buffered.length > 0 ? video.buffered.end(0) : 0;
    const sought = event(video, "seeked");
    video.currentTime = Math.min(Math.max(seconds, start), Math.max(start, end - 0.05));
    await sought;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) await event(video, "loadeddata");
    return copy(video);
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

function copy(video: HTMLVideoElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, HEIGHT / video.videoHeight);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function event(target: EventTarget, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error(`no ${name} in time`)), PATIENCE_MS);
    target.addEventListener(name, () => (window.clearTimeout(timer), resolve()), { once: true });
  });
}
