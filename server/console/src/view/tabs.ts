/** Tabs by the WAI-ARIA pattern: arrow keys move, one panel shows. */
import { h } from "./dom";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly panel: HTMLElement;
}

export class Tabs {
  readonly element: HTMLElement;
  private readonly buttons: readonly HTMLButtonElement[];

  constructor(private readonly tabs: readonly Tab[]) {
    this.buttons = tabs.map((tab, index) => {
      const attributes = { role: "tab", type: "button", id: `tab-${tab.id}`, "aria-controls": `panel-${tab.id}` };
      return h("button", { ...attributes, onclick: () => this.select(index) }, tab.label);
    });
    for (const tab of tabs) {
      tab.panel.id = `panel-${tab.id}`;
      tab.panel.setAttribute("role", "tabpanel");
      tab.panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    }
    const list = h("div", { class: "tablist", role: "tablist" }, ...this.buttons);
    list.addEventListener("keydown", (event) => this.onKey(event));
    this.element = h("div", { class: "tabs" }, list, ...tabs.map((tab) => tab.panel));
    this.select(0);
  }

  /** Change what a tab says, such as its count. */
  label(id: string, text: string): void {
    const button = this.buttons[this.tabs.findIndex((tab) => tab.id === id)];
    if (button !== undefined) button.textContent = text;
  }

  select(chosen: number): void {
    for (const [index, button] of this.buttons.entries()) {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    }
    for (const [index, tab] of this.tabs.entries()) tab.panel.hidden = index !== chosen;
  }

  private onKey(event: KeyboardEvent): void {
    const now = this.buttons.findIndex((button) => button.tabIndex === 0);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.stopPropagation();
    const next = (now + step + this.buttons.length) % this.buttons.length;
    this.select(next);
    this.buttons[next]?.focus();
  }
}
