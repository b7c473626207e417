/** Checks of single values, from which the checks of whole messages are put together. None of them throws. */
import { isStorable } from "../storable.ts";
import type { Limit } from "./limits.ts";
import type { Place } from "./problem.ts";

/** Reports what is wrong with a value to its place. */
export type Check = (value: unknown, place: Place) => void;

/** A rule beyond length: what is wrong and what to do, or null. */
export type TextRule = (text: string) => readonly [problem: string, fix: string] | null;

type Bounds = Pick<Limit, "min" | "max" | "advised">;
/** Where Meta names no limit. */
export const ANY: Bounds = { max: Number.POSITIVE_INFINITY };
export const SOME: Bounds = { ...ANY, min: 1 };

type Fields = Readonly<Record<string, unknown>>;
type KeyOf<T> = T extends unknown ? Exclude<keyof T, "kind"> : never;
type Members<T> = { readonly [Member in KeyOf<T>]: Check };

export function text({ min = 0, max, advised = max }: Bounds, ...rules: readonly TextRule[]): Check {
  return (value, place) => {
    if (typeof value !== "string") return place.report(not("a text", value), "Give a string.");
    if (min > 0 && value.trim() === "")
      return place.report("is empty or blank", "Give at least one visible character.", min);
    if (value.length > max)
      place.report(`is longer than ${max} UTF-16 units`, `Shorten it to ${max} UTF-16 units or fewer.`, max);
    else if (value.length > advised)
      place.advise(
        `is longer than ${advised} UTF-16 units, which not all of Meta's pages allow`,
        `Keep it at ${advised} UTF-16 units or fewer to be safe.`,
        advised,
      );
    if (!isStorable(value))
      place.report("holds a NUL character or half of a surrogate pair", "Cut text between characters, not inside one.");
    for (const rule of rules) {
      const broken = rule(value);
      if (broken !== null) place.report(...broken);
    }
  };
}

function not(what: string, value: unknown): string {
  return value === undefined ? "is missing" : `is not ${what}`;
}

/** The member may be left out; an explicit `undefined` is the same. */
export function optional(check: Check): Check {
  return (value, place) => (value === undefined ? undefined : check(value, place));
}

/** A member that the type has and this kind of message must not. */
export function absent(problem: string, fix: string): Check {
  return optional((_, place) => place.report(problem, fix));
}

export const flag: Check = (value, place) => {
  if (typeof value !== "boolean") place.report(not("true or false", value), "Give true or false.");
};

export function oneOf(...allowed: readonly string[]): Check {
  return (value, place) => {
    if (typeof value !== "string" || !allowed.includes(value))
      place.report(not("one of the values there are", value), `Give one of: ${allowed.join(", ")}.`);
  };
}

export function number({ min = -Infinity, max }: Bounds, { whole }: { readonly whole: boolean }): Check {
  const kind = whole ? "a whole number" : "a number";
  return (value, place) => {
    if (typeof value !== "number" || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
      return place.report(not(kind, value), `Give ${kind}.`);
    if (value < min) place.report(`is less than ${min}`, `Give ${kind} from ${min} to ${max}.`, min);
    if (value > max) place.report(`is more than ${max}`, `Give ${kind} from ${min} to ${max}.`, max);
  };
}

/** `rules` see the whole list; what an item is, they must find out by themselves. */
export function list(
  bounds: Bounds,
  check: Check,
  ...rules: readonly ((items: readonly unknown[], place: Place) => void)[]
): Check {
  return (value, place) => {
    if (!Array.isArray(value)) return place.report(not("a list", value), "Give an array.");
    const items: readonly unknown[] = value;
    checkCount(items.length, bounds, place);
    for (let index = 0; index < items.length; index += 1) check(items[index], place.item(index));
    for (const rule of rules) rule(items, place);
  };
}

function checkCount(count: number, { min = 0, max }: Bounds, place: Place): void {
  if (count < min) place.report(`has fewer items than ${min}`, `Give ${min} or more.`, min);
  if (count > max) place.report(`has more items than ${max}`, `Give ${max} or fewer.`, max);
}

/** An object with exactly these members; a member by another name is a mistake that would go unseen. */
export function shape<T>(members: Members<T>, ...rules: readonly ((fields: Fields, place: Place) => void)[]): Check {
  const checks: ReadonlyMap<string, Check> = new Map(Object.entries(members));
  return (value, place) => {
    if (!isFields(value)) return place.report(not("an object", value), "Give an object.");
    for (const [name, check] of checks) check(value[name], place.member(name));
    for (const name of Object.keys(value))
      if (!checks.has(name) && value[name] !== undefined)
        place
          .member(name)
          .report("is not known here", `Leave it out, or use one of: ${[...checks.keys()].join(", ")}.`);
    for (const rule of rules) rule(value, place);
  };
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reports every item whose member repeats that of an item before it. */
export function unique(member: string): (items: readonly unknown[], place: Place) => void {
  return (items, place) => {
    const seen = new Set<unknown>();
    items.forEach((item, index) => {
      const value = isFields(item) ? item[member] : undefined;
      if (value === undefined) return;
      if (seen.has(value))
        place.item(index).member(member).report("is the same as in an earlier one", "Give each its own.");
      seen.add(value);
    });
  };
}
