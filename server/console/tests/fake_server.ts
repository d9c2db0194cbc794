/** A server of one session for tests: answers the console's requests from what it is given, and counts them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { b64, type Json, loads } from "../src/contract/canonical";
import type { SignedGrant } from "../src/contract/grants";

export const VECTORS = join(import.meta.dirname, "../../../tests/vectors");

type Manifest = { readonly [name: string]: Json };

export class FakeServer {
  /** The paths asked for, below the session, in order. */
  readonly asked: string[] = [];
  /** Refusals by path: `[status, code, detail]`. */
  readonly refuses = new Map<string, readonly [number, string, string]>();
  readonly grants: SignedGrant[] = [];
  manifest: Manifest;
  private readonly folder: string;

  constructor(vector: string) {
    this.folder = join(VECTORS, "exports", vector);
    this.manifest = loads(readFileSync(join(this.folder, "manifest.json"))) as Manifest;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => this.answer(url, init));
  }

  get session(): string {
    return this.manifest["session"] as string;
  }

  private async answer(url: string, { method, body }: RequestInit): Promise<Response> {
    await Promise.resolve();
    const path = url.split("/").slice(5).join("/");
    this.asked.push(path);
    const refusal = this.refuses.get(path);
    if (refusal !== undefined) {
      const [status, code, detail] = refusal;
      return Response.json({ code, detail }, { status });
    }
    if (path === "manifest") return Response.json(this.manifest);
    if (path === "grants" && method === "GET") {
      const grants = this.grants.map(({ statement, wraps }) => ({ statement, wraps: b64(wraps) }));
      return Response.json({ version: 1, grants });
    }
    if (path === "grants") return Response.json({ taken: String(body).length });
    const name = path.split("/").slice(1).join("-");
    return new Response(readFileSync(join(this.folder, "segments", `${name}.fls`)));
  }
}
