/**
 * Keeps playback near the newest picture: close enough to be called live, far enough that the next fragment is there before
 * the last is over. Fragments last a second and come in bursts, so what counts is how little was in hand at worst. Pure.
 */

/** Seconds behind the newest at which playback begins and to which it jumps: a fragment and a little. */
export const TARGET_S = 1.2;
const WINDOW_MS = 3_000;
/** Worst case in hand above which playback goes a little faster, and that at which it is right again. */
const SLACK_S = 0.9;
const ENOUGH_S = 0.4;
/** Worst case in hand that means more than three seconds behind, as a fragment of one second comes on top. */
const FAR_S = 2;
/** So far from the newest at once that the page must have slept. */
const ASLEEP_S = 6;
/** At the beginning the segment so far comes in a burst, of which the first fragments were taken for the newest. */
const SETTLING_MS = 2_000;
const SETTLED_S = 2.5;
const STALL_MS = 2_000;
const FASTER = 1.05;
/** A range that ends this soon is over. */
const OVER_S = 0.15;

/** A video at one moment: performance.now(), its time, and what it holds (both in seconds). */
export interface Moment {
  readonly nowMs: number;
  readonly timeS: number;
  readonly ranges: readonly (readonly [number, number])[];
}

/** What to do: go to a time (`null`: play on), and at which speed to play. */
export interface Steering {
  readonly jumpTo: number | null;
  readonly rate: number;
}

export class LiveEdge {
  private begunMs: number | null = null;
  private rate = 1;
  private samples: (readonly [nowMs: number, behindS: number])[] = [];
  private moved: readonly [nowMs: number, timeS: number] = [-Infinity, -1];

  steer({ nowMs, timeS, ranges }: Moment): Steering {
    const last = ranges.at(-1);
    if (last === undefined) return { jumpTo: null, rate: 1 };
    const behind = last[1] - timeS;
    if (Math.abs(timeS - this.moved[1]) > 0.01) this.moved = [nowMs, timeS];
    this.samples = [...this.samples.filter(([at]) => nowMs - at < WINDOW_MS), [nowMs, behind]];
    const next = this.begunMs === null ? null : this.overGap(timeS, ranges);
    if (next !== null) return this.jump(next, nowMs);
    if (this.begunMs === null || this.isLost(nowMs, behind)) return this.jump(Math.max(last[0], last[1] - TARGET_S), nowMs);
    this.rate = this.speed(nowMs);
    return { jumpTo: null, rate: this.rate };
  }

  private jump(to: number, nowMs: number): Steering {
    this.begunMs ??= nowMs;
    this.rate = 1;
    this.samples = [];
    this.moved = [nowMs, to];
    return { jumpTo: to + 0.001, rate: 1 };
  }

  /** Where playback goes on when it has come to the end of a range, or stands between two. */
  private overGap(timeS: number, ranges: Moment["ranges"]): number | null {
    const within = ranges.some(([start, end]) => start <= timeS && timeS < end - OVER_S);
    const next = ranges.find(([start]) => start > timeS);
    return within || next === undefined ? null : next[0];
  }

  private isLost(nowMs: number, behind: number): boolean {
    const stalled = behind > TARGET_S / 2 && nowMs - this.moved[0] >= STALL_MS;
    const burst = behind > SETTLED_S && nowMs - (this.begunMs ?? nowMs) < SETTLING_MS;
    return stalled || burst || Math.abs(behind) > ASLEEP_S || this.worst(nowMs) > FAR_S;
  }

  private speed(nowMs: number): number {
    const worst = this.worst(nowMs);
    if (worst > SLACK_S) return FASTER;
    return worst < ENOUGH_S ? 1 : this.rate;
  }

  /** The least that was in hand lately; 0 while that is not known. */
  private worst(nowMs: number): number {
    const [oldest] = this.samples;
    if (oldest === undefined || nowMs - oldest[0] < WINDOW_MS * 0.8) return 0;
    return Math.min(...this.samples.map(([, behind]) => behind));
  }
}
