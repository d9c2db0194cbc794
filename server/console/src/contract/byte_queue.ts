/** Bytes that wait until enough of them have come. Each is copied a few times at most, however small the steps. */
import type { Bytes } from "./bytes";

export class ByteQueue {
  private store: Bytes = new Uint8Array(0);
  private from = 0;
  private to = 0;

  /** How many bytes wait. */
  get size(): number {
    return this.to - this.from;
  }

  push(data: Uint8Array): void {
    if (this.to + data.length > this.store.length) this.makeRoom(this.size + data.length);
    this.store.set(data, this.to);
    this.to += data.length;
  }

  /** Look at the first `count` bytes (fewer where fewer wait), without a copy: good until the next push. */
  peek(count = this.size): Bytes {
    return this.store.subarray(this.from, Math.min(this.to, this.from + count));
  }

  /** Take the first `count` bytes, of which so many must wait. */
  take(count: number): Bytes {
    const taken = this.peek(count).slice();
    this.from += taken.length;
    return taken;
  }

  /** What waits moves only when as much as it has gone, or has come, since it moved last. */
  private makeRoom(wanted: number): void {
    const waiting = this.peek();
    if (2 * wanted > this.store.length) this.store = new Uint8Array(2 * wanted);
    this.store.set(waiting);
    [this.from, this.to] = [0, waiting.length];
  }
}
