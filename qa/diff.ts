/** What was sent beside what was promised, message by message in each conversation. Pure. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { comparable } from "./comparable.ts";
import { isObject } from "./lossless-json.ts";
import type { TextMode } from "./scrub.ts";

/** A message that was sent, or must be. */
export type Sent = {
  readonly endpoint: string;
  readonly message: WireObject;
  /** The fixture that it follows. */
  readonly after: string;
};

/** One place in a message where the two differ; undefined where there is nothing. */
export type Change = { readonly path: string; readonly promised: string | undefined; readonly got: string | undefined };

export type Row = {
  readonly kind: "same" | "changed" | "missing" | "extra";
  readonly promised: Sent | null;
  readonly got: Sent | null;
  /** Empty unless `changed`. */
  readonly changes: readonly Change[];
};

export type DiffOptions = {
  readonly text: TextMode;
  /** What was delivered in another order is answered in another order. */
  readonly isInOrder: boolean;
};

/** Rows in the order of what was got; what is missing stands where it was promised. */
export function diffConversation(
  promised: readonly Sent[],
  got: readonly Sent[],
  { text, isInOrder }: DiffOptions,
): readonly Row[] {
  const wanted = promised.map((sent) => keyOf(sent, text));
  const had = got.map((sent) => keyOf(sent, text));
  const pairs = isInOrder ? longestCommon(wanted, had) : anyEqual(wanted, had);
  const rows: Row[] = [];
  let at = 0;
  let from = 0;
  const flush = (toPromised: number, toGot: number) => {
    const left = promised.slice(at, toPromised).filter((_, i) => !pairs.some(([one]) => one === at + i));
    const right = got.slice(from, toGot).filter((_, i) => !pairs.some(([, other]) => other === from + i));
    for (let i = 0; i < Math.max(left.length, right.length); i++)
      rows.push(rowOf(left[i] ?? null, right[i] ?? null, text));
    at = toPromised;
    from = toGot;
  };
  if (isInOrder) {
    for (const [one, other] of pairs) {
      flush(one, other);
      rows.push({ kind: "same", promised: promised[one] ?? null, got: got[other] ?? null, changes: [] });
      at = one + 1;
      from = other + 1;
    }
    flush(promised.length, got.length);
    return rows;
  }
  for (const [one, other] of pairs)
    rows.push({ kind: "same", promised: promised[one] ?? null, got: got[other] ?? null, changes: [] });
  flush(promised.length, got.length);
  return rows;
}

function rowOf(promised: Sent | null, got: Sent | null, text: TextMode): Row {
  if (promised === null || got === null)
    return { kind: promised === null ? "extra" : "missing", promised, got, changes: [] };
  const changes = changesIn(
    { endpoint: promised.endpoint, ...asObject(comparable(promised.message, text)) },
    { endpoint: got.endpoint, ...asObject(comparable(got.message, text)) },
  );
  return { kind: "changed", promised, got, changes };
}

function asObject(value: unknown): WireObject {
  return isObject(value) ? value : {};
}

function keyOf({ endpoint, message }: Sent, text: TextMode): string {
  return JSON.stringify([endpoint, comparable(message, text)]);
}

/** Index pairs, both rising. A conversation has hundreds of messages, not thousands. */
function longestCommon(one: readonly string[], other: readonly string[]): readonly (readonly [number, number])[] {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint32Array(other.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = other.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row) row[j] = one[i] === other[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length; )
    if (one[i] === other[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  return pairs;
}

function anyEqual(one: readonly string[], other: readonly string[]): readonly (readonly [number, number])[] {
  const free = new Set(other.keys());
  return one.flatMap((key, i) => {
    const j = [...free].find((index) => other[index] === key);
    if (j === undefined) return [];
    free.delete(j);
    return [[i, j] as const];
  });
}

/** Every leaf that differs, by its path. */
export function changesIn(promised: unknown, got: unknown, path = ""): readonly Change[] {
  const members = membersOf(promised);
  const others = membersOf(got);
  if (members === null || others === null) {
    const [one, other] = [show(promised), show(got)];
    return one === other ? [] : [{ path: path.replace(/^\./, ""), promised: one, got: other }];
  }
  const names = [...new Set([...members.keys(), ...others.keys()])];
  const isList = Array.isArray(promised) && Array.isArray(got);
  return names.flatMap((name) =>
    changesIn(members.get(name), others.get(name), isList ? `${path}[${name}]` : `${path}.${name}`),
  );
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | null {
  if (!Array.isArray(value) && !isObject(value)) return null;
  return new Map(Object.entries(value));
}

function show(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
