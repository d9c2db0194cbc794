/**
 * What the journal and pictures tracks tell, gathered as their segments are opened: incidents (the last word on each id
 * counts), the other entries in order, and the pictures of incidents.
 */
import { type Bytes } from "../contract/bytes";
import type { Json } from "../contract/canonical";
import { decodeEntries, decodePicture, type JournalEntry, type Picture } from "../contract/journal";
import { IntegrityError } from "../contract/outcome";
import type { ServerIncident } from "../contract/records";
import { type Severity, sentence, serverIncident } from "../view/words";
import type { Evidence } from "./evidence";

/** One incident as the screens show it. Times are on the session's timeline; `seenBy` is "server" or the client. */
export interface Incident {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly severity: Severity;
  readonly seenBy: "server" | "client";
  readonly source: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly facts: readonly (readonly [string, Json])[];
  readonly window: { readonly fromMs: number; readonly toMs: number } | null;
}

export class Story {
  private readonly byId = new Map<string, Incident>();
  private readonly lines: JournalEntry[] = [];
  private readonly pictures = new Map<string, Picture>();
  /** UTC minus session timeline, from the journal; the server's incidents are placed with it. */
  private offsetMs: number | null = null;
  /** Fragments that opened but do not read as a journal: a sentence each. */
  readonly unreadable: string[] = [];

  /** Open all journal and picture segments; calls `progress` with how many of how many are done. */
  async load(evidence: Evidence, progress: (done: number, total: number) => void): Promise<void> {
    const entries = [...evidence.track("journal"), ...evidence.track("pictures")];
    let done = 0;
    const read = entries.map(async (entry) => {
      const opened = await evidence.open(entry);
      for (const fragment of opened?.fragments ?? []) this.take(entry.record.track === "journal", fragment);
      done += 1;
      progress(done, entries.length);
    });
    await Promise.all(read);
    this.lines.sort((a, b) => a.at_ms - b.at_ms);
  }

  incidents(server: readonly ServerIncident[]): readonly Incident[] {
    const seen = server.map((incident, index) => this.fromServer(incident, index));
    return [...this.byId.values(), ...seen].sort((a, b) => a.startMs - b.startMs);
  }

  /** The journal's lines other than incidents, in the order of their time. */
  journal(): readonly JournalEntry[] {
    return this.lines.filter((line) => line.type !== "incident");
  }

  /** The picture of an incident, the best look at it; or the control picture of that name. */
  pictureOf(id: string): Picture | null {
    return this.pictures.get(id) ?? null;
  }

  private take(isJournal: boolean, fragment: Bytes): void {
    try {
      if (isJournal) for (const entry of decodeEntries(fragment)) this.add(entry);
      else this.addPicture(decodePicture(fragment));
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      this.unreadable.push(error.message);
    }
  }

  private add(entry: JournalEntry): void {
    this.lines.push(entry);
    this.offsetMs ??= entry.utc_ms - entry.at_ms;
    if (entry.type !== "incident") return;
    const incident = fromJournal(entry);
    const earlier = this.byId.get(incident.id);
    // Segments may be opened out of order: the word with the later end is the newer one.
    if (earlier === undefined || incident.endMs >= earlier.endMs) this.byId.set(incident.id, incident);
  }

  private addPicture(picture: Picture | null): void {
    if (picture === null) return;
    const earlier = this.pictures.get(picture.incident);
    // Of several the latest is the best look; segments may be opened out of order.
    if (earlier === undefined || picture.at_ms >= earlier.at_ms) this.pictures.set(picture.incident, picture);
  }

  private fromServer(incident: ServerIncident, index: number): Incident {
    const [title, severity] = serverIncident(incident.kind);
    const at = Math.max(0, incident.at_ms - (this.offsetMs ?? incident.at_ms));
    return {
      id: `server-${index}`,
      kind: incident.kind,
      title,
      severity,
      seenBy: "server",
      source: "server",
      startMs: at,
      endMs: at,
      facts: [...incident.facts],
      window: null,
    };
  }
}

type JsonObject = { readonly [key: string]: Json };

function fromJournal(entry: JournalEntry): Incident {
  const { body } = entry;
  const start = number(body["start_ms"]) ?? entry.at_ms;
  const kind = string(body["kind"]) ?? "unknown";
  const severity = string(body["severity"]);
  const window = mapping(body["evidence"]);
  const [from, to] = [number(window?.["from_ms"]), number(window?.["to_ms"])];
  return {
    id: string(body["id"]) ?? `at-${entry.at_ms}`,
    kind,
    title: string(body["title"]) ?? sentence(kind),
    severity: severity === "info" || severity === "alert" ? severity : "notice",
    seenBy: "client",
    source: string(body["source"]) ?? "",
    startMs: start,
    endMs: Math.max(start, number(body["end_ms"]) ?? start),
    facts: Object.entries(mapping(body["facts"]) ?? {}),
    window: from !== null && to !== null ? { fromMs: from, toMs: to } : null,
  };
}

function number(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function string(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function mapping(value: Json | undefined): JsonObject | null {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject ? (value as JsonObject) : null;
}
