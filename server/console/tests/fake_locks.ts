/** The Web Locks API as far as seats use it: exclusive locks, asked for at once or waited for, first come first served. */

type Held = (lock: Lock | null) => unknown;

interface Asked {
  readonly held: Held;
  readonly settle: (outcome: unknown) => void;
}

export class FakeLocks {
  private readonly queues = new Map<string, Asked[]>();

  request(name: string, { ifAvailable, signal }: LockOptions, held: Held): Promise<unknown> {
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (ifAvailable === true && queue.length > 0) return Promise.resolve().then(() => held(null));
    return new Promise((settle, reject) => {
      const asked = { held, settle };
      queue.push(asked);
      if (queue[0] === asked) void this.grant(name, queue);
      signal?.addEventListener("abort", () => {
        // Who holds a lock keeps it.
        const place = queue.indexOf(asked);
        if (place <= 0) return;
        queue.splice(place, 1);
        reject(signal.reason as Error);
      });
    });
  }

  /** The first in the queue holds the lock, until what it does with it is done. */
  private async grant(name: string, queue: Asked[]): Promise<void> {
    const [{ held, settle }] = queue as [Asked];
    await Promise.resolve();
    settle(await held({ name, mode: "exclusive" }));
    queue.shift();
    if (queue.length > 0) await this.grant(name, queue);
  }
}
