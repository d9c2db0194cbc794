/**
 * Opens one segment's file while it is still being written: bytes go in as they come, in order, and the plaintext of each
 * fragment comes out once it is whole. The rules are those of `openWith`; there is no key without `admit`.
 */
import { type Bytes, concat, readU32, sha256 } from "./bytes";
import { IntegrityError } from "./outcome";
import { TRACK_KEY_IDS } from "./records";
import { fragmentsFrom, MAX_FRAGMENT, MAX_FRAGMENTS, MAX_SEGMENT, metadata, parseHead, type SegmentHead } from "./segment";
import { SFrameKey } from "./sframe";

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
  private rest: Bytes = new Uint8Array(0);
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
    if (this.size > MAX_SEGMENT) throw new IntegrityError("bad-format", `is larger than ${MAX_SEGMENT} bytes`);
    this.rest = concat(this.rest, data);
    if (this.opening === null) {
      const head = parseHead(this.rest);
      if (head === null) return [];
      this.rest = this.rest.slice(fragmentsFrom(head));
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
    let at = 0;
    while (!this.complete && at + 4 <= this.rest.length) {
      const length = readU32(this.rest, at);
      if (length > MAX_FRAGMENT) throw new IntegrityError("bad-format", `fragment ${this.fragments} claims ${length} bytes`);
      if (at + 4 + length > this.rest.length) break;
      if (this.fragments === MAX_FRAGMENTS) {
        throw new IntegrityError("bad-format", `holds more than ${MAX_FRAGMENTS} fragments`);
      }
      opened.push(await this.openOne(opening, this.rest.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    this.rest = this.rest.slice(at);
    if (this.complete && this.rest.length > 0) throw new IntegrityError("bad-format", "bytes follow the final fragment");
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
