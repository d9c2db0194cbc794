/** Who reads with the keyboard is not thrown back to the top of the page when a part of it is filled anew. */
import { type Child, fill } from "./dom";

/** Fill a place; a focus that was in it, or nowhere, goes to the place itself. */
export function fillFocused(place: HTMLElement, ...children: readonly Child[]): void {
  const { activeElement, body } = document;
  const lost = activeElement === null || activeElement === body || place.contains(activeElement);
  fill(place, ...children);
  if (!lost) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}
