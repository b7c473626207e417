/** What was sent beside what was promised, message by message in each conversation. Pure. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { type Comparison, comparable } from "./comparable.ts";
import { type Equal, longestCommon, type Pairs } from "./longest-common.ts";
import { isObject, textOf } from "./lossless-json.ts";
import { UNSPACED } from "./spelling.ts";

/** A message that was sent, or must be. */
export type Sent = {
  readonly endpoint: string;
  readonly message: WireObject;
  /** The fixture that it follows. */
  readonly after: string;
};

/** One place in a message where the two differ; undefined where there is nothing. */
export type Change = { readonly path: string; readonly promised: string | undefined; readonly got: string | undefined };

/** A message that was promised beside the one that was sent: one of the two is null where it is missing or extra. */
export type Row = {
  readonly kind: "same" | "changed" | "missing" | "extra";
  readonly promised: Sent | null;
  readonly got: Sent | null;
  /** Empty unless `changed`. */
  readonly changes: readonly Change[];
};

export type DiffOptions = {
  readonly text: Comparison;
  /** What was delivered in another order is answered in another order. */
  readonly isInOrder: boolean;
  /** Invented names in the promise, each of which any word may stand for. */
  readonly names?: readonly string[];
};

/** Whether a text is what was promised. */
type Same = (promised: string, got: string) => boolean;

/** Rows in the order of what was got; what is missing stands where it was promised. */
export function diffConversation(
  promised: readonly Sent[],
  got: readonly Sent[],
  { text, isInOrder, names = [] }: DiffOptions,
): readonly Row[] {
  const same = sameBut(names);
  const wanted = promised.map((sent) => comparedOf(sent, text));
  const had = got.map((sent) => comparedOf(sent, text));
  // An answer that comes often is compared once.
  const [ofWanted, ofHad] = [wanted.map((one) => JSON.stringify(one)), had.map((one) => JSON.stringify(one))];
  const known = new Map<string, Map<string, boolean>>();
  const isEqual = (i: number, j: number) => {
    const [one = "", other = ""] = [ofWanted[i], ofHad[j]];
    if (one === other) return true;
    const row = known.get(one) ?? new Map<string, boolean>();
    known.set(one, row);
    const answer = row.get(other) ?? differencesIn(wanted[i], had[j], text, same).length === 0;
    row.set(other, answer);
    return answer;
  };
  const pairs = (isInOrder ? longestCommon : anyEqual)(wanted.length, had.length, isEqual);
  const rows: Row[] = [];
  let at = 0;
  let from = 0;
  const flush = (toPromised: number, toGot: number) => {
    const left = promised.slice(at, toPromised).filter((_, i) => !pairs.some(([one]) => one === at + i));
    const right = got.slice(from, toGot).filter((_, i) => !pairs.some(([, other]) => other === from + i));
    for (let i = 0; i < Math.max(left.length, right.length); i++)
      rows.push(rowOf(left[i] ?? null, right[i] ?? null, text, same));
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

function rowOf(promised: Sent | null, got: Sent | null, text: Comparison, same: Same): Row {
  if (promised === null || got === null)
    return { kind: promised === null ? "extra" : "missing", promised, got, changes: [] };
  return { kind: "changed", promised, got, changes: changesOf(promised, got, text, same) };
}

/** Of two messages of different types no part is the other's: that they are is all that can be said of their members. */
function changesOf(promised: Sent, got: Sent, text: Comparison, same: Same): readonly Change[] {
  const [one, other] = [textOf(promised.message.type), textOf(got.message.type)];
  if (one !== null && other !== null && one !== other) return [{ path: "type", promised: one, got: other }];
  return differencesIn(comparedOf(promised, text), comparedOf(got, text), text, same);
}

/** A kept file has its name from there on its way out: the outbox, which promises, does not know it. */
function differencesIn(promised: unknown, got: unknown, text: Comparison, same: Same): readonly Change[] {
  const isItsOwn = (change: Change) => change.promised === undefined && /\bdocument\.filename$/.test(change.path);
  return changesIn(promised, got, same).filter((change) => text === "exact" || !isItsOwn(change));
}

function comparedOf({ endpoint, message }: Sent, text: Comparison): unknown {
  return { endpoint, message: comparable(message, text) };
}

/** A name in the promise stands for whoever it was; nobody knows what the host makes of another one. */
function sameBut(names: readonly string[]): Same {
  if (names.length === 0) return (promised, got) => promised === got;
  const longestFirst = [...names].sort((one, other) => other.length - one.length);
  const any = (some: readonly string[]) => (some.length === 0 ? "(?!)" : some.join("|"));
  const spaced = any(longestFirst.filter((one) => !UNSPACED.test(one)));
  const unspaced = any(longestFirst.filter((one) => UNSPACED.test(one)));
  const name = new RegExp(`(?<![\\p{L}\\p{M}])(?:${spaced})(?![\\p{L}\\p{M}])|(?:${unspaced})`, "giu");
  return (promised, got) => {
    if (promised === got) return true;
    const parts = promised.split(name);
    if (parts.length === 1) return false;
    const wanted = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("[\\p{L}\\p{M}\\p{N}]+");
    return new RegExp(`^${wanted}$`, "u").test(got);
  };
}

function anyEqual(one: number, other: number, isEqual: Equal): Pairs {
  const free = new Set(Array.from({ length: other }, (_, j) => j));
  return Array.from({ length: one }, (_, i) => i).flatMap((i) => {
    const j = [...free].find((index) => isEqual(i, index));
    if (j === undefined) return [];
    free.delete(j);
    return [[i, j] as const];
  });
}

/** Every leaf that differs, by its path. */
export function changesIn(
  promised: unknown,
  got: unknown,
  same: Same = (one, other) => one === other,
  path = "",
): readonly Change[] {
  const members = membersOf(promised);
  const others = membersOf(got);
  if (members === null || others === null) {
    const [one, other] = [show(promised), show(got)];
    const isSame = one === other || (one !== undefined && other !== undefined && same(one, other));
    return isSame ? [] : [{ path: path.replace(/^\.(message\.)?/, ""), promised: one, got: other }];
  }
  const names = [...new Set([...members.keys(), ...others.keys()])];
  const isList = Array.isArray(promised) && Array.isArray(got);
  return names.flatMap((name) =>
    changesIn(members.get(name), others.get(name), same, isList ? `${path}[${name}]` : `${path}.${name}`),
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
