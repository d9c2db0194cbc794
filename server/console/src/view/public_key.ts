/** Public key files: what an examiner sends to somebody who can add them, and how that file is read. */
import { b64, type Json } from "../contract/canonical";
import { type Recipient } from "../contract/grants";
import { IntegrityError } from "../contract/outcome";
import { RECIPIENT } from "../contract/policy";
import { h } from "./dom";

const MAX_FILE = 16 * 1024;

/** Return a link that saves a public key as a file; nothing secret is in it. */
export function publicKeyLink({ id, name, key }: Recipient): HTMLElement {
  const text = JSON.stringify({ id, name, key: b64(key) }, null, 1);
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  return h("a", { class: "button", href, download: `fairlock-public-key-${id.slice(0, 8)}.json` }, `Save the public key of ${name}`);
}

/** Return a key's id in groups, as one reads it to somebody. */
export function thumbprint(id: string): string {
  return id.match(/.{1,6}/g)?.join(" ") ?? id;
}

/** Read a public key file; throws `bad-format`. Whether it is its own id's key is for `checkRecipient`. */
export async function readPublicKey(file: File): Promise<Recipient> {
  if (file.size > MAX_FILE) throw new IntegrityError("bad-format", "the file is too large for a public key");
  let value: Json;
  try {
    value = JSON.parse(await file.text()) as Json;
  } catch {
    throw new IntegrityError("bad-format", "the file is not a public key");
  }
  if (value !== null && typeof value === "object" && "sealed" in value) {
    throw new IntegrityError("bad-format", "this is a private key file; ask for the public one, and for nobody's passphrase");
  }
  return RECIPIENT.read(value, "the file");
}
