/** Every recorded webhook, and the ways in which Meta, a relay or somebody hostile might change one. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";

const FOLDER = new URL("../../../fixtures/webhooks/", import.meta.url);

export const fixtures: readonly { readonly name: string; readonly json: string }[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".request.json"))
  .map((file) => ({ name: file, json: readFileSync(new URL(file, FOLDER), "utf8") }));

type Parent = Record<string, unknown>;
type Mutation = { readonly at: number; readonly kind: (typeof KINDS)[number]; readonly value: unknown };

const KINDS = ["drop", "replace", "nest", "repeat", "rename", "wrap"] as const;
/** Values that a field must not choke on, whatever it was meant to be. */
const ODD_VALUES = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "0",
  "__proto__",
  "half \ud83d",
  "nul \0",
  '{"a":"\\u0000 \\ud83d"}',
  "x".repeat(5_000),
  [],
  [null],
  [[]],
  {},
  { id: {} },
  "16895569081298351",
];
const ODD_KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length", "toJSON", ""];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom(...KINDS),
  value: fc.oneof(fc.constantFrom(...ODD_VALUES), fc.jsonValue({ maxDepth: 3 })),
});

/** A recorded webhook after one to five mutations, as a payload that came through JSON. */
export const mutatedFixture: fc.Arbitrary<unknown> = fc
  .tuple(fc.constantFrom(...fixtures), fc.array(mutation, { minLength: 1, maxLength: 5 }))
  .map(([{ json }, mutations]) => {
    const payload: unknown = JSON.parse(json);
    for (const one of mutations) apply(payload, one);
    return JSON.parse(JSON.stringify(payload));
  });

function apply(payload: unknown, { at, kind, value }: Mutation): void {
  const places = placesIn(payload);
  const place = places[at % places.length];
  if (place === undefined) return;
  const { parent, key } = place;
  const old = parent[key];
  const set = (name: string, to: unknown) =>
    Object.defineProperty(parent, name, { value: to, enumerable: true, configurable: true, writable: true });
  if (kind === "drop") delete parent[key];
  else if (kind === "replace") set(key, JSON.parse(JSON.stringify(value)));
  else if (kind === "nest") set(key, { [key]: old });
  else if (kind === "wrap") set(key, [old]);
  else if (kind === "repeat") set(key, Array.isArray(old) ? Array.from({ length: 20 }, () => old).flat() : old);
  else if (!Array.isArray(parent)) {
    delete parent[key];
    set(ODD_KEYS[at % ODD_KEYS.length] as string, old);
  }
}

function placesIn(value: unknown): { readonly parent: Parent; readonly key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const parent = value as Parent;
  return Object.keys(parent).flatMap((key) => [{ parent, key }, ...placesIn(parent[key])]);
}

/** The same JSON in another spelling: keys in another order, spaces, every character as \uXXXX. */
export function respelled(value: unknown, how: { readonly reverse: boolean; readonly escaped: boolean }): string {
  const inOrder = (_key: string, inner: unknown) =>
    how.reverse && typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).reverse())
      : inner;
  const json = JSON.stringify(value, inOrder, how.reverse ? 3 : 0);
  return how.escaped ? json.replace(/"(?:[^"\\]|\\.)*"/g, escapeString) : json;
}

function escapeString(json: string): string {
  const text = JSON.parse(json) as string;
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, "0"));
  return `"${units.map((unit) => `\\u${unit}`).join("")}"`;
}
