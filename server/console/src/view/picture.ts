/** The frame around a picture: its name, and a button that enlarges it with all that is said on it. */
import { h, svg } from "./dom";

/** Return a video with its name and a button for full screen. */
export function pictureBox(label: string, video: HTMLVideoElement): HTMLElement {
  const enlarge = (): void => {
    if (document.fullscreenElement === null) void box.requestFullscreen().catch(() => undefined);
    else void document.exitFullscreen();
  };
  const corners = svg("path", { d: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" });
  const icon = svg("svg", { viewBox: "0 0 24 24", width: 16, height: 16, "aria-hidden": "true" }, corners);
  const button = h("button", { class: "enlarge", type: "button", "aria-label": `${label}: full screen`, onclick: enlarge }, icon);
  video.addEventListener("dblclick", enlarge);
  const box = h("div", { class: "picture" }, video, h("span", { class: "tag" }, label), button);
  return box;
}

/** Return what stands in the place of a picture that there is not. */
export function nothing(text: string): HTMLElement {
  return h("p", { class: "nothing" }, text);
}
