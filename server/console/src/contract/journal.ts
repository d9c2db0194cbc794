/** The journal and the pictures of incidents, as `app/contract/journal.py`. */
import { type Bytes, readU32 } from "./bytes";
import { type Json, loads } from "./canonical";
import { IntegrityError } from "./outcome";
import { int, object, oneOf, type Read, type Reader, text } from "./reader";

type JsonObject = { readonly [key: string]: Json };

/** Any JSON object: its fields depend on the entry's type and are read where they are shown. */
const anyObject: Reader<JsonObject> = {
  read: (value, path) => {
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    if (!isObject) throw new IntegrityError("bad-format", `${path}: must be an object`);
    return value as JsonObject;
  },
  shape: { type: "any-object" },
};

export const ENTRY_TYPE = oneOf("incident", "gap", "state", "source", "note", "agreement", "lockdown", "quality", "notice");

const ENTRY = object({
  type: ENTRY_TYPE,
  at_ms: int(),
  utc_ms: int(),
  body: anyObject,
});

/** One line of the journal. `at_ms` is on the session's timeline; `body` depends on `type`. */
export type JournalEntry = Read<typeof ENTRY>;

export const PICTURE_META = object({ incident: text(), at_ms: int(), mime: text() });

/** Which incident a picture belongs to, when it was taken, and the encoded image. */
export interface Picture extends Read<typeof PICTURE_META> {
  readonly image: Bytes;
}

/** Read a journal fragment; an empty one holds nothing. */
export function decodeEntries(fragment: Bytes): readonly JournalEntry[] {
  if (fragment.length === 0) return [];
  const values = loads(fragment);
  if (!Array.isArray(values)) throw new IntegrityError("bad-format", "a journal fragment must be a list");
  return values.map((value: Json, index) => ENTRY.read(value, `entry ${index}`));
}

/** Read a picture fragment; an empty one (a segment's bare end) holds none. */
export function decodePicture(fragment: Bytes): Picture | null {
  if (fragment.length === 0) return null;
  if (fragment.length < 4) throw new IntegrityError("bad-format", "a picture fragment is too short");
  const length = readU32(fragment, 0);
  const meta = PICTURE_META.read(loads(fragment.subarray(4, 4 + length)), "PictureMeta");
  return { ...meta, image: fragment.slice(4 + length) };
}
