/**
 * One session's evidence in this page: its checked statements, and its segments, fetched, checked and decrypted on
 * demand. Owns what is known about each file; the screens only ask and listen.
 *
 * Plaintext lives in memory alone, in a cache bounded in bytes. A segment with any fault is never handed out.
 */
import * as api from "../api";
import type { Fault } from "../contract/faults";
import { GrantChecker, type ReadGrants } from "../contract/grant_check";
import type { RecipientKey } from "../contract/keys";
import { IntegrityError } from "../contract/outcome";
import { type Manifest, segmentName, type Track } from "../contract/records";
import type { OpenedSegment } from "../contract/segment";
import type { SegmentChecker } from "../contract/segment_check";
import type { Entry, Statements } from "../contract/statements";
import { checkFile, checkStatements, segmentChecker } from "../contract/verify";
import { abreast } from "./abreast";
import { Cache } from "./cache";
import { extentMs } from "./extent";
import { Gate } from "./gate";

const CACHE_BYTES = 96 * 1024 * 1024;
const PARALLEL = 4;

/** What is known so far: faults in the verifier's order, and how many files were checked. */
export interface Standing {
  readonly faults: readonly Fault[];
  readonly checked: number;
  readonly total: number;
  readonly complete: boolean;
  /** Whether a file was missing, which another attempt may change. */
  readonly retriable: boolean;
}

export class Evidence {
  private readonly checker: SegmentChecker;
  private keyFaults: readonly Fault[] = [];
  /** Counts keys: what was read with the one before must be read again. */
  private generation = 0;
  private readonly files = new Map<string, readonly Fault[]>();
  private readonly cache = new Cache<OpenedSegment>(CACHE_BYTES, sizeOf);
  private readonly underway = new Map<string, Promise<OpenedSegment | null>>();
  private readonly gate = new Gate(PARALLEL);
  private readonly listeners = new Set<() => void>();
  private readonly abort = new AbortController();

  private constructor(
    readonly session: string,
    readonly manifest: Manifest,
    readonly statements: Statements,
    private readonly opening: readonly Fault[],
    private readonly closing: readonly Fault[],
    private checkedGrants: GrantChecker,
  ) {
    this.checker = segmentChecker(statements, checkedGrants);
  }

  /** Fetch and check the statements of a session; the files are left for later. */
  static async load(session: string): Promise<Evidence> {
    // Asked for first: a running session's later manifest then holds every record that a grant speaks of.
    const granted = await readGrants(session);
    const manifest = await api.manifest(session);
    const { statements, opening, closing } = await checkStatements(manifest, null);
    const grants = await GrantChecker.begin(manifest, statements, granted);
    return new Evidence(session, manifest, statements, opening, closing, grants);
  }

  /** Who was added later, and what is said of each grant. */
  get grants(): GrantChecker {
    return this.checkedGrants;
  }

  /** Whether the policy names the key. */
  isNamed(keyId: string): boolean {
    return this.statements.policy?.recipients.some((recipient) => recipient.id === keyId) ?? false;
  }

  /** Whether the key may open something here; `null` where the policy can't be read. */
  mayOpen(keyId: string): boolean | null {
    return this.statements.policy === null ? null : this.isNamed(keyId) || this.grants.names(keyId);
  }

  /**
   * Ask the server anew who was added; for showing it, as the key at hand opens what it opened before. A grant may speak
   * of records that came after this page, so the chain is fetched anew, too, and after the grants, as in `load`.
   */
  async reloadGrants(): Promise<void> {
    const granted = await readGrants(this.session);
    const manifest = await api.manifest(this.session);
    // Whom the page names and whose key opens it follow from the policy: another one is not believed on the way.
    const other = new IntegrityError("wrong-policy", "the server has come to hand out another policy of this session");
    const read: ReadGrants = manifest.policy === this.manifest.policy ? granted : () => Promise.reject(other);
    const { statements } = await checkStatements(manifest, null);
    this.checkedGrants = await GrantChecker.begin(manifest, statements, read);
  }

  /** Open segments with `key` from now on; what was checked without it counts as unchecked again. */
  unlock(key: RecipientKey): void {
    this.generation += 1;
    this.underway.clear();
    this.keyFaults = this.checker.useKey(key);
    this.files.clear();
    this.changed();
  }

  /** Stop all that is under way and forget the plaintext. */
  close(): void {
    this.abort.abort();
    this.cache.clear();
    this.listeners.clear();
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Return the records of one track in the order of their time. */
  track(track: Track): readonly Entry[] {
    const entries = this.statements.entries.filter((entry) => entry.record.track === track);
    return entries.sort((a, b) => a.record.start_ms - b.record.start_ms);
  }

  /** Return when what was recorded ends on the session's timeline. */
  endMs(): number {
    return extentMs(this.statements.entries.map(({ record }) => record));
  }

  /** Return the faults of one file, or `null` while it has not been checked. */
  faultsOf(entry: Entry): readonly Fault[] | null {
    return this.files.get(segmentName(entry.record)) ?? null;
  }

  standing(): Standing {
    const ofFiles = this.statements.entries.flatMap((entry) => this.faultsOf(entry) ?? []);
    const faults = [...this.opening, ...this.keyFaults, ...ofFiles, ...this.closing];
    return {
      faults,
      checked: this.files.size,
      total: this.statements.entries.length,
      complete: this.statements.complete() && faults.length === 0,
      retriable: ofFiles.some((fault) => fault.outcome === "missing"),
    };
  }

  /** Return a segment's plaintext, or `null` when it is missing, at fault or not for this key. */
  async open(entry: Entry): Promise<OpenedSegment | null> {
    const name = segmentName(entry.record);
    const cached = this.cache.get(name);
    if (cached !== undefined) return cached;
    const running = this.underway.get(name);
    if (running !== undefined) return running;
    const started = this.gate.run(() => this.read(entry)).finally(() => {
      if (this.underway.get(name) === started) this.underway.delete(name);
    });
    this.underway.set(name, started);
    return started;
  }

  /** Check all files that were not checked yet or were missing, in the chain's order, until done or stopped. */
  async checkAll(stop: AbortSignal): Promise<void> {
    const rest = this.statements.entries.filter((entry) => {
      const faults = this.faultsOf(entry);
      return faults === null || faults.some((fault) => fault.outcome === "missing");
    });
    await abreast(rest, PARALLEL, async (entry) => {
      if (!stop.aborted) await this.open(entry);
    });
  }

  private async read(entry: Entry): Promise<OpenedSegment | null> {
    const name = segmentName(entry.record);
    const { generation } = this;
    const data = await api.segment(this.session, entry.record, this.abort.signal);
    const { faults, opened } = await checkFile(this.checker, entry, data);
    if (generation !== this.generation) return this.read(entry);
    this.files.set(name, faults);
    if (opened !== null && faults.length === 0) this.cache.set(name, opened);
    this.changed();
    return faults.length === 0 ? opened : null;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Fetch the grants. That they can't be had must not keep anybody from the evidence: it is said where they are shown. */
async function readGrants(session: string): Promise<ReadGrants> {
  try {
    const found = await api.grants(session);
    return () => Promise.resolve(found);
  } catch (error) {
    if (error instanceof api.Refused && error.status !== 404 && error.status !== 401) {
      return () => Promise.reject(new IntegrityError("missing", "the server did not hand them out"));
    }
    if (!(error instanceof IntegrityError)) throw error;
    return () => Promise.reject(error);
  }
}

function sizeOf(segment: OpenedSegment): number {
  return segment.fragments.reduce((size, fragment) => size + fragment.length, 0);
}
