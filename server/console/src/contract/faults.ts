/** Collects faults, so that a check which fails does not keep the next one from running. */
import { IntegrityError, type Outcome } from "./outcome";

/** One thing that is wrong: the outcome's word, where, and a sentence. */
export interface Fault {
  readonly outcome: Outcome;
  readonly where: string;
  readonly message: string;
}

export class Faults {
  readonly found: Fault[] = [];

  add(where: string, outcome: Outcome, message: string): void {
    this.found.push({ outcome, where, message });
  }

  /** Note an `IntegrityError` thrown inside as a fault at `where` and go on; `outcome` replaces the error's own. */
  async collect(where: string, check: () => Promise<void>, outcome?: Outcome): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      this.add(where, outcome ?? error.outcome, error.message);
    }
  }
}
