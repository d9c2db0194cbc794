/** Whether a page can be seen, as far as the browser tells. Knows of the page alone: not of who looks, nor of where to. */

const EVENTS = ["visibilitychange", "enterpictureinpicture", "leavepictureinpicture"] as const;

/** A tab in front of its window, or one whose picture stands in a window of its own. */
export function isInSight(): boolean {
  return !document.hidden || (document.pictureInPictureElement ?? null) !== null;
}

/** Resolves once `condition`, which is about sight, has held for so long on end; also, at once, with the signal. */
export function lasting(condition: () => boolean, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const listening = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = (): void => {
      clearTimeout(timer);
      listening.abort();
      resolve();
    };
    const look = (): void => {
      if (condition()) {
        timer ??= setTimeout(done, ms);
      } else {
        clearTimeout(timer);
        timer = undefined;
      }
    };
    for (const event of EVENTS) document.addEventListener(event, look, { signal: listening.signal });
    signal.addEventListener("abort", done, { signal: listening.signal });
    if (signal.aborted) done();
    else look();
  });
}
