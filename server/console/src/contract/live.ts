/**
 * Pieces of segments as they come while somebody watches, as `app/contract/live.py`: same limits, same refusals.
 *
 *     { u32 length ‖ u8 kind ‖ u8 track ‖ u16 epoch ‖ u32 sequence ‖ u32 offset ‖ data }*
 *
 * `length` counts what follows it; 0 is a sign of life. Nothing here is opened or believed: session/live_track.ts does that.
 */
import { ByteQueue } from "./byte_queue";
import { type Bytes, readU32 } from "./bytes";
import { IntegrityError } from "./outcome";
import { TRACK_KEY_IDS } from "./records";

/** The tracks that can be watched. */
export const LIVE_TRACKS = ["camera", "screen", "microphone"] as const;
export type WatchedTrack = (typeof LIVE_TRACKS)[number];

/** Some bytes of one segment: of its file from `offset` on, or the session's word on its header. */
export interface Piece {
  readonly kind: "file" | "opening";
  readonly track: WatchedTrack;
  readonly epoch: number;
  readonly sequence: number;
  readonly offset: number;
  readonly data: Bytes;
}

/** Bytes of one piece at most. */
export const MAX_DATA = 2 * 1024 * 1024;

const HEAD_SIZE = 12;
const KINDS: ReadonlyMap<number, Piece["kind"]> = new Map([
  [1, "file"],
  [2, "opening"],
]);
const TRACKS: ReadonlyMap<number, WatchedTrack> = new Map(LIVE_TRACKS.map((track) => [TRACK_KEY_IDS[track], track]));

/**
 * Reads pieces from a stream, however it is cut; of one that is not whole yet, no more than its greatest length waits. After a
 * refusal it must not be used any more.
 */
export class PieceReader {
  private readonly rest = new ByteQueue();

  /** Whether a piece has come in part. */
  get pending(): boolean {
    return this.rest.size > 0;
  }

  /** Take what has come; returns the pieces that are whole by now. Throws `bad-format`. */
  push(chunk: Uint8Array): readonly Piece[] {
    const { rest } = this;
    const pieces: Piece[] = [];
    rest.push(chunk);
    while (rest.size >= 4) {
      const length = readU32(rest.peek(4), 0);
      if (length > HEAD_SIZE + MAX_DATA) throw refused(`a piece claims ${length} bytes`);
      if (rest.size < 4 + length) break;
      const frame = rest.take(4 + length).subarray(4);
      if (length > 0) pieces.push(read(frame));
    }
    return pieces;
  }
}

function read(frame: Bytes): Piece {
  if (frame.length < HEAD_SIZE) throw refused("a piece is too short");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const [kind, track] = [KINDS.get(view.getUint8(0)), TRACKS.get(view.getUint8(1))];
  if (kind === undefined || track === undefined) {
    throw refused(`a piece of kind ${view.getUint8(0)} of track ${view.getUint8(1)} is not known`);
  }
  return {
    kind,
    track,
    epoch: view.getUint16(2),
    sequence: view.getUint32(4),
    offset: view.getUint32(8),
    data: frame.subarray(HEAD_SIZE),
  };
}

function refused(why: string): IntegrityError {
  return new IntegrityError("bad-format", why);
}
