/**
 * Strict readers: a JSON value to a typed one, refusing unknown keys, missing keys, wrong types and values outside
 * their limits with the path of the field (`bad-format`), as `app/contract/schema.py` does.
 *
 * Each reader carries a `shape`: plain data that says what it accepts, so that a test can compare these tables
 * with the Python dataclasses.
 */
import type { Bytes } from "./bytes";
import { unb64, type Json } from "./canonical";
import { IntegrityError } from "./outcome";

export type Limits = { readonly min?: number; readonly max?: number };

/** A reader's description: a type's name with limits, or a composite of shapes. */
export type Shape = { readonly type: string; readonly limits?: Limits; readonly [detail: string]: unknown };

export interface Reader<T> {
  readonly read: (value: Json, path: string) => T;
  readonly shape: Shape;
  /** What stands for a missing key; a reader without one belongs to a required key. */
  readonly fallback?: () => T;
}

export type Read<R> = R extends Reader<infer T> ? T : never;

export function refuse(path: string, why: string): IntegrityError {
  return new IntegrityError("bad-format", `${path}: ${why}`);
}

function within(size: number, limits: Limits, path: string): void {
  if (limits.min !== undefined && size < limits.min) throw refuse(path, `must be at least ${limits.min}`);
  if (limits.max !== undefined && size > limits.max) throw refuse(path, `must be at most ${limits.max}`);
}

/** A whole number within limits. */
export function int(limits: Limits = {}): Reader<number> {
  const read = (value: Json, path: string): number => {
    if (typeof value !== "number") throw refuse(path, "must be of type int");
    within(value, limits, path);
    return value;
  };
  return { read, shape: { type: "int", limits } };
}

/** A text; limits are of its length in code points. */
export function text(limits: Limits = {}): Reader<string> {
  const read = (value: Json, path: string): string => {
    if (typeof value !== "string") throw refuse(path, "must be of type str");
    within([...value].length, limits, path);
    return value;
  };
  return { read, shape: { type: "str", limits } };
}

/** Bytes, written as base64url; limits are of their number. */
export function bytes(limits: Limits = {}): Reader<Bytes> {
  const read = (value: Json, path: string): Bytes => {
    if (typeof value !== "string") throw refuse(path, "must be of type bytes");
    const data = unb64(value);
    within(data.length, limits, path);
    return data;
  };
  return { read, shape: { type: "bytes", limits } };
}

/** True or false. */
export function bool(): Reader<boolean> {
  const read = (value: Json, path: string): boolean => {
    if (typeof value !== "boolean") throw refuse(path, "must be of type bool");
    return value;
  };
  return { read, shape: { type: "bool", limits: {} } };
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  const read = (value: Json, path: string): T => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw refuse(path, `must be one of ${words.join(", ")}`);
    return word;
  };
  return { read, shape: { type: "enum", words: [...words], limits: {} } };
}

/** A list; limits are of its length. */
export function list<T>(item: Reader<T>, limits: Limits = {}): Reader<readonly T[]> {
  const read = (value: Json, path: string): readonly T[] => {
    if (!Array.isArray(value)) throw refuse(path, "must be a list");
    const items = value.map((entry: Json, index) => item.read(entry, `${path}[${index}]`));
    within(items.length, limits, path);
    return items;
  };
  return { read, shape: { type: "list", item: item.shape, limits } };
}

/** A map of texts to values; limits are of its size. */
export function mapping<T>(item: Reader<T>, limits: Limits = {}): Reader<ReadonlyMap<string, T>> {
  const read = (value: Json, path: string): ReadonlyMap<string, T> => {
    const entries = Object.entries(asObject(value, path)).map(
      ([key, entry]): [string, T] => [key, item.read(entry, `${path}.${key}`)],
    );
    within(entries.length, limits, path);
    return new Map(entries);
  };
  return { read, shape: { type: "map", item: item.shape, limits } };
}

/** A value or null. */
export function optional<T>(inner: Reader<T>): Reader<T | null> {
  const read = (value: Json, path: string): T | null => (value === null ? null : inner.read(value, path));
  return { read, shape: { type: "optional", item: inner.shape } };
}

/** The same reader for a key that may be missing. */
export function withDefault<T>(inner: Reader<T>, fallback: () => T): Reader<T> {
  return { ...inner, fallback };
}

type Fields = Record<string, Reader<unknown>>;
type ReadFields<F extends Fields> = { readonly [K in keyof F]: Read<F[K]> };

/** An object with exactly these keys; only keys with a default may be missing. */
export function object<const F extends Fields>(fields: F): Reader<ReadFields<F>> {
  const inner = openObject(fields);
  const read = (value: Json, path: string): ReadFields<F> => {
    for (const key of Object.keys(asObject(value, path))) {
      if (!Object.hasOwn(fields, key)) throw refuse(`${path}.${key}`, "is not a known setting; check its spelling");
    }
    return inner.read(value, path);
  };
  return { read, shape: inner.shape };
}

/** An object with at least these keys: for answers of the server, which may learn to say more. Never for evidence. */
export function openObject<const F extends Fields>(fields: F): Reader<ReadFields<F>> {
  const read = (value: Json, path: string): ReadFields<F> => {
    const source = asObject(value, path);
    const entries = Object.entries(fields).map(([key, reader]) => [key, readField(reader, source, key, path)]);
    return Object.fromEntries(entries) as ReadFields<F>;
  };
  const shapes = Object.entries(fields).map(([key, reader]) => [
    key,
    reader.fallback === undefined
      ? { ...reader.shape, required: true }
      : { ...reader.shape, required: false, default: reader.fallback() },
  ]);
  return { read, shape: { type: "object", fields: Object.fromEntries(shapes) as unknown } };
}

function readField(
  reader: Reader<unknown>,
  source: { readonly [key: string]: Json },
  key: string,
  path: string,
): unknown {
  if (Object.hasOwn(source, key)) return reader.read(source[key] as Json, `${path}.${key}`);
  if (reader.fallback === undefined) throw refuse(`${path}.${key}`, "is missing");
  return reader.fallback();
}

function asObject(value: Json, path: string): { readonly [key: string]: Json } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw refuse(path, "must be an object");
  return value as { readonly [key: string]: Json };
}
