/** The examiner's API (docs/server.md): one function per call; answers are read, never trusted to have a type. */
import type { Bytes } from "./contract/bytes";
import { b64, type Json } from "./contract/canonical";
import { GRANTS, type Grants, type SignedGrant } from "./contract/grants";
import { PROTECTED_KEY } from "./contract/keys";
import { bool, int, list, oneOf, openObject, optional, type Read, type Reader, text, withDefault } from "./contract/reader";
import { MANIFEST, type Manifest, SERVER_INCIDENT, type SegmentRecord } from "./contract/records";

const BASE = "/api/v1";

const REFUSAL = openObject({ code: text(), detail: withDefault(text(), () => "") });

/**
 * The server refused. `code` is stable (`E-NOT-SIGNED-IN`), `detail` the server's own words on it; `status` is HTTP's,
 * or 0 when nobody answered.
 */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retryAfter: number | null = null,
  ) {
    super(`${code} ${detail}`);
  }
}

const ACCOUNT = openObject({ name: text(), role: oneOf("admin", "examiner") });
export type Account = Read<typeof ACCOUNT>;

const SESSION_FIELDS = {
  session: text(),
  exam: text(),
  title: text(),
  candidate: text(),
  state: text(),
  started_ms: optional(int()),
  last_seen_ms: optional(int()),
  frozen: bool(),
  segments: int(),
  bytes: int(),
  incidents: int(),
  ended: bool(),
  complete: bool(),
};
const SESSION_ROW = openObject(SESSION_FIELDS);
export type SessionRow = Read<typeof SESSION_ROW>;

const SESSION = openObject({ ...SESSION_FIELDS, server_incidents: list(SERVER_INCIDENT) });
export type SessionDetail = Read<typeof SESSION>;

const STORED_KEY = openObject({
  id: text(),
  label: text(),
  purpose: text(),
  owner: text(),
  key: optional(PROTECTED_KEY),
});
export type StoredKey = Read<typeof STORED_KEY>;

export async function login(name: string, password: string): Promise<Account> {
  return answer(ACCOUNT, await call("POST", "/login", { name, password }));
}

export async function logout(): Promise<void> {
  await call("POST", "/logout");
}

export async function me(): Promise<Account> {
  return answer(ACCOUNT, await call("GET", "/me"));
}

export async function sessions(): Promise<readonly SessionRow[]> {
  return (await answer(openObject({ sessions: list(SESSION_ROW) }), await call("GET", "/sessions"))).sessions;
}

export async function session(id: string, signal?: AbortSignal): Promise<SessionDetail> {
  return answer(SESSION, await call("GET", `/sessions/${encodeURIComponent(id)}`, undefined, signal));
}

/** Return the examiner's own evidence keys, still under their passphrase. */
export async function keys(): Promise<readonly StoredKey[]> {
  const all = (await answer(openObject({ keys: list(STORED_KEY) }), await call("GET", "/keys"))).keys;
  return all.filter((key) => key.purpose === "evidence" && key.key !== null);
}

export async function manifest(id: string, signal?: AbortSignal): Promise<Manifest> {
  return answer(MANIFEST, await call("GET", `/sessions/${encodeURIComponent(id)}/manifest`, undefined, signal));
}

/** Return the grants of recipients who were added later; throws `bad-format` for what is none. */
export async function grants(id: string): Promise<Grants> {
  return answer(GRANTS, await call("GET", `/sessions/${encodeURIComponent(id)}/grants`));
}

/** Hand a signed grant in. */
export async function addGrant(id: string, { statement, wraps }: SignedGrant): Promise<void> {
  await call("POST", `/sessions/${encodeURIComponent(id)}/grants`, { statement, wraps: b64(wraps) });
}

/** Return a segment file, or `null` where the server has none or can't deliver it. */
export async function segment(id: string, record: SegmentRecord, signal?: AbortSignal): Promise<Bytes | null> {
  const place = `${record.epoch}/${record.track}/${record.sequence}`;
  const response = await request("GET", `/sessions/${encodeURIComponent(id)}/segments/${place}`, undefined, signal);
  // 500: the server knows of the file and fails to read it, which is for the verifier as good as not there.
  if (response.status === 404 || response.status === 500) return null;
  if (!response.ok) throw await refusal(response);
  return new Uint8Array(await response.arrayBuffer());
}

/** Begin to watch a session: an answer without an end, of pieces (contract/live.ts). */
export async function live(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await request("GET", `/sessions/${encodeURIComponent(id)}/live`, undefined, signal);
  if (!response.ok) throw await refusal(response);
  if (response.body === null) throw new Refused(response.status, "E-INTERNAL", "an answer without a body");
  return response.body;
}

/** Return the address of a session's export, for a plain download link. */
export function exportUrl(id: string): string {
  return `${BASE}/sessions/${encodeURIComponent(id)}/export`;
}

async function call(method: string, path: string, body?: Json, signal?: AbortSignal): Promise<Response> {
  const response = await request(method, path, body, signal);
  if (!response.ok) throw await refusal(response);
  return response;
}

async function request(method: string, path: string, body?: Json, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = method === "GET" ? {} : { "X-Fairlock": "1" };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: signal ?? null };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(BASE + path, init);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Refused(0, "E-OFFLINE", String(error));
  }
}

async function answer<T>(reader: Reader<T>, response: Response): Promise<T> {
  return reader.read((await response.json()) as Json, "answer");
}

async function refusal(response: Response): Promise<Refused> {
  const after = Number(response.headers.get("Retry-After") ?? "");
  const retry = Number.isFinite(after) && after > 0 ? after : null;
  try {
    const body = REFUSAL.read((await response.json()) as Json, "refusal");
    return new Refused(response.status, body.code, body.detail, retry);
  } catch {
    return new Refused(response.status, "E-INTERNAL", response.statusText, retry);
  }
}
