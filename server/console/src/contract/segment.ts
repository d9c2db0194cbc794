/**
 * Segments: parsing and opening, as `app/contract/sealing/segment.py`.
 *
 *     "FLS1" ‖ u32 length ‖ header (canonical JSON) ‖ { u32 length ‖ SFrame }*
 */
import { bigEndian, type Bytes, concat, equal, fromUtf8, readU32, sha256, utf8 } from "./bytes";
import { dumps, type Json, loads } from "./canonical";
import { open as hpkeOpen } from "./hpke";
import type { RecipientKey } from "./keys";
import { IntegrityError } from "./outcome";
import { bytes, int, list, object, type Read, text } from "./reader";
import { digestReader, epochReader, sequenceReader, sessionReader, TRACK_KEY_IDS, trackReader, versionReader } from "./records";
import { SFrameKey } from "./sframe";

const MAGIC = "FLS1";
const SUITE_NAME = "HPKE-P256-SHA256-AES256GCM/SFrame-5";
/** A file that is larger can't be taken. */
export const MAX_SEGMENT = 64 * 1024 * 1024;
const MAX_HEADER = 64 * 1024;
export const MAX_FRAGMENT = 8 * 1024 * 1024;
/** As many as a record may speak of. Without it a file of zeros would be millions of empty ones. */
export const MAX_FRAGMENTS = 1_000_000;

const WRAP = object({ recipient: text({ min: 43, max: 43 }), key: bytes({ min: 113, max: 113 }) });

export const SEGMENT_HEADER = object({
  version: versionReader,
  suite: text({ max: 100 }),
  session: sessionReader,
  epoch: epochReader,
  track: trackReader,
  sequence: sequenceReader,
  mime: text({ max: 200 }),
  start_ms: int({ min: 0 }),
  utc_ms: int({ min: 0 }),
  previous: digestReader,
  commitment: digestReader,
  wraps: list(WRAP, { max: 64 }),
});
export type SegmentHeader = Read<typeof SEGMENT_HEADER>;

/** A segment's header, as it was read and as it stands in the file. */
export interface SegmentHead {
  readonly header: SegmentHeader;
  readonly headerBytes: Bytes;
}

/** A segment file taken apart without any key. `torn` counts bytes of an unfinished last fragment. */
export interface ParsedSegment extends SegmentHead {
  readonly fragments: readonly Bytes[];
  readonly torn: number;
}

/** A segment's plaintext fragments; `complete` says whether the final one was there. */
export interface OpenedSegment {
  readonly header: SegmentHeader;
  readonly fragments: readonly Bytes[];
  readonly complete: boolean;
}

