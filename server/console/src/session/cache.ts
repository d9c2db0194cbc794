/** A least-recently-used cache bounded by the size of what it holds. */
export class Cache<T> {
  private readonly items = new Map<string, T>();
  private size = 0;

  constructor(
    private readonly limit: number,
    private readonly sizeOf: (item: T) => number,
  ) {}

  get(key: string): T | undefined {
    const item = this.items.get(key);
    if (item !== undefined) {
      // A Map keeps the order of insertion: what was used last goes to the end.
      this.items.delete(key);
      this.items.set(key, item);
    }
    return item;
  }

  set(key: string, item: T): void {
    this.delete(key);
    this.items.set(key, item);
    this.size += this.sizeOf(item);
    for (const oldest of this.items.keys()) {
      if (this.size <= this.limit || oldest === key) break;
      this.delete(oldest);
    }
  }

  clear(): void {
    this.items.clear();
    this.size = 0;
  }

  private delete(key: string): void {
    const item = this.items.get(key);
    if (item === undefined) return;
    this.items.delete(key);
    this.size -= this.sizeOf(item);
  }
}
