/** The recorded messages, good and bad, and what becomes of them when one member is another. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";

const FOLDER = new URL("../../../fixtures/graph-api/", import.meta.url);
export const RECORDED = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".message.json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as unknown);

/** The message with one of its members, at any depth, replaced or removed. */
export function mutated(message: unknown, replacement: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const places = placesIn(message);
  return fc
    .tuple(fc.constantFrom(...places), replacement)
    .map(([place, value]) => replace(structuredClone(message), place, value));
}

type Path = readonly (string | number)[];

function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  // The first ten of a list stand for the others.
  const members = Object.entries(value).slice(0, 10);
  return [path, ...members.flatMap(([key, member]) => placesIn(member, [...path, key]))];
}

function replace(value: unknown, [first, ...others]: Path, replacement: unknown): unknown {
  if (first === undefined) return replacement;
  const object = value as Record<string | number, unknown>;
  object[first] = replace(object[first], others, replacement);
  return object;
}
