/** One track as it is recorded: only what the session has signed is shown, in order, and never anything older. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bigEndian, type Bytes, concat, sha256, utf8 } from "../src/contract/bytes";
import { b64, dumps, type Json, loads } from "../src/contract/canonical";
import { ed25519, type VerifyingKey } from "../src/contract/jws";
import { PROTECTED_KEY, type RecipientKey, unprotect } from "../src/contract/keys";
import type { Piece } from "../src/contract/live";
import { IntegrityError } from "../src/contract/outcome";
import { OPENING_TYPE } from "../src/contract/records";
import { openSegment, parse } from "../src/contract/segment";
import { type LivePart, LiveTrack } from "../src/session/live_track";
import { VECTORS } from "./fake_server";

let examiner: RecipientKey;
let stranger: RecipientKey;
let signing: CryptoKeyPair;
let vouched: VerifyingKey;
let track: LiveTrack;

const segment = (name: string, vector = "ok"): Bytes =>
  new Uint8Array(readFileSync(join(VECTORS, "exports", vector, "segments", `${name}.fls`)));
const SESSION = parse(segment("0-camera-0")).header.session;

async function key(name: string, passphrase: string): Promise<RecipientKey> {
  return unprotect(PROTECTED_KEY.read(loads(readFileSync(join(VECTORS, `keys/${name}.json`))), "key"), passphrase);
}

beforeAll(async () => {
  examiner = await key("examiner", "correct horse battery staple");
  stranger = await key("stranger", "pässphräse");
  signing = (await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"])) as CryptoKeyPair;
  vouched = await ed25519(new Uint8Array(await crypto.subtle.exportKey("raw", signing.publicKey)));
});

beforeEach(() => {
  track = followed(examiner);
});

function followed(recipient: RecipientKey, session = SESSION): LiveTrack {
  const keyOf = (epoch: number): Promise<VerifyingKey> =>
    epoch < 2 ? Promise.resolve(vouched) : Promise.reject(new IntegrityError("unknown-key", "no binding"));
  return new LiveTrack(session, "camera", recipient, keyOf);
}

interface Changes {
  readonly typ?: string;
  readonly key?: CryptoKey;
  readonly said?: { readonly [name: string]: Json };
  readonly place?: Partial<Piece>;
}

/** The piece that goes before a file: the session's word on its header. */
async function opening(file: Bytes, { typ = OPENING_TYPE, key = signing.privateKey, said = {}, place = {} }: Changes = {}): Promise<Piece> {
  const { header, headerBytes } = parse(file);
  const { session, epoch, sequence } = header;
  const payload = { version: 1, session, epoch, track: header.track, sequence, header: b64(await sha256(headerBytes)), ...said };
  const signed = `${b64(dumps({ alg: "EdDSA", kid: vouched.id, typ }))}.${b64(dumps(payload))}`;
  const signature = await crypto.subtle.sign("Ed25519", key, utf8(signed));
  const data = utf8(`${signed}.${b64(new Uint8Array(signature))}`);
  return { kind: "opening", track: "camera", epoch, sequence, offset: 0, data, ...place };
}

/** The file's pieces, cut without any regard to its fragments. */
function pieces(file: Bytes, step = 300, place: Partial<Piece> = {}): readonly Piece[] {
  const { epoch, sequence } = parse(file).header;
  return Array.from({ length: Math.ceil(file.length / step) }, (_, nth) => {
    const data = file.slice(nth * step, (nth + 1) * step);
    return { kind: "file", track: "camera", epoch, sequence, offset: nth * step, data, ...place };
  });
}

/** The same file under a header that says something else. */
function withHeader(file: Bytes, changes: { readonly [name: string]: Json }): Bytes {
  const { headerBytes } = parse(file);
  const header = dumps({ ...(loads(headerBytes) as object), ...changes });
  return concat(utf8("FLS1"), bigEndian(header.length, 4), header, file.slice(8 + headerBytes.length));
}

async function take(...some: readonly Piece[]): Promise<readonly LivePart[]> {
  const parts: LivePart[] = [];
  for (const piece of some) parts.push(...(await track.take(piece)));
  return parts;
}

async function plaintext(file: Bytes): Promise<string> {
  return b64(concat(...(await openSegment(file, examiner)).fragments));
}

const joined = (parts: readonly LivePart[]): string => b64(concat(...parts.map(({ data }) => data)));

async function outcome(...some: readonly Piece[]): Promise<string> {
  const said = await take(...some).catch((error: unknown) => error);
  if (said instanceof IntegrityError) return said.outcome;
  return Array.isArray(said) ? `shown: ${said.length}` : String(said);
}

