/** The published vectors of the standards underneath (tests/vectors/standards.json), and canonical JSON. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Bytes, concat, utf8 } from "../src/contract/bytes";
import { b64, dumps, loads, unb64 } from "../src/contract/canonical";
import { type AeadId, open } from "../src/contract/hpke";
import { IntegrityError } from "../src/contract/outcome";
import { encodeHeader, SFrameKey } from "../src/contract/sframe";

const FOLDER = join(import.meta.dirname, "../../../tests/vectors");
const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));

interface Standards {
  readonly sframe: Readonly<Record<"base_key" | "metadata" | "plaintext" | "sealed", string>> & { kid: number; ctr: number };
  readonly sframe_headers: { readonly headers: readonly { kid: string; ctr: string; encoded: string }[] };
  readonly hpke: readonly (Readonly<Record<"info" | "skRm" | "pkRm" | "enc" | "aad" | "pt" | "ct", string>> & { aead: AeadId })[];
  readonly jws_eddsa: Readonly<Record<"public" | "signing_input" | "signature", string>>;
}

const STANDARDS = read("standards.json") as Standards;
const JSON_TEXTS = read("canonical.json") as { canonical: readonly string[]; not_canonical: readonly string[] };

const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text, "hex"));

describe("HPKE", () => {
  test.each(STANDARDS.hpke)("opens what RFC 9180 sealed (AEAD $aead)", async (vector) => {
    const publicKey = hex(vector.pkRm);
    const jwk = {
      kty: "EC",
      crv: "P-256",
      d: b64(hex(vector.skRm)),
      x: b64(publicKey.slice(1, 33)),
      y: b64(publicKey.slice(33)),
    };
    const ecdh = { name: "ECDH", namedCurve: "P-256" };
    const privateKey = await crypto.subtle.importKey("jwk", jwk, ecdh, false, ["deriveBits"]);
    const sealed = concat(hex(vector.enc), hex(vector.ct));
    const options = { aead: vector.aead, associated: hex(vector.aad) };
    expect(await open(sealed, privateKey, publicKey, hex(vector.info), options)).toEqual(hex(vector.pt));
    const otherInfo = concat(hex(vector.info), utf8("!"));
    await expect(open(sealed, privateKey, publicKey, otherInfo, options)).rejects.toThrow();
  });
});

describe("SFrame", () => {
  const vector = STANDARDS.sframe;

  test("opens what RFC 9605 sealed, and nothing else", async () => {
    const key = await SFrameKey.derive(hex(vector.base_key), vector.kid);
    const sealed = hex(vector.sealed);
    expect(await key.open(vector.ctr, sealed, hex(vector.metadata))).toEqual(hex(vector.plaintext));
    await expect(key.open(vector.ctr + 1, sealed, hex(vector.metadata))).rejects.toThrow("another place");
    await expect(key.open(vector.ctr, sealed, utf8("other"))).rejects.toThrow("was changed");
  });

  // The page counts in doubles; the RFC's headers beyond 2^53 can't come up.
  const headers = STANDARDS.sframe_headers.headers.filter((header) => {
    return Number.isSafeInteger(Number(header.kid)) && Number.isSafeInteger(Number(header.ctr));
  });
  test.each(headers)("header $encoded", ({ kid, ctr, encoded }) => {
    expect(encodeHeader(Number(kid), Number(ctr))).toEqual(hex(encoded));
  });
});

test("Ed25519 verifies the signature of RFC 8037", async () => {
  const vector = STANDARDS.jws_eddsa;
  const key = await crypto.subtle.importKey("raw", hex(vector.public), { name: "Ed25519" }, false, ["verify"]);
  const signature = unb64(vector.signature);
  expect(await crypto.subtle.verify("Ed25519", key, signature, utf8(vector.signing_input))).toBe(true);
});

describe("canonical JSON", () => {
  test.each(JSON_TEXTS.canonical)("%s", (text) => {
    expect(dumps(loads(utf8(text)))).toEqual(utf8(text));
  });

  test.each(JSON_TEXTS.not_canonical)("refuses %s", (text) => {
    expect(() => loads(utf8(text))).toThrow(IntegrityError);
  });

  test("refuses a byte order mark and broken UTF-8", () => {
    expect(() => loads(new Uint8Array([0xef, 0xbb, 0xbf, 0x31]))).toThrow(IntegrityError);
    expect(() => loads(new Uint8Array([0x22, 0xff, 0x22]))).toThrow(IntegrityError);
  });

  test.each(["AA=", "A", "AB", "A A", "+/+/", "AAA="])("base64url refuses %s", (text) => {
    expect(() => unb64(text)).toThrow(IntegrityError);
  });
});
