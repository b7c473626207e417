/** What a value of a message may be, as predicates for the tables of rules. */
import type { WireObject } from "./wire.ts";

export type Accepts = (value: unknown) => boolean;

export function isObject(value: unknown): value is WireObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isNothing(value: unknown): boolean {
  return value === undefined;
}

export function isFlag(value: unknown): boolean {
  return typeof value === "boolean";
}

// Meta does not say what a character is. UTF-16 units are the strictest reading, so what passes here passes there.
export function isText(min: number, max: number): Accepts {
  return (value) =>
    typeof value === "string" && value.length >= min && value.length <= max && (min === 0 || value.trim() !== "");
}

export function isLine(min: number, max: number): Accepts {
  return (value) => isText(min, max)(value) && !/[\r\n]/.test(String(value));
}

export function isOneOf(...allowed: readonly string[]): Accepts {
  return (value) => typeof value === "string" && allowed.includes(value);
}

export function isList(min: number, max: number): Accepts {
  return (value) => Array.isArray(value) && value.length >= min && value.length <= max;
}

export function isWhole(min: number, max: number): Accepts {
  return (value) => typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

/** Meta takes coordinates as numbers and as texts. */
export function isDegree(limit: number): Accepts {
  return (value) => {
    const degrees = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof degrees === "number" && Math.abs(degrees) <= limit;
  };
}

export function isUrl(value: unknown): boolean {
  return typeof value === "string" && /^https?:\/\/\S+$/i.test(value) && URL.canParse(value);
}

/** An uploaded file, or an address from which Meta may fetch one. */
export function isMedia(value: unknown): boolean {
  if (!isObject(value)) return false;
  return value.link === undefined ? isText(1, 256)(value.id) : isUrl(value.link);
}

/** The objects of a list; empty for everything else. */
export function objectsOf(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function areDifferent(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
