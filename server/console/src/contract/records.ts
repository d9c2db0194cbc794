/** What is signed, and the manifest that holds it: `app/contract/sealing/records.py` and `evidence.py`. */
import { type Bytes, concat, sha256, utf8 } from "./bytes";
import { b64, dumps } from "./canonical";
import { bool, bytes, int, list, mapping, object, oneOf, optional, type Read, text, withDefault } from "./reader";

export const POLICY_TYPE = "fairlock-policy+v1";
export const BINDING_TYPE = "fairlock-binding+v1";
export const RECORD_TYPE = "fairlock-record+v1";
export const RECEIPT_TYPE = "fairlock-receipt+v1";
export const END_TYPE = "fairlock-end+v1";
export const COMPLETION_TYPE = "fairlock-completion+v1";
export const OPENING_TYPE = "fairlock-opening+v1";

/** The tracks of evidence; the number is SFrame's key id. */
export const TRACK_KEY_IDS = { camera: 1, screen: 2, microphone: 3, journal: 4, pictures: 5 } as const;
export type Track = keyof typeof TRACK_KEY_IDS;

export const trackReader = oneOf("camera", "screen", "microphone", "journal", "pictures");
export const versionReader = int({ min: 1, max: 1 });
export const sessionReader = text({ min: 8, max: 64 });
export const epochReader = int({ min: 0, max: 10_000 });
export const sequenceReader = int({ min: 0, max: 10_000_000 });
export const digestReader = bytes({ min: 32, max: 32 });
const counter = int({ min: 0 });

export const BINDING = object({
  version: versionReader,
  session: sessionReader,
  exam: text({ min: 1, max: 64 }),
  candidate: text({ max: 200 }),
  epoch: epochReader,
  signing_key: digestReader,
  program: digestReader,
  policy: digestReader,
  bound_ms: counter,
});
export type Binding = Read<typeof BINDING>;

export const RECORD = object({
  version: versionReader,
  session: sessionReader,
  epoch: epochReader,
  track: trackReader,
  sequence: sequenceReader,
  fragments: int({ min: 0, max: 1_000_000 }),
  size: counter,
  digest: digestReader,
  previous: digestReader,
  start_ms: counter,
  duration_ms: counter,
  closed_ms: counter,
  complete: bool(),
});
export type SegmentRecord = Read<typeof RECORD>;

export const OPENING = object({
  version: versionReader,
  session: sessionReader,
  epoch: epochReader,
  track: trackReader,
  sequence: sequenceReader,
  header: digestReader,
});
export type Opening = Read<typeof OPENING>;

export const RECEIPT = object({
  version: versionReader,
  session: sessionReader,
  record: digestReader,
  digest: digestReader,
  size: counter,
  received_ms: counter,
});
export type Receipt = Read<typeof RECEIPT>;

export const END = object({
  version: versionReader,
  session: sessionReader,
  head: digestReader,
  records: counter,
  segments: mapping(int()),
  reason: text({ max: 64 }),
  ended_ms: counter,
});
export type End = Read<typeof END>;

export const COMPLETION = object({
  version: versionReader,
  session: sessionReader,
  end: digestReader,
  completed_ms: counter,
});
export type Completion = Read<typeof COMPLETION>;

export const SERVER_INCIDENT = object({
  kind: text({ max: 64 }),
  at_ms: counter,
  facts: mapping(text()),
});
export type ServerIncident = Read<typeof SERVER_INCIDENT>;

export const MANIFEST = object({
  version: versionReader,
  session: sessionReader,
  institution_key: bytes({ min: 65, max: 65 }),
  policy: text(),
  bindings: list(text()),
  records: list(text()),
  receipts: list(text()),
  end: withDefault(optional(text()), () => null),
  completion: withDefault(optional(text()), () => null),
  server_incidents: withDefault(list(SERVER_INCIDENT), () => []),
});
export type Manifest = Read<typeof MANIFEST>;

/** Return what the first record calls `previous`: it ties the chain to the session and to the policy. */
export function genesis(session: string, policyDigest: Bytes): Promise<Bytes> {
  const fields = dumps({ policy: b64(policyDigest), session, version: 1 });
  return sha256(concat(utf8("fairlock-genesis-v1\0"), fields));
}

/** Return the file name of a record's segment inside an export. */
export function segmentName(record: SegmentRecord): string {
  return `segments/${record.epoch}-${record.track}-${record.sequence}.fls`;
}
