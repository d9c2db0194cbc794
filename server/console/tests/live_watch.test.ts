/** What is decrypted while the page is being left alone: nothing of it is kept, and nothing of it is said. */
import { describe, expect, test } from "vitest";
import type { RecipientKey } from "../src/contract/keys";
import type { Piece } from "../src/contract/live";
import type { LiveSession } from "../src/session/live_session";
import type { LivePart } from "../src/session/live_track";
import { LiveWatch } from "../src/session/live_watch";

const PIECE = { track: "microphone" } as Piece;
const PART: LivePart = { mime: "audio/webm", data: new Uint8Array(9), begins: true, zeroMs: 0 };

/** The parts of a watch that a page reaches only through a connection. */
interface Inside {
  tracks: Map<string, { take(): Promise<readonly LivePart[]> }>;
  take(piece: Piece): Promise<void>;
  connection(state: string, why?: unknown): void;
}

function watching() {
  const session = { session: "s", policy: { capture: { camera: true, microphone: true, screen: true } } };
  const video = () => ({ muted: false }) as HTMLVideoElement;
  const listener = { onTick: () => undefined, onState: () => undefined };
  const videos = { camera: video(), screen: video() };
  const watch = new LiveWatch(session as unknown as LiveSession, {} as RecipientKey, videos, listener);
  const inside = watch as unknown as Inside;
  let settle: { resolve(parts: readonly LivePart[]): void; reject(why: unknown): void } | undefined;
  const take = () => new Promise<readonly LivePart[]>((resolve, reject) => (settle = { resolve, reject }));
  inside.tracks = new Map([["microphone", { take }]]);
  const taken = inside.take(PIECE);
  if (settle === undefined) throw new Error("nothing is being decrypted");
  return { watch, inside, settle, taken };
}

describe("a piece that is decrypted", () => {
  test("is shown while the page is looked at", async () => {
    const { watch, settle, taken } = watching();
    settle.resolve([PART]);
    await taken;
    expect(watch.silentSinceMs()).not.toBeNull();
  });

  test.each(["away", "closed"])("is dropped once the page is %s", async (how) => {
    const { watch, inside, settle, taken } = watching();
    if (how === "away") inside.connection("away");
    else watch.close();
    settle.resolve([PART]);
    await taken;
    expect(watch.silentSinceMs()).toBeNull();
  });

  test("says nothing of its faults once the page was left alone", async () => {
    const { watch, inside, settle, taken } = watching();
    inside.connection("away");
    settle.reject(new Error("torn"));
    await taken;
    expect(watch.fault("microphone")).toBeUndefined();
  });
});
