/** SFrame (RFC 9605) with cipher suite 0x0005, AES_256_GCM_SHA512_128: opening only. */
import { bigEndian, type Bytes, concat, equal, utf8 } from "./bytes";
import { IntegrityError } from "./outcome";

const SUITE = 5;
const EMPTY = new Uint8Array(0);

/** The key and salt derived from a base key for one key id (RFC 9605 section 4.4.2). */
export class SFrameKey {
  private constructor(
    private readonly keyId: number,
    private readonly key: CryptoKey,
    private readonly salt: Bytes,
  ) {}

  static async derive(baseKey: Bytes, keyId: number): Promise<SFrameKey> {
    const base = await crypto.subtle.importKey("raw", baseKey, "HKDF", false, ["deriveBits", "deriveKey"]);
    const suffix = concat(bigEndian(keyId, 8), bigEndian(SUITE, 2));
    const hkdf = (label: string): HkdfParams => ({
      name: "HKDF",
      hash: "SHA-512",
      salt: EMPTY,
      info: concat(utf8(`SFrame 1.0 Secret ${label} `), suffix),
    });
    const aes = { name: "AES-GCM", length: 256 };
    const key = await crypto.subtle.deriveKey(hkdf("key"), base, aes, false, ["decrypt"]);
    return new SFrameKey(keyId, key, new Uint8Array(await crypto.subtle.deriveBits(hkdf("salt"), base, 96)));
  }

  /** Open the ciphertext that must stand at `counter`; throws `bad-fragment`. */
  async open(counter: number, data: Bytes, metadata: Bytes): Promise<Bytes> {
    const header = encodeHeader(this.keyId, counter);
    if (!equal(data.subarray(0, header.length), header)) {
      throw new IntegrityError("bad-fragment", `fragment ${counter} is of another place or track`);
    }
    const algorithm = { name: "AES-GCM", iv: this.nonce(counter), additionalData: concat(header, metadata) };
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.key, data.subarray(header.length)));
    } catch {
      throw new IntegrityError("bad-fragment", `fragment ${counter} was changed`);
    }
  }

  private nonce(counter: number): Bytes {
    const mask = bigEndian(counter, this.salt.length);
    return this.salt.map((byte, index) => byte ^ (mask[index] ?? 0));
  }
}

/** Return the SFrame header (RFC 9605 section 4.3): one config byte, then long forms of KID and CTR. */
export function encodeHeader(keyId: number, counter: number): Bytes {
  const [kidBits, kid] = field(keyId);
  const [ctrBits, ctr] = field(counter);
  return concat(new Uint8Array([(kidBits << 4) | ctrBits]), kid, ctr);
}

function field(value: number): [number, Bytes] {
  if (value < 8) return [value, EMPTY];
  let size = 1;
  while (value >= 256 ** size) size += 1;
  return [8 | (size - 1), bigEndian(value, size)];
}
