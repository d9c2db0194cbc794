/**
 * Canonical JSON and base64url: one byte string for one value, as in `app/contract/canonical.py`.
 *
 * The rules of RFC 8785 on a smaller domain: keys are ASCII and sorted, there are no floats, and integers stay
 * within ±(2^53 - 1).
 */
import { type Bytes, fromUtf8, utf8 } from "./bytes";
import { IntegrityError } from "./outcome";

export type Json = boolean | number | string | null | readonly Json[] | { readonly [key: string]: Json };

const MAX_DEPTH = 16;
const ASCII = /^[\x00-\x7f]*$/;

/** Return the canonical bytes of `value`; throws `RangeError` for what has no canonical form. */
export function dumps(value: Json): Bytes {
  return utf8(write(value, 0));
}

/** Parse canonical JSON; anything that `dumps` would not have written is refused (`bad-format`). */
export function loads(data: Uint8Array): Json {
  try {
    const text = fromUtf8(data);
    const value = JSON.parse(text) as Json;
    if (write(value, 0) === text) return value;
  } catch (error) {
    throw new IntegrityError("bad-format", `not JSON: ${String(error)}`);
  }
  throw new IntegrityError("bad-format", "JSON is not in canonical form");
}

function write(value: Json, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deeply");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("a number is not a safe integer");
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: Json) => write(item, depth + 1)).join(",")}]`;
  const map = value as { readonly [key: string]: Json };
  const fields = Object.keys(map).sort().map((key) => {
    if (!ASCII.test(key)) throw new RangeError("a key is not ASCII");
    return `${JSON.stringify(key)}:${write(map[key] as Json, depth + 1)}`;
  });
  return `{${fields.join(",")}}`;
}

function writeText(text: string): string {
  if (!text.isWellFormed()) throw new RangeError("a text holds half a character");
  return JSON.stringify(text);
}

/** Return base64url without padding (RFC 4648 section 5). */
export function b64(data: Uint8Array): string {
  let binary = "";
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Decode base64url without padding; stray characters, padding and non-zero spare bits are refused. */
export function unb64(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new IntegrityError("bad-format", "not base64url");
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const data = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) data[at] = binary.charCodeAt(at);
  if (b64(data) !== text) throw new IntegrityError("bad-format", "base64url is not in canonical form");
  return data;
}
