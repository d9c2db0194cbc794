/** Lets a fixed number of jobs run at once; the newest waiting job goes first, because it is what is looked at now. */
export class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(width: number) {
    this.free = width;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.waiting.pop();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
