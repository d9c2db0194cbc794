/**
 * Follows one track while it is being recorded: pieces of its segments go in, media that may be shown come out.
 *
 * Nothing of a segment is opened before the session's signed word on its header (`Opening`) was checked. A piece that does
 * not continue what came leaves the rest of its segment unseen; the next segment begins anew. Never goes back behind
 * one whose opening held, also not after the connection was made again. No network and no page.
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
  /** The newest segment whose opening held. Nothing before it is shown any more. */
  private now: Following | null = null;
  /** One that claims to come next. It takes the place of `now` only when its opening has held: anybody can name a place. */
  private next: Following | null = null;
  /** Where a segment was said to begin without an opening; said once. */
  private lacking: Place | null = null;

  constructor(
    private readonly session: string,
    readonly track: WatchedTrack,
    private readonly recipient: RecipientKey,
    private readonly keyOf: KeyOfEpoch,
  ) {}

  /**
   * Take the next piece of this track; calls must wait for one another, but for one that was given up. Returns what may be
   * shown now. Throws what is wrong with the segment, of which nothing more is shown then.
   */
  async take(piece: Piece): Promise<readonly LivePart[]> {
    if (this.now !== null && compare(piece, this.now) < 0) return [];
    if (piece.kind === "opening") {
      this.begin(piece);
      return [];
    }
    const following = [this.next, this.now].find((one) => one !== null && compare(piece, one) === 0) ?? null;
    return following === null ? this.miss(piece) : this.read(following, piece);
  }

  /** A segment begins, or comes once more after the connection was cut. */
  private begin(opening: Piece): void {
    const known = this.now !== null && compare(opening, this.now) === 0 ? this.now : { given: 0, digest: null };
    const { epoch, sequence } = opening;
    const next: Following = { epoch, sequence, stream: null, given: known.given, digest: known.digest };
    next.stream = new SegmentStream((head, digest) => this.admit(next, opening, head, digest));
    this.next = next;
  }

  /** Bytes of a segment whose opening did not come: from its middle on it was missed, from its start it may be anybody's. */
  private miss(piece: Piece): readonly LivePart[] {
    const said = this.lacking !== null && compare(piece, this.lacking) === 0;
    if (piece.offset > 0 || said) return [];
    this.lacking = piece;
    throw new IntegrityError("missing", "the segment came without the session's signature on its header");
  }

  private async read(following: Following, piece: Piece): Promise<readonly LivePart[]> {
    const { stream } = following;
    if (stream === null) return [];
    if (piece.offset !== stream.size) {
      following.stream = null;
      return [];
    }
    try {
      const fragments = await stream.push(piece.data);
      const head = stream.admitted;
      if (head === null || !this.follows(following)) return [];
      return this.parts(following, stream, head.header, fragments);
    } catch (error) {
      following.stream = null;
      if (!this.follows(following)) return [];
      throw error;
    }
  }

  /** Whether it is still the one to look at: the connection may have been made anew while it was read. */
  private follows(following: Following): boolean {
    return following === this.next || following === this.now;
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
  private async admit(next: Following, opening: Piece, head: SegmentHead, digest: Bytes): Promise<Bytes> {
    const said = await verify(OPENING, textOf(opening.data), await this.keyOf(opening.epoch), OPENING_TYPE);
    for (const place of [said, head.header]) {
      if (place.session !== this.session || place.track !== this.track || compare(place, opening) !== 0) {
        throw new IntegrityError("record-mismatch", "it speaks of another session or of another segment than it came as");
      }
    }
    if (!equal(said.header, digest)) throw new IntegrityError("digest-mismatch", "the header is not the one that was signed");
    if (!equal(next.digest ?? digest, digest)) throw new IntegrityError("digest-mismatch", "a segment came again with another header");
    next.digest = digest;
    if (next === this.next) [this.now, this.next] = [next, null];
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