describe("what is shown", () => {
  test("is what was sealed, however the file was cut", async () => {
    for (const step of [1, 97, 1_000, 1_000_000]) {
      track = followed(examiner);
      for (const name of ["0-camera-0", "0-camera-1", "1-camera-0"]) {
        const file = segment(name);
        const parts = await take(await opening(file), ...pieces(file, step));
        expect(joined(parts), name).toBe(await plaintext(file));
        const { header } = parse(file);
        expect(parts.map(({ begins }) => begins)).toEqual(parts.map((_, nth) => nth === 0));
        expect(new Set(parts.map(({ mime, zeroMs }) => `${mime} ${zeroMs}`))).toEqual(
          new Set([`${header.mime} ${header.utc_ms - header.start_ms}`]),
        );
      }
    }
  });

  test("comes as soon as its fragment is whole", async () => {
    const file = segment("0-camera-0");
    const [first, last] = [file.slice(0, -1), file.slice(-1)];
    const whole = parse(file).fragments.length;
    expect(whole).toBeGreaterThan(2);
    const place = { kind: "file", track: "camera", epoch: 0, sequence: 0 } as const;
    const early = await take(await opening(file), { ...place, offset: 0, data: first });
    expect(early.length).toBeGreaterThanOrEqual(whole - 2);
    await take({ ...place, offset: first.length, data: last });
  });
});

