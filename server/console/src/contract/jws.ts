/**
 * Compact JWS (RFC 7515) with two algorithms: EdDSA over Ed25519 and ES256, as `app/contract/sealing/jws.py`.
 *
 * The algorithm follows from the key that the verifier chose, never from the header; `typ` separates the domains.
 */
import { type Bytes, sha256, utf8 } from "./bytes";
import { b64, dumps, type Json, loads, unb64 } from "./canonical";
import { IntegrityError } from "./outcome";
import { object, type Read, type Reader, text } from "./reader";

const MAX_JWS = 256 * 1024;

/** A public key to verify with; `id` is base64url(SHA-256(public bytes)). */
export interface VerifyingKey {
  readonly id: string;
  readonly algorithm: "EdDSA" | "ES256";
  readonly key: CryptoKey;
}

/** Return the thumbprint of a public key's bytes. */
export async function keyId(publicBytes: Bytes): Promise<string> {
  return b64(await sha256(publicBytes));
}

/** Read a raw Ed25519 public key (32 bytes). */
export async function ed25519(data: Bytes): Promise<VerifyingKey> {
  const key = await importKey(data, { name: "Ed25519" }, "not an Ed25519 public key");
  return { id: await keyId(data), algorithm: "EdDSA", key };
}

/** Read an uncompressed P-256 point (65 bytes) that signs with ECDSA. */
export async function p256(data: Bytes): Promise<VerifyingKey> {
  const key = await importKey(data, { name: "ECDSA", namedCurve: "P-256" }, "not a P-256 public key");
  return { id: await keyId(data), algorithm: "ES256", key };
}

async function importKey(data: Bytes, algorithm: Algorithm | EcKeyImportParams, why: string): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", data, algorithm, false, ["verify"]);
  } catch {
    throw new IntegrityError("bad-format", why);
  }
}

const HEADER = object({ alg: text(), kid: text(), typ: text() });

/** Check `token` against `key` and return its payload; throws `bad-format`, `unknown-key` or `bad-signature`. */
export async function verify<T>(payload: Reader<T>, token: string, key: VerifyingKey, typ: string): Promise<T> {
  const { header, signed, signature } = split(token);
  if (header.typ !== typ || header.alg !== key.algorithm) {
    throw new IntegrityError("bad-signature", `signed as ${header.typ} with ${header.alg}, expected ${typ}`);
  }
  if (header.kid !== key.id) throw new IntegrityError("unknown-key", `signed with key ${header.kid}`);
  const algorithm = key.algorithm === "EdDSA" ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-256" };
  if (!(await crypto.subtle.verify(algorithm, key.key, signature, utf8(signed)))) {
    throw new IntegrityError("bad-signature", "the signature does not fit");
  }
  return unverified(payload, token);
}

/** Return the compact JWS of `payload`, signed with a P-256 key (ES256) whose id is `kid`. */
export async function sign(payload: Json, kid: string, key: CryptoKey, typ: string): Promise<string> {
  const signed = `${b64(dumps({ alg: "ES256", kid, typ }))}.${b64(dumps(payload))}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, utf8(signed));
  return `${signed}.${b64(new Uint8Array(signature))}`;
}

/** Return the payload without checking the signature; only to find out which key to check with. */
export function unverified<T>(payload: Reader<T>, token: string): T {
  return payload.read(loads(unb64(parts(token)[1])), "Payload");
}

/** Return the id of the key that `token` says it was signed with. */
export function keyIdOf(token: string): string {
  return split(token).header.kid;
}

/** Return SHA-256 of the compact form: what chains and receipts refer to. */
export function digest(token: string): Promise<Bytes> {
  return sha256(utf8(token));
}

function parts(token: string): [string, string, string] {
  const [head, body, tail, ...rest] = token.split(".");
  const whole = head !== undefined && body !== undefined && tail !== undefined && rest.length === 0;
  if (!whole || token.length > MAX_JWS || !/^[\x00-\x7f]*$/.test(token)) {
    throw new IntegrityError("bad-format", "not a compact JWS");
  }
  return [head, body, tail];
}

function split(token: string): { header: Read<typeof HEADER>; signed: string; signature: Bytes } {
  const [head, body, tail] = parts(token);
  return { header: HEADER.read(loads(unb64(head)), "Header"), signed: `${head}.${body}`, signature: unb64(tail) };
}
