/**
 * Opens one segment's file while it is still being written: bytes go in as they come, in order, and the plaintext of each
 * fragment comes out once it is whole. The rules are those of `openWith`, the limits narrower; there is no key without `admit`.
 */
import { ByteQueue } from "./byte_queue";
import { type Bytes, readU32, sha256 } from "./bytes";
import { IntegrityError } from "./outcome";
import { TRACK_KEY_IDS } from "./records";
import { fragmentsFrom, MAX_FRAGMENT, metadata, parseHead, type SegmentHead } from "./segment";
import { SFrameKey } from "./sframe";

/** Bytes of a segment that is shown live. A camera at 2 Mbit/s takes 1.3 MB for 5 s; a stored file may be larger. */
export const MAX_LIVE_SEGMENT = 16 * 1024 * 1024;
/** Fragments of a segment that is shown live, of which a recorder writes one a second. */
export const MAX_LIVE_FRAGMENTS = 600;

/** Judges a header before anything is opened, and returns the data key; throws where it must not be believed. */
export type Admit = (head: SegmentHead, digest: Bytes) => Promise<Bytes>;

interface Opening {
  readonly key: SFrameKey;
  /** SHA-256 of the header. */
  readonly bound: Bytes;
}

/** Pushes must wait for one another. After one has thrown, the segment must not be used any more. */
export class SegmentStream {
  /** How many bytes of the file have come. */
  size = 0;
  /** How many fragments were opened. */
  fragments = 0;
  private readonly rest = new ByteQueue();
  private head: SegmentHead | null = null;
  private opening: Opening | null = null;
  private complete = false;

  constructor(private readonly admit: Admit) {}

  /** The header, once it has come and was admitted. */
  get admitted(): SegmentHead | null {
    return this.opening === null ? null : this.head;
  }

  /** Take the file's next bytes; returns the fragments that they complete. Throws the first fault. */
  async push(data: Uint8Array): Promise<readonly Bytes[]> {
    this.size += data.length;
    if (this.size > MAX_LIVE_SEGMENT) throw tooMuch(`is larger than ${MAX_LIVE_SEGMENT} bytes`);
    this.rest.push(data);
    if (this.opening === null) {
      const head = parseHead(this.rest.peek());
      if (head === null) return [];
      this.rest.take(fragmentsFrom(head));
      this.opening = await this.derive(head);
    }
    return this.openWhole(this.opening);
  }

  private async derive(head: SegmentHead): Promise<Opening> {
    const bound = await sha256(head.headerBytes);
    const key = await SFrameKey.derive(await this.admit(head, bound), TRACK_KEY_IDS[head.header.track]);
    this.head = head;
    return { key, bound };
  }

  private async openWhole(opening: Opening): Promise<readonly Bytes[]> {
    const opened: Bytes[] = [];
    const { rest } = this;
    while (!this.complete && rest.size >= 4) {
      const length = readU32(rest.peek(4), 0);
      if (length > MAX_FRAGMENT) throw tooMuch(`fragment ${this.fragments} claims ${length} bytes`);
      if (rest.size < 4 + length) break;
      if (this.fragments === MAX_LIVE_FRAGMENTS) throw tooMuch(`holds more than ${MAX_LIVE_FRAGMENTS} fragments`);
      opened.push(await this.openOne(opening, rest.take(4 + length).subarray(4)));
    }
    if (this.complete && rest.size > 0) throw new IntegrityError("bad-format", "bytes follow the final fragment");
    return opened;
  }

  /** Nothing says beforehand which fragment is the final one; all but one are not. */
  private async openOne({ key, bound }: Opening, sealed: Bytes): Promise<Bytes> {
    const place = this.fragments;
    this.fragments += 1;
    try {
      return await key.open(place, sealed, metadata(bound, place, false));
    } catch {
      const opened = await key.open(place, sealed, metadata(bound, place, true));
      this.complete = true;
      return opened;
    }
  }
}

function tooMuch(why: string): IntegrityError {
  return new IntegrityError("bad-format", why);
}
