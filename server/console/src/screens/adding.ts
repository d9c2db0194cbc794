/** Who may open a recording, and adding somebody: choose their public key file, compare its thumbprint, confirm. */
import { checkRecipient, type Recipient } from "../contract/grants";
import type { RecipientKey } from "../contract/keys";
import type { Evidence } from "../session/evidence";
import { addRecipient } from "../session/granting";
import { fill, h } from "../view/dom";
import { count } from "../view/format";
import { readPublicKey, thumbprint } from "../view/public_key";
import { recipientList } from "../view/recipients";
import { explain } from "../view/words";

/** The section of the session page; belongs to it and stops with it. */
export class Recipients {
  readonly element = h("section", { class: "particulars", id: "recipients" });
  private readonly list = h("div");
  private readonly form = h("div", { class: "adding" });
  private readonly stop = new AbortController();

  constructor(private readonly evidence: Evidence) {
    fill(this.element, h("h2", null, "Who may open this recording"), this.list, this.form);
    this.draw();
  }

  close(): void {
    this.stop.abort();
  }

  /** Show what is known of the grants by now: opening segments may tell more. */
  draw(): void {
    fill(this.list, recipientList(this.evidence));
  }

  /** Offer to add somebody; only a key that the policy names can. */
  unlock(key: RecipientKey): void {
    this.draw();
    if (this.evidence.isNamed(key.id)) this.ask(key);
    else fill(this.form);
  }

  private ask(key: RecipientKey, said: Node | null = null): void {
    const input = h("input", { id: "public-key", type: "file", accept: ".json,application/json" });
    input.addEventListener("change", () => void this.chosen(key, input.files?.[0] ?? null));
    const label = h("label", { for: "public-key" }, "Add a recipient: choose their public key file");
    fill(this.form, said, label, input);
  }

  private async chosen(key: RecipientKey, file: File | null): Promise<void> {
    const { policy } = this.evidence.statements;
    if (file === null || policy === null) return;
    try {
      const recipient = await readPublicKey(file);
      await checkRecipient(recipient, policy);
      this.confirm(key, recipient);
    } catch (error) {
      this.ask(key, h("p", { class: "problem", role: "alert" }, explain(error)));
    }
  }

  private confirm(key: RecipientKey, recipient: Recipient): void {
    const add = h("button", { class: "primary", type: "button", onclick: () => void this.add(key, recipient) }, `Add ${recipient.name}`);
    const cancel = h("button", { type: "button", onclick: () => this.ask(key) }, "Cancel");
    fill(
      this.form,
      h("p", null, h("strong", null, recipient.name), ` ${reach(this.evidence)} It can't be taken back.`),
      h("p", null, "Thumbprint of the key: ", h("code", { id: "thumbprint" }, thumbprint(recipient.id))),
      h("p", { class: "quiet" }, "Ask them to read it to you, in person or by telephone: whoever sent you the file may not be who they say."),
      h("div", { class: "row" }, add, cancel),
    );
    add.focus();
  }

  private async add(key: RecipientKey, recipient: Recipient): Promise<void> {
    const total = this.evidence.statements.entries.length;
    const progress = h("progress", { max: Math.max(1, total), value: 0, "aria-label": "Wrapping keys" });
    fill(this.form, h("p", { role: "status" }, `Wrapping the keys of ${count(total, "segment")} for ${recipient.name}…`), progress);
    try {
      const told = (done: number): void => void (progress.value = done);
      const { segments, left } = await addRecipient(this.evidence, key, recipient, told, this.stop.signal);
      const rest = left > 0 ? ` ${count(left, "segment")} could not be included: missing or at fault.` : "";
      const said = `${recipient.name} can open ${count(segments, "segment")} now.${rest}`;
      this.ask(key, h("p", { role: "status" }, said, await this.shown()));
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.ask(key, h("p", { class: "problem", role: "alert" }, explain(error)));
    }
  }

  /** Show who was added by now. What was handed in stands, even where that can't be shown: then say why. */
  private async shown(): Promise<string> {
    try {
      await this.evidence.reloadGrants();
    } catch (error) {
      return ` The list above could not be loaded anew. ${explain(error)}`;
    }
    this.draw();
    return "";
  }
}

/** Return what an added person will be able to open: the files of which this page knows. */
function reach({ statements, manifest }: Evidence): string {
  const files = count(statements.entries.length, "segment");
  const said = `will be able to open all ${files} that were stored when this page was loaded.`;
  return manifest.end === null ? `${said} The session goes on: to include what came since, cancel and press Refresh first.` : said;
}