describe("nothing is shown of a segment", () => {
  const file = segment("0-camera-0");

  test("without the session's signature on its header", async () => {
    expect(await outcome(...pieces(file))).toBe("missing");
    expect(await outcome(...pieces(file))).toBe("shown: 0"); // said once
  });

  test("whose opening somebody else signed", async () => {
    const other = (await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"])) as CryptoKeyPair;
    expect(await outcome(await opening(file, { key: other.privateKey }), ...pieces(file))).toBe("bad-signature");
  });

  test("whose opening was signed as something else", async () => {
    expect(await outcome(await opening(file, { typ: "fairlock-record+v1" }), ...pieces(file))).toBe("bad-signature");
  });

  test("of a start that no binding names", async () => {
    const place = { epoch: 2 };
    expect(await outcome(await opening(file, { place }), ...pieces(file, 300, place))).toBe("unknown-key");
  });

  test.each([
    ["another session", { session: "another-session" }, "record-mismatch"],
    ["another epoch", { epoch: 1 }, "record-mismatch"],
    ["another track", { track: "screen" }, "record-mismatch"],
    ["another number", { sequence: 1 }, "record-mismatch"],
    ["another header", { header: b64(new Uint8Array(32)) }, "digest-mismatch"],
    ["something unknown", { more: 1 }, "bad-format"],
  ])("whose opening speaks of %s", async (_, said, expected) => {
    expect(await outcome(await opening(file, { said }), ...pieces(file))).toBe(expected);
  });

  test("that is of another session, with an opening to match", async () => {
    const foreign = segment("0-camera-0", "ok-torn-bytes");
    expect(parse(foreign).header.session).not.toBe(SESSION);
    expect(await outcome(await opening(foreign), ...pieces(foreign))).toBe("record-mismatch");
  });

  test("that came as another one", async () => {
    const place = { sequence: 5 };
    expect(await outcome(await opening(file, { place }), ...pieces(file, 300, place))).toBe("record-mismatch");
  });

  test("that is not sealed to the key at hand", async () => {
    track = followed(stranger);
    expect(await outcome(await opening(file), ...pieces(file))).toBe("wrong-recipient");
  });

  test.each(["opening", "file"] as const)("whose %s is noise", async (kind) => {
    const noise = { kind, track: "camera", epoch: 0, sequence: 0, offset: 0, data: Uint8Array.of(255, 0, 9) } as const;
    const some = kind === "opening" ? [noise, ...pieces(file)] : [await opening(file), noise];
    expect(await outcome(...some)).toBe("bad-format");
  });

  test("from a changed fragment on; the next segment is shown", async () => {
    const changed = file.slice();
    changed[changed.length - 40]! ^= 1;
    expect(await outcome(await opening(file), ...pieces(changed, changed.length))).toBe("bad-fragment");
    expect(await outcome(...pieces(file))).toBe("shown: 0");
    const next = segment("0-camera-1");
    expect(joined(await take(await opening(next), ...pieces(next)))).toBe(await plaintext(next));
  });

  test.each(["fragments-reordered", "fragment-dropped", "fragment-repeated", "fragment-of-other-segment"])("with %s", async (vector) => {
    const changed = segment("0-camera-1", vector);
    track = followed(examiner, parse(changed).header.session);
    expect(await outcome(await opening(changed), ...pieces(changed, changed.length))).toBe("bad-fragment");
  });

  test("behind its final fragment", async () => {
    const longer = concat(file, Uint8Array.of(0));
    expect(await outcome(await opening(file), ...pieces(longer, longer.length))).toBe("bad-format");
  });
});

describe("a piece that was missed", () => {
  test("leaves the rest of its segment unseen, without a word; the next one is shown", async () => {
    const [file, next] = [segment("0-camera-0"), segment("0-camera-1")];
    const { fragments, headerBytes } = parse(file);
    const first = 8 + headerBytes.length + 4 + fragments[0]!.length;
    const second = first + 4 + fragments[1]!.length;
    const place = { kind: "file", track: "camera", epoch: 0, sequence: 0 } as const;
    const before = await take(await opening(file), { ...place, offset: 0, data: file.slice(0, first) });
    expect(before.length).toBe(1);
    expect(await take({ ...place, offset: second, data: file.slice(second) })).toEqual([]);
    const after = await take(await opening(next), ...pieces(next));
    expect(joined(after)).toBe(await plaintext(next));
  });

  test("at the start of watching is waited out", async () => {
    expect(await take(...pieces(segment("0-camera-0"), 500).slice(1))).toEqual([]);
  });
});

describe("a segment that comes again", () => {
  test("after a cut goes on where it was, and repeats nothing", async () => {
    const file = segment("0-camera-0");
    const half = pieces(file, 500).slice(0, -1);
    const before = await take(await opening(file), ...half);
    const after = await take(await opening(file), ...pieces(file, 700));
    expect(before.length).toBeGreaterThan(0);
    expect(joined([...before, ...after])).toBe(await plaintext(file));
  });

  test("with another header is refused, even with an opening to match", async () => {
    const file = segment("0-camera-0");
    const twin = withHeader(file, { mime: "video/webm" });
    await take(await opening(file), ...pieces(file));
    expect(await outcome(await opening(twin), ...pieces(twin))).toBe("digest-mismatch");
  });

  test("as an older one than what was seen is not shown", async () => {
    const [older, newer, restarted] = [segment("0-camera-0"), segment("0-camera-1"), segment("1-camera-0")];
    await take(await opening(newer), ...pieces(newer));
    expect(await outcome(await opening(older), ...pieces(older))).toBe("shown: 0");
    await take(await opening(restarted), ...pieces(restarted));
    expect(await outcome(await opening(newer), ...pieces(newer))).toBe("shown: 0");
  });
});

describe("what nobody signed does not move a track", () => {
  const [file, next] = [segment("0-camera-0"), segment("0-camera-1")];
  const far = { kind: "file", track: "camera", epoch: 65_535, sequence: 2 ** 32 - 1, offset: 1, data: new Uint8Array(5) } as const;

  test("not before anything came, and not for ever", async () => {
    expect(await outcome(far)).toBe("shown: 0");
    expect(joined(await take(await opening(file), ...pieces(file)))).toBe(await plaintext(file));
  });

  test.each([
    ["a piece from the middle", [far]],
    ["an opening alone", [{ ...far, kind: "opening", offset: 0 }]],
    ["an opening and noise", [{ ...far, kind: "opening", offset: 0 }, { ...far, offset: 0 }]],
    ["a beginning without an opening", [{ ...far, offset: 0 }]],
  ] as const)("not in the midst of a segment: %s", async (_, strange) => {
    const half = pieces(file, 500);
    const before = await take(await opening(file), ...half.slice(0, -1));
    for (const piece of strange) await outcome(piece);
    const after = await take(...half.slice(-1), await opening(next), ...pieces(next));
    expect(joined([...before, ...after])).toBe(joinedPlain(await plaintext(file), await plaintext(next)));
  });

  test("and what is wrong with it is told, once", async () => {
    await take(await opening(file), ...pieces(file));
    expect(await outcome({ ...far, offset: 0 })).toBe("missing");
    expect(await outcome({ ...far, offset: 0 })).toBe("shown: 0");
    const { epoch, sequence } = far;
    expect(await outcome(await opening(next, { place: { epoch, sequence } }), ...pieces(next, 300, { epoch, sequence }))).toBe(
      "unknown-key",
    );
  });

  test("nor does what is left over of a connection that was given up", async () => {
    let goOn = (): void => undefined;
    const wait = new Promise<void>((resolve) => (goOn = resolve));
    let asked = 0;
    track = new LiveTrack(SESSION, "camera", examiner, async () => {
      asked += 1;
      if (asked === 1) await wait;
      return vouched;
    });
    const [whole] = pieces(file, file.length);
    await take(await opening(file));
    const left = take(whole!);
    const shown = await take(await opening(file), whole!);
    goOn();
    expect(joined(shown)).toBe(await plaintext(file));
    expect(await left).toEqual([]);
  });
});

const joinedPlain = (...parts: readonly string[]): string => b64(Buffer.concat(parts.map((part) => Buffer.from(part, "base64url"))));
