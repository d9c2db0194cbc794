/** Which screen is shown: sign-in, the list of sessions, or one session. Owns the account and the opened key. */
import * as api from "./api";
import iconUrl from "./icon.svg";
import type { RecipientKey } from "./contract/keys";
import { liveScreen } from "./screens/live";
import { SessionScreen } from "./screens/session";
import { sessionsScreen } from "./screens/sessions";
import { signInScreen } from "./screens/signin";
import { fill, h } from "./view/dom";
import { explain } from "./view/words";

/** A screen: what it shows, and what to undo when it goes. */
export interface Screen {
  readonly element: HTMLElement;
  readonly title: string;
  close?(): void;
}

/** What screens may ask of the application. */
export interface Shell {
  readonly key: RecipientKey | null;
  useKey(key: RecipientKey): void;
  /** Load the present screen anew; the key stays open. */
  refresh(): void;
  /** Show an error; signs out when the server says so. */
  fail(error: unknown): void;
}

export class App implements Shell {
  key: RecipientKey | null = null;
  private account: api.Account | null = null;
  private screen: Screen | null = null;
  /** Counts changes of screen: one that loads slowly must not replace a later one. */
  private visit = 0;
  private readonly bar = h("header", { class: "bar" });
  private readonly main = h("main", { id: "main", tabindex: "-1" });
  private readonly alert = h("div", { class: "toast", role: "alert", hidden: true });

  constructor(root: HTMLElement) {
    fill(root, this.bar, this.main, this.alert);
    window.addEventListener("hashchange", () => void this.route());
  }

  async start(): Promise<void> {
    try {
      this.account = await api.me();
    } catch (error) {
      if (!(error instanceof api.Refused && error.status === 401)) this.fail(error);
    }
    await this.route();
  }

  useKey(key: RecipientKey): void {
    this.key = key;
    this.drawBar();
  }

  refresh(): void {
    void this.route();
  }

  fail(error: unknown): void {
    if (error instanceof api.Refused && error.code === "E-NOT-SIGNED-IN" && this.account !== null) {
      this.forget();
      void this.route();
    }
    this.alert.hidden = false;
    const close = h("button", { class: "plain", type: "button", onclick: () => (this.alert.hidden = true) }, "Close");
    fill(this.alert, h("span", null, explain(error)), close);
  }

  private async route(): Promise<void> {
    this.visit += 1;
    const { visit } = this;
    this.screen?.close?.();
    this.screen = null;
    this.alert.hidden = true;
    fill(this.main, h("p", { class: "empty", role: "status" }, "Loading…"));
    const screen = await this.screenFor(location.hash).catch((error: unknown) => {
      this.fail(error);
      return null;
    });
    if (visit !== this.visit) return screen?.close?.();
    this.screen = screen;
    document.title = this.screen === null ? "Fairlock" : `${this.screen.title} – Fairlock`;
    this.drawBar();
    fill(this.main, this.screen?.element);
    (this.main.querySelector<HTMLElement>("input[required]") ?? this.main).focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  private async screenFor(hash: string): Promise<Screen> {
    if (this.account === null) return signInScreen((account) => this.signedIn(account));
    const [, id, live] = /^#\/sessions\/([\w-]+)(\/live)?$/.exec(hash) ?? [];
    if (id === undefined) return sessionsScreen(this);
    return live === undefined ? SessionScreen.open(this, id) : liveScreen(this, id);
  }

  private signedIn(account: api.Account): void {
    this.account = account;
    void this.route();
  }

  private async signOut(): Promise<void> {
    await api.logout().catch((error: unknown) => this.fail(error));
    this.forget();
    location.hash = "";
    await this.route();
  }

  private forget(): void {
    this.account = null;
    this.key = null;
  }

  private lock(): void {
    this.key = null;
    void this.route();
  }

  private drawBar(): void {
    this.bar.hidden = this.account === null;
    if (this.account === null) return;
    const brand = h("a", { class: "brand", href: "#/" }, h("img", { src: iconUrl, alt: "", width: 24, height: 24 }), "Fairlock");
    const lock = h("button", { class: "plain", type: "button", onclick: () => this.lock() }, "Lock key");
    const out = h("button", { class: "plain", type: "button", onclick: () => void this.signOut() }, "Sign out");
    const who = h("span", { class: "who" }, this.account.name);
    fill(this.bar, brand, h("span", { class: "grow" }), this.key !== null && lock, who, out);
  }
}
