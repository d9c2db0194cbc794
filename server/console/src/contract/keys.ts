/** An examiner's private key under a passphrase, as `app/contract/sealing/keys.py`: opened here, never readable. */
import { type Bytes, equal, utf8 } from "./bytes";
import { IntegrityError } from "./outcome";
import { keyId } from "./jws";
import { bytes, int, object, type Read, text } from "./reader";

export const PROTECTED_KEY = object({
  id: text({ min: 43, max: 43 }),
  public: bytes({ min: 65, max: 65 }),
  rounds: int({ min: 1_000, max: 10_000_000 }),
  salt: bytes({ min: 16, max: 16 }),
  nonce: bytes({ min: 12, max: 12 }),
  sealed: bytes({ min: 32, max: 1_000 }),
});
export type ProtectedKey = Read<typeof PROTECTED_KEY>;

/**
 * A recipient's key pair. The private half opens segments (`privateKey`) and signs grants (`signingKey`); neither form of
 * it can be exported.
 */
export interface RecipientKey {
  readonly id: string;
  readonly publicBytes: Bytes;
  readonly privateKey: CryptoKey;
  readonly signingKey: CryptoKey;
}

/** The passphrase does not open the key. */
export class WrongPassphrase extends Error {
  override readonly name = "WrongPassphrase";
}

/**
 * Open a protected key: PBKDF2-HMAC-SHA-512, then AES-256-GCM. The unwrapped key is non-extractable.
 * Throws `WrongPassphrase`, or `bad-format` for a blob whose id is not its public key's.
 */
export async function unprotect(blob: ProtectedKey, passphrase: string): Promise<RecipientKey> {
  if ((await keyId(blob.public)) !== blob.id) throw new IntegrityError("bad-format", "the key's id is not its own");
  const base = await crypto.subtle.importKey("raw", utf8(passphrase), "PBKDF2", false, ["deriveKey"]);
  const pbkdf2 = { name: "PBKDF2", hash: "SHA-512", salt: blob.salt, iterations: blob.rounds };
  const kek = await crypto.subtle.deriveKey(pbkdf2, base, { name: "AES-GCM", length: 256 }, false, ["unwrapKey"]);
  const gcm = { name: "AES-GCM", iv: blob.nonce, additionalData: utf8(blob.id) };
  const unwrap = (name: string, usage: KeyUsage): Promise<CryptoKey> =>
    crypto.subtle.unwrapKey("pkcs8", blob.sealed, kek, gcm, { name, namedCurve: "P-256" }, false, [usage]).catch(() => {
      throw new WrongPassphrase("The passphrase does not open this key.");
    });
  const [key, signingKey] = await Promise.all([unwrap("ECDH", "deriveBits"), unwrap("ECDSA", "sign")]);
  if (!(await belongTogether(key, blob.public))) {
    throw new IntegrityError("bad-format", "the protected key is another than it says");
  }
  return { id: blob.id, publicBytes: blob.public, privateKey: key, signingKey };
}

/** Whether a private key that can't be read is the one of `publicBytes`: both must agree on a secret with a third key. */
async function belongTogether(privateKey: CryptoKey, publicBytes: Bytes): Promise<boolean> {
  const ecdh = { name: "ECDH", namedCurve: "P-256" };
  const third = await crypto.subtle.generateKey(ecdh, false, ["deriveBits"]);
  try {
    const theirs = await crypto.subtle.importKey("raw", publicBytes, ecdh, false, []);
    const [one, other] = await Promise.all([
      crypto.subtle.deriveBits({ name: "ECDH", public: third.publicKey }, privateKey, 256),
      crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, third.privateKey, 256),
    ]);
    return equal(new Uint8Array(one), new Uint8Array(other));
  } catch {
    return false;
  }
}
