/**
 * HPKE (RFC 9180), base mode, single shot: the recipient's open and the sender's seal, with DHKEM(P-256, HKDF-SHA256),
 * HKDF-SHA256 and AES-GCM. WebCrypto only; the private key may be (and in the console is) non-extractable.
 *
 * Names in comments are the RFC's. All outputs are at most 32 bytes, so HKDF-Expand is one block.
 */
import { bigEndian, type Bytes, concat, utf8 } from "./bytes";

const EMPTY = new Uint8Array(0);
const KEM_ID = 0x0010;
const KDF_ID = 0x0001;
const ENC_BYTES = 65;
const ECDH = { name: "ECDH", namedCurve: "P-256" };

/** AES-128-GCM (1) is there for the RFC's own vector; evidence uses AES-256-GCM (2) alone. */
export type AeadId = 1 | 2;

/** Open `sealed` = enc ‖ ciphertext; throws when it was not made for this key and `info`. */
export async function open(
  sealed: Bytes,
  privateKey: CryptoKey,
  publicKey: Bytes,
  info: Bytes,
  { aead = 2, associated = EMPTY }: { aead?: AeadId; associated?: Bytes } = {},
): Promise<Bytes> {
  const enc = sealed.slice(0, ENC_BYTES);
  const dh = await agree(privateKey, enc);
  const { key, nonce } = await schedule(await sharedSecret(dh, enc, publicKey), info, aead, "decrypt");
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: associated };
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.slice(ENC_BYTES)));
}

/** Return enc ‖ ciphertext for the holder of `publicKey` (65 bytes), with a key pair made for this one message. */
export async function seal(plaintext: Bytes, publicKey: Bytes, info: Bytes): Promise<Bytes> {
  const ephemeral = await crypto.subtle.generateKey(ECDH, false, ["deriveBits"]);
  const enc = new Uint8Array(await crypto.subtle.exportKey("raw", ephemeral.publicKey));
  const dh = await agree(ephemeral.privateKey, publicKey);
  const { key, nonce } = await schedule(await sharedSecret(dh, enc, publicKey), info, 2, "encrypt");
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: EMPTY };
  return concat(enc, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, plaintext)));
}

async function agree(privateKey: CryptoKey, point: Bytes): Promise<Bytes> {
  const other = await crypto.subtle.importKey("raw", point, ECDH, false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: other }, privateKey, 256));
}

/** ExtractAndExpand of Encap and Decap (section 4.1). */
async function sharedSecret(dh: Bytes, enc: Bytes, publicKey: Bytes): Promise<Bytes> {
  const suite = concat(utf8("KEM"), bigEndian(KEM_ID, 2));
  const prk = await labeledExtract(suite, EMPTY, "eae_prk", dh);
  return labeledExpand(suite, prk, "shared_secret", concat(enc, publicKey), 32);
}

/** KeySchedule (section 5.1) for mode_base, where psk and psk_id are empty. */
async function schedule(
  shared: Bytes,
  info: Bytes,
  aead: AeadId,
  usage: "encrypt" | "decrypt",
): Promise<{ key: CryptoKey; nonce: Bytes }> {
  const suite = concat(utf8("HPKE"), bigEndian(KEM_ID, 2), bigEndian(KDF_ID, 2), bigEndian(aead, 2));
  const pskIdHash = await labeledExtract(suite, EMPTY, "psk_id_hash", EMPTY);
  const infoHash = await labeledExtract(suite, EMPTY, "info_hash", info);
  const context = concat(bigEndian(0, 1), pskIdHash, infoHash);
  const secret = await labeledExtract(suite, shared, "secret", EMPTY);
  const raw = await labeledExpand(suite, secret, "key", context, aead === 1 ? 16 : 32);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [usage]);
  return { key, nonce: await labeledExpand(suite, secret, "base_nonce", context, 12) };
}

function labeledExtract(suite: Bytes, salt: Bytes, label: string, ikm: Bytes): Promise<Bytes> {
  return hmac(salt, concat(utf8("HPKE-v1"), suite, utf8(label), ikm));
}

async function labeledExpand(suite: Bytes, prk: Bytes, label: string, info: Bytes, size: number): Promise<Bytes> {
  const labeled = concat(bigEndian(size, 2), utf8("HPKE-v1"), suite, utf8(label), info);
  return (await hmac(prk, concat(labeled, bigEndian(1, 1)))).slice(0, size);
}

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  // WebCrypto refuses an empty HMAC key; HMAC pads keys with zeros, so one zero byte is the same key.
  const raw = key.length > 0 ? key : new Uint8Array(1);
  const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}
