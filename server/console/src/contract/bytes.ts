/** Byte strings: joining, comparing, text and big-endian numbers. No I/O, no state. */

/** Bytes that WebCrypto and MediaSource accept (never over shared memory). */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Return the UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Decode strict UTF-8, a byte order mark included; throws `TypeError` on anything else. */
export function fromUtf8(data: Uint8Array): string {
  return decoder.decode(data);
}

/** Return all parts in one array. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Compare public values; not for secrets (it stops at the first difference). */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Return `value` as `size` big-endian bytes; `value` is a whole number that fits. */
export function bigEndian(value: number, size: number): Bytes {
  const out = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256)) out[at] = rest % 256;
  return out;
}

/** Read the unsigned 32-bit big-endian number at `at`. */
export function readU32(data: Uint8Array, at: number): number {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(at);
}

/** Return SHA-256 of `data`. */
export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}