/** Take a segment file apart; throws `bad-format` or `unknown-suite`. */
export function parse(data: Bytes): ParsedSegment {
  if (data.length > MAX_SEGMENT) throw new IntegrityError("bad-format", `is larger than ${MAX_SEGMENT} bytes`);
  const head = parseHead(data);
  if (head === null) throw new IntegrityError("bad-format", "the header is cut off");
  const fragments: Bytes[] = [];
  let at = fragmentsFrom(head);
  while (at + 4 <= data.length) {
    const size = readU32(data, at);
    if (size > MAX_FRAGMENT) {
      throw new IntegrityError("bad-format", `fragment ${fragments.length} claims ${size} bytes`);
    }
    if (at + 4 + size > data.length) break;
    if (fragments.length === MAX_FRAGMENTS) {
      throw new IntegrityError("bad-format", `holds more than ${MAX_FRAGMENTS} fragments`);
    }
    fragments.push(data.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return { ...head, fragments, torn: data.length - at };
}

/** Read the header at the front of a file, or `null` while it has not come whole; throws as `parse`. */
export function parseHead(data: Bytes): SegmentHead | null {
  const magic = data.subarray(0, MAGIC.length);
  if (!equal(magic, utf8(MAGIC).subarray(0, magic.length))) throw new IntegrityError("bad-format", "not a segment file");
  if (data.length < 8) return null;
  const length = readU32(data, 4);
  if (length > MAX_HEADER) throw new IntegrityError("bad-format", "the header is too large");
  if (8 + length > data.length) return null;
  const headerBytes = data.slice(8, 8 + length);
  return { header: readHeader(headerBytes), headerBytes };
}

/** Return where in the file the fragments begin. */
export function fragmentsFrom({ headerBytes }: SegmentHead): number {
  return 8 + headerBytes.length;
}

function readHeader(headerBytes: Bytes): SegmentHeader {
  const value = loads(headerBytes);
  const suite = field(value, "suite");
  if (typeof suite === "string" && suite !== SUITE_NAME) {
    throw new IntegrityError("unknown-suite", `suite '${suite}' is not known`);
  }
  return SEGMENT_HEADER.read(value, "SegmentHeader");
}

function field(value: Json, key: string): Json | undefined {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject && Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}

/** Return the data key; throws `wrong-recipient`, `bad-wrap` or `bad-commitment`. */
export async function unwrap(parsed: SegmentHead, recipient: RecipientKey): Promise<Bytes> {
  const wrap = parsed.header.wraps.find((entry) => entry.recipient === recipient.id);
  if (wrap === undefined) throw new IntegrityError("wrong-recipient", "the segment is not sealed to this key");
  return openWrap(parsed, wrap.key, recipient, info(parsed));
}

/** Return the data key from a wrap of a grant (enc ‖ ciphertext); throws `bad-wrap` or `bad-commitment`. */
export async function unwrapGranted(parsed: ParsedSegment, wrap: Bytes, recipient: RecipientKey): Promise<Bytes> {
  return openWrap(parsed, wrap, recipient, grantInfo(parsed));
}

async function openWrap(parsed: SegmentHead, wrap: Bytes, recipient: RecipientKey, bound: Bytes): Promise<Bytes> {
  const dataKey = await hpkeOpen(wrap, recipient.privateKey, recipient.publicBytes, bound).catch(() => {
    throw new IntegrityError("bad-wrap", "the wrapped key does not open under this header");
  });
  const commitment = await sha256(concat(utf8("fairlock-commit-v1\0"), dataKey));
  if (!equal(commitment, parsed.header.commitment)) {
    throw new IntegrityError("bad-commitment", "the data key is not the one committed to");
  }
  return dataKey;
}

/** HPKE's info: a prefix and the header with an empty list of wraps. */
function info(parsed: SegmentHead): Bytes {
  const header = JSON.parse(fromUtf8(parsed.headerBytes)) as { readonly [key: string]: Json };
  return concat(utf8("fairlock-segment-v1\0"), dumps({ ...header, wraps: [] }));
}

/** HPKE's info of a wrap that was added later: a prefix and the header as it stands in the file. */
export function grantInfo(parsed: ParsedSegment): Bytes {
  return concat(utf8("fairlock-grant-v1\0"), parsed.headerBytes);
}

/**
 * Decrypt a parsed segment. A file that stops early opens with `complete` false; whether that is allowed is for
 * the record to say. Throws the first fault.
 */
export async function openParsed(parsed: ParsedSegment, recipient: RecipientKey): Promise<OpenedSegment> {
  return openWith(parsed, await unwrap(parsed, recipient));
}

/** Decrypt a parsed segment with its data key, as `openParsed`. */
export async function openWith(parsed: ParsedSegment, dataKey: Bytes): Promise<OpenedSegment> {
  const key = await SFrameKey.derive(dataKey, TRACK_KEY_IDS[parsed.header.track]);
  const bound = await sha256(parsed.headerBytes);
  const opened: Bytes[] = [];
  let complete = false;
  for (const [index, sealed] of parsed.fragments.entries()) {
    const last = index === parsed.fragments.length - 1;
    try {
      opened.push(await key.open(index, sealed, metadata(bound, index, last)));
      complete = last;
    } catch (error) {
      if (!last) throw error;
      // The file stops before its final fragment: torn by a crash, or cut.
      opened.push(await key.open(index, sealed, metadata(bound, index, false)));
    }
  }
  if (parsed.torn > 0 && complete) throw new IntegrityError("bad-format", "bytes follow the final fragment");
  return { header: parsed.header, fragments: opened, complete };
}

/** Decrypt a segment file: `parse`, then `openParsed`. */
export async function openSegment(data: Bytes, recipient: RecipientKey): Promise<OpenedSegment> {
  return openParsed(parse(data), recipient);
}

/** What each SFrame is bound to beside its place: `bound` is SHA-256 of the header as it stands in the file. */
export function metadata(bound: Bytes, index: number, final: boolean): Bytes {
  return concat(bound, bigEndian(index, 4), bigEndian(final ? 1 : 0, 1));
}
