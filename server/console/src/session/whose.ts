/** Whose session a page shows: what the signed binding says, and whether the server's list says the same. */
import type { Binding } from "../contract/records";

/** What the server says of a session without signing it. */
export interface Row {
  readonly session: string;
  readonly candidate: string;
}

export interface Whose {
  readonly candidate: string;
  /** A sentence on how the two differ; empty where they don't. */
  readonly doubt: string;
}

/** Without a binding only the list's name is there; that there is none is a fault of its own. */
export function whose({ session, candidate }: Row, bindings: readonly Pick<Binding, "session" | "candidate">[]): Whose {
  const [signed] = bindings;
  if (signed === undefined) return { candidate, doubt: "" };
  const differs = [
    signed.session !== session && "speaks of another session",
    signed.candidate !== candidate && `names '${candidate}' and not '${signed.candidate}'`,
  ].filter((word) => word !== false);
  const doubt = differs.length === 0 ? "" : `Unlike its signed binding, the server's list ${differs.join(" and ")}. Tell its operator.`;
  return { candidate: signed.candidate, doubt };
}
