/** The page's small parts that need no page: cache, gate, stretches, formats, the story of the journal. */
import { describe, expect, test } from "vitest";
import { concat, utf8, bigEndian } from "../src/contract/bytes";
import { dumps } from "../src/contract/canonical";
import { decodeEntries, decodePicture } from "../src/contract/journal";
import { Cache } from "../src/session/cache";
import { Gate } from "../src/session/gate";
import type { Evidence } from "../src/session/evidence";
import { Story } from "../src/session/story";
import { shorten } from "../src/session/verdicts";
import { describe as describeAgreement } from "../src/view/agreed";
import { duration, place, size } from "../src/view/format";
import { join, type Stretch } from "../src/view/stretches";
import { factValue, plain, sentence } from "../src/view/words";

describe("cache", () => {
  test("drops what was used longest ago", () => {
    const cache = new Cache<string>(6, (item) => item.length);
    cache.set("a", "aaa");
    cache.set("b", "bbb");
    cache.get("a");
    cache.set("c", "ccc");
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["aaa", undefined, "ccc"]);
  });

  test("keeps one item that alone is too large", () => {
    const cache = new Cache<string>(2, (item) => item.length);
    cache.set("a", "aaaa");
    expect(cache.get("a")).toBe("aaaa");
  });
});

test("gate lets a fixed number in, and the newest of those who wait first", async () => {
  const gate = new Gate(1);
  const order: number[] = [];
  const open: (() => void)[] = [];
  const job = (number: number) => () => new Promise<void>((resolve) => (order.push(number), open.push(resolve)));
  const all = [gate.run(job(1)), gate.run(job(2)), gate.run(job(3))];
  for (let done = 0; done < 3; done += 1) {
    expect(order.length).toBe(done + 1);
    open[done]?.();
    await all[order[done] === undefined ? 0 : (order[done] as number) - 1];
    await Promise.resolve();
  }
  expect(order).toEqual([1, 3, 2]);
});

test("neighbouring stretches of one state are one, a hole stays", () => {
  const stretch = (fromMs: number, toMs: number, state: Stretch["state"]): Stretch => ({ fromMs, toMs, state });
  const joined = join([stretch(0, 5000, "good"), stretch(5066, 10000, "good"), stretch(10000, 15000, "bad"), stretch(20000, 25000, "bad")]);
  expect(joined).toEqual([stretch(0, 10000, "good"), stretch(10000, 15000, "bad"), stretch(20000, 25000, "bad")]);
});

describe("words", () => {
  test("places and lengths", () => {
    expect([place(0), place(65_900), place(3_723_000)]).toEqual(["0:00", "1:05", "1:02:03"]);
    expect([duration(47_000), duration(720_000), duration(3_900_000)]).toEqual(["47 s", "12 min", "1 h 05 min"]);
    expect([size(900), size(3_300_000), size(2e9)]).toEqual(["1 kB", "3.3 MB", "2.00 GB"]);
  });

  test("facts carry their unit in the key", () => {
    expect([sentence("score_permille"), factValue("score_permille", "871")]).toEqual(["Score", "87 %"]);
    expect([sentence("lasted_ms"), factValue("lasted_ms", 2500)]).toEqual(["Lasted", "2.5 s"]);
  });

  test("lists and names from tables are words, and other texts stay", () => {
    expect(factValue("holding", ["input_guard", "kiosk", "a_B c"])).toBe("input guard, kiosk, a_B c");
    expect(factValue("doubts", [])).toBe("none");
    expect([plain("open_link"), plain("/tmp/a_b"), plain("snake_case_2")]).toEqual(["open link", "/tmp/a_b", "snake_case_2"]);
  });

  test("a verdict never says intact of what was not checked", () => {
    const base = { faults: [], total: 4, complete: false, retriable: false };
    expect(shorten({ ...base, checked: 1 }).word).toBe("Signatures intact, 1 of 4 files checked");
    expect(shorten({ ...base, checked: 4 }).word).toBe("Intact");
    const faults = [{ outcome: "missing", where: "x", message: "" }] as const;
    expect(shorten({ ...base, checked: 4, faults })).toEqual({ good: false, word: "Fault: missing" });
  });
});

test("what was granted is said in short words", () => {
  const granted = { version: 1, exam: "a", candidate: "b", issued_ms: 1, expires_ms: 2 };
  const allowances = ["screen_reader", "breaks"] as const;
  expect(describeAgreement({ ...granted, allowances, breaks_s: 901, extra_time_permille: 250 })).toBe(
    "screen reader, breaks of 16 minutes in all, 25 % more time",
  );
});

describe("journal", () => {
  test("reads entries, and refuses other keys", () => {
    const entry = { type: "note", at_ms: 1, utc_ms: 2, body: { fairlock: "0.1.0" } };
    expect(decodeEntries(dumps([entry]))).toEqual([entry]);
    expect(decodeEntries(new Uint8Array(0))).toEqual([]);
    expect(() => decodeEntries(dumps([{ ...entry, extra: 1 }]))).toThrow("not a known setting");
    expect(() => decodeEntries(dumps({}))).toThrow("must be a list");
  });

  test("reads pictures", () => {
    const meta = dumps({ incident: "a", at_ms: 5, mime: "image/jpeg" });
    const fragment = concat(bigEndian(meta.length, 4), meta, utf8("JPEG"));
    expect(decodePicture(fragment)).toEqual({ incident: "a", at_ms: 5, mime: "image/jpeg", image: utf8("JPEG") });
    expect(decodePicture(new Uint8Array(0))).toBeNull();
    expect(() => decodePicture(new Uint8Array(2))).toThrow("too short");
  });
});

test("of an incident's pictures the latest is shown, in whatever order they are opened", async () => {
  const piece = (incident: string, at: number, text: string) => {
    const meta = dumps({ incident, at_ms: at, mime: "image/jpeg" });
    return concat(bigEndian(meta.length, 4), meta, utf8(text));
  };
  for (const fragments of [
    [piece("a", 5, "first"), piece("a", 9, "best"), piece("control-7", 7, "usual")],
    [piece("control-7", 7, "usual"), piece("a", 9, "best"), piece("a", 5, "first")],
  ]) {
    const evidence = {
      track: (name: string) => (name === "pictures" ? [{ record: { track: "pictures" } }] : []),
      open: async () => ({ fragments }),
    };
    const story = new Story();
    await story.load(evidence as unknown as Evidence, () => undefined);
    const shown = (id: string) => new TextDecoder().decode(story.pictureOf(id)?.image);
    expect([shown("a"), shown("control-7"), story.pictureOf("b")]).toEqual(["best", "usual", null]);
  }
});
