/** Checks one segment file against the signed record that speaks of it, as `app/contract/sealing/segment_check.py`. */
import { type Bytes, equal, sha256 } from "./bytes";
import { b64 } from "./canonical";
import { Faults, type Fault } from "./faults";
import type { RecipientKey } from "./keys";
import type { GrantChecker } from "./grant_check";
import { IntegrityError } from "./outcome";
import { segmentName, type SegmentRecord } from "./records";
import { openParsed, type OpenedSegment, openWith, parse, type ParsedSegment } from "./segment";
import type { Entry } from "./statements";

/** What came of one file: its faults, and its plaintext if that was opened. */
export interface Checked {
  readonly faults: readonly Fault[];
  readonly opened: OpenedSegment | null;
}

/**
 * Checks segment files of one session. `recipients` are the key ids of the policy (`null` where that is unreadable),
 * `heads` the place of each head of the chain by its base64url digest, `grants` who was added later.
 */
export class SegmentChecker {
  private key: RecipientKey | null = null;
  private added = false;
  private readonly recipients: string | null;

  constructor(
    recipients: readonly string[] | null,
    private readonly heads: ReadonlyMap<string, number>,
    private readonly grants: GrantChecker,
  ) {
    this.recipients = recipients === null ? null : [...recipients].sort().join();
  }

  /** Open segments with `key` from now on. One that neither policy nor a grant names is a fault and opens nothing. */
  useKey(key: RecipientKey): readonly Fault[] {
    const named = this.recipients === null || this.recipients.split(",").includes(key.id);
    this.added = !named && this.grants.names(key.id);
    if (named || this.added) {
      this.key = key;
      return [];
    }
    this.key = null;
    return [{ outcome: "wrong-recipient", where: "key", message: `the policy does not name the key ${key.id}` }];
  }

  /** Check `data`, the file of `entry`'s record, and open it when there is a key. */
  async check(entry: Entry, data: Bytes): Promise<Checked> {
    const faults = new Faults();
    const where = segmentName(entry.record);
    const { record } = entry;
    if (data.length !== record.size || !equal(await sha256(data), record.digest)) {
      faults.add(where, "digest-mismatch", "the file is not the one that was recorded");
    }
    const read: { opened: OpenedSegment | null } = { opened: null };
    await faults.collect(where, async () => {
      const parsed = parse(data);
      this.checkHeader(faults, where, entry, parsed);
      if (this.key === null) return;
      read.opened = await this.open(entry, parsed, this.key);
      if (read.opened !== null && record.complete && !read.opened.complete) {
        throw new IntegrityError("truncated", "the final fragment is missing");
      }
    });
    return { faults: faults.found, opened: read.opened };
  }

  private async open(entry: Entry, parsed: ParsedSegment, key: RecipientKey): Promise<OpenedSegment | null> {
    if (!this.added) return openParsed(parsed, key);
    const dataKey = await this.grants.unwrap(entry, parsed, key);
    return dataKey === null ? null : openWith(parsed, dataKey);
  }

  private checkHeader(faults: Faults, where: string, entry: Entry, parsed: ParsedSegment): void {
    const { header } = parsed;
    for (const name of ["session", "epoch", "track", "sequence", "start_ms"] as const) {
      if (header[name] !== entry.record[name]) {
        faults.add(where, "record-mismatch", `${name} is ${header[name]}, the record says ${entry.record[name]}`);
      }
    }
    if ((this.heads.get(b64(header.previous)) ?? entry.place + 1) > entry.place) {
      faults.add(where, "broken-chain", "was not begun after any earlier record of this chain");
    }
    const sealedTo = header.wraps.map((wrap) => wrap.recipient).sort().join();
    if (this.recipients !== null && sealedTo !== this.recipients) {
      faults.add(where, "wrong-recipient", "is not sealed to exactly the policy's recipients");
    }
    checkFragments(faults, where, entry.record, parsed);
  }
}

function checkFragments(faults: Faults, where: string, record: SegmentRecord, parsed: ParsedSegment): void {
  const count = parsed.fragments.length;
  if (count !== record.fragments) {
    const outcome = count < record.fragments ? "truncated" : "record-mismatch";
    faults.add(where, outcome, `holds ${count} fragments, the record says ${record.fragments}`);
  }
  if (record.complete && (parsed.torn > 0 || count === 0)) faults.add(where, "truncated", "ends inside a fragment");
}
