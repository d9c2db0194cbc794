/**
 * Follows one track while it is being recorded: pieces of its segments go in, media that may be shown come out.
 *
 * Nothing of a segment is opened before the session's signed word on its header (`Opening`) was checked. A piece that does
 * not continue what came leaves the rest of its segment unseen; the next segment begins anew. Never goes back to an older
 * one, also not after the connection was made again. No network and no page.
 */
import { type Bytes, equal, fromUtf8 } from "../contract/bytes";
import { verify, type VerifyingKey } from "../contract/jws";
import type { RecipientKey } from "../contract/keys";
import type { Piece, WatchedTrack } from "../contract/live";
import { IntegrityError } from "../contract/outcome";
import { OPENING, OPENING_TYPE } from "../contract/records";
import { type SegmentHead, type SegmentHeader, unwrap } from "../contract/segment";
import { SegmentStream } from "../contract/segment_stream";

/** Returns the key that the binding of an epoch names; throws `unknown-key` where none does. */
export type KeyOfEpoch = (epoch: number) => Promise<VerifyingKey>;

/** One fragment's plaintext, in order: what MediaSource takes next. */
export interface LivePart {
  readonly mime: string;
  readonly data: Bytes;
  /** Whether a segment begins here: with initialisation bytes, perhaps of another type, and then a key frame. */
  readonly begins: boolean;
  /** The clock of the candidate's computer (UTC) at 0 of the session's timeline, as this segment's header has it. */
  readonly zeroMs: number;
}

interface Following {
  readonly epoch: number;
  readonly sequence: number;
  /** `null`: the rest of this segment is not shown. */
  stream: SegmentStream | null;
  /** How many fragments were handed out; not handed out again when the segment comes once more. */
  given: number;
  /** The header's digest, once it was admitted: a place has one header. */
  digest: Bytes | null;
}

type Place = Pick<Piece, "epoch" | "sequence">;

export class LiveTrack {
  private now: Following | null = null;

  constructor(
    private readonly session: string,
    readonly track: WatchedTrack,
    private readonly recipient: RecipientKey,
    private readonly keyOf: KeyOfEpoch,
  ) {}

  /**
   * Take the next piece of this track; calls must wait for one another. Returns what may be shown now. Throws what is wrong
   * with the segment, of which nothing more is shown then.
   */
  async take(piece: Piece): Promise<readonly LivePart[]> {
    const order = this.now === null ? 1 : compare(piece, this.now);
    if (order < 0) return [];
    try {
      if (piece.kind === "opening") this.begin(piece, order === 0);
      else if (order > 0) this.skipTo(piece);
      else return await this.read(this.now as Following, piece);
      return [];
    } catch (error) {
      if (this.now !== null) this.now.stream = null;
      throw error;
    }
  }

  /** A segment begins, or comes once more after the connection was cut. */
  private begin(piece: Piece, again: boolean): void {
    const { given, digest } = again && this.now !== null ? this.now : { given: 0, digest: null };
    const stream = new SegmentStream((head, headDigest) => this.admit(piece, head, headDigest));
    this.now = { epoch: piece.epoch, sequence: piece.sequence, stream, given, digest };
  }

  /** Bytes of a segment whose opening did not come: from its middle on it was missed, from its start it may be anybody's. */
  private skipTo({ epoch, sequence, offset }: Piece): void {
    this.now = { epoch, sequence, stream: null, given: 0, digest: null };
    if (offset === 0) throw new IntegrityError("missing", "the segment came without the session's signature on its header");
  }

  private async read(now: Following, piece: Piece): Promise<readonly LivePart[]> {
    const { stream } = now;
    if (stream === null) return [];
    if (piece.offset !== stream.size) {
      now.stream = null;
      return [];
    }
    const fragments = await stream.push(piece.data);
    const head = stream.admitted;
    return head === null ? [] : this.parts(now, stream, head.header, fragments);
  }

  private parts(now: Following, stream: SegmentStream, header: SegmentHeader, fragments: readonly Bytes[]): readonly LivePart[] {
    const first = stream.fragments - fragments.length;
    const parts = fragments.flatMap((data, nth): readonly LivePart[] => {
      const index = first + nth;
      const fresh = index >= now.given && data.length > 0;
      return fresh ? [{ mime: header.mime, data, begins: index === 0, zeroMs: header.utc_ms - header.start_ms }] : [];
    });
    now.given = Math.max(now.given, stream.fragments);
    return parts;
  }

  /** Check the opening against the header and both against the piece's place, then unwrap the data key. */
  private async admit(opening: Piece, head: SegmentHead, digest: Bytes): Promise<Bytes> {
    const said = await verify(OPENING, textOf(opening.data), await this.keyOf(opening.epoch), OPENING_TYPE);
    for (const place of [said, head.header]) {
      if (place.session !== this.session || place.track !== this.track || compare(place, opening) !== 0) {
        throw new IntegrityError("record-mismatch", "it speaks of another session or of another segment than it came as");
      }
    }
    if (!equal(said.header, digest)) throw new IntegrityError("digest-mismatch", "the header is not the one that was signed");
    const known = this.now?.digest ?? digest;
    if (!equal(known, digest)) throw new IntegrityError("digest-mismatch", "a segment came again with another header");
    if (this.now !== null) this.now.digest = digest;
    return unwrap(head, this.recipient);
  }
}

/** By epoch, then by number: below, the same (0) or above. */
function compare(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.sequence - b.sequence;
}

function textOf(data: Bytes): string {
  try {
    return fromUtf8(data);
  } catch {
    throw new IntegrityError("bad-format", "the session's signature is no text");
  }
}
