/** Opening the examiner's key with the passphrase, in this page alone. */
import * as api from "../api";
import { type RecipientKey, unprotect } from "../contract/keys";
import { h } from "../view/dom";
import { publicKeyLink, thumbprint } from "../view/public_key";
import { explain } from "../view/words";

/** Return the form; `mayOpen` says of a key id whether it may open this session, `null` where nobody can tell. */
export function unlockForm(
  keys: readonly api.StoredKey[],
  mayOpen: (keyId: string) => boolean | null,
  done: (key: RecipientKey) => void,
): HTMLElement {
  const usable = keys.filter((key) => mayOpen(key.id) !== false);
  if (usable.length === 0) return noKey(keys);
  const select = h("select", { id: "key" }, ...usable.map((key) => h("option", { value: key.id }, key.label)));
  const passphrase = h("input", { id: "passphrase", type: "password", autocomplete: "off", required: true });
  const button = h("button", { class: "primary", type: "submit" }, "Unlock");
  const progress = h("progress", { hidden: true, "aria-label": "Opening the key" });
  const problem = h("p", { class: "problem", role: "alert" });

  const submit = async (): Promise<void> => {
    const stored = usable.find((key) => key.id === select.value)?.key;
    if (stored === undefined || stored === null) return;
    button.disabled = true;
    progress.hidden = false;
    problem.textContent = "";
    try {
      const key = await unprotect(stored, passphrase.value);
      // Who has left the page, or signed out, while it was opened does not find it open elsewhere.
      if (form.isConnected) done(key);
    } catch (error) {
      problem.textContent = explain(error);
      passphrase.select();
    } finally {
      passphrase.value = problem.textContent === "" ? "" : passphrase.value;
      button.disabled = false;
      progress.hidden = true;
    }
  };

  const form = h(
    "form",
    {
      class: "unlock",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void submit();
      },
    },
    h("h2", null, "The recording is sealed"),
    h("p", { class: "quiet" }, "Your passphrase opens it here, in this page. Neither it nor your key is sent to the server."),
    usable.length > 1 && h("label", { for: "key" }, "Key"),
    usable.length > 1 ? select : h("p", { class: "keyname" }, `Key: ${usable[0]?.label ?? ""}`),
    h("label", { for: "passphrase" }, "Passphrase"),
    h("div", { class: "row" }, passphrase, button),
    progress,
    problem,
  );
  return form;
}

function noKey(keys: readonly api.StoredKey[]): HTMLElement {
  const why =
    keys.length === 0
      ? "There is no evidence key in your account. The recording can only be opened by the people its policy names."
      : "None of your keys is named in this exam's policy, so none of them can open this recording. Somebody whom it names can add you: send them your public key.";
  return h(
    "div",
    { class: "unlock" },
    h("h2", null, "The recording is sealed"),
    h("p", null, why),
    ...keys.flatMap(({ id, label, owner, key }) => [
      key !== null && publicKeyLink({ id, name: `${owner} (${label})`, key: key.public }),
      h("p", { class: "quiet" }, "Its thumbprint, for them to compare: ", h("code", null, thumbprint(id))),
    ]),
    h("p", { class: "quiet" }, "Its signatures are checked all the same."),
  );
}
