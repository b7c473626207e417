/** Reading Meta's JSON without believing it: every accessor answers null, or nothing, for what is not there. */

export type Wire = Readonly<Record<string, unknown>>;

/** Meta's ids stay below 250 characters. One that no database index can hold would block its lane for ever. */
const MAX_ID_LENGTH = 512;

export function asObject(value: unknown): Wire | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Wire) : null;
}

/** The objects in an array; anything else in it is passed over. */
export function objectsIn(value: unknown): readonly Wire[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Wire => asObject(item) !== null);
}

/** A non-empty string, or null. Ids may arrive as numbers in template webhooks, so those are spelled out. */
export function asText(value: unknown): string | null {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" && Number.isFinite(value) ? String(value) : null;
}

/** An id of Meta's, verbatim; null for what cannot be one. */
export function asId(value: unknown): string | null {
  const text = asText(value);
  return text !== null && text.length <= MAX_ID_LENGTH ? text : null;
}

/** Unix seconds as string or number, or milliseconds as some relays send them. */
export function asTime(value: unknown): Date | null {
  const number = Number(asText(value) ?? Number.NaN);
  if (!Number.isFinite(number) || number <= 0) return null;
  const date = new Date(number > 100_000_000_000 ? number : number * 1000);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 ? null : date;
}

/** Relays spell numbers as strings. */
export function asNumber(value: unknown): number | null {
  const text = asText(value)?.trim() ?? "";
  const number = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

/** A phone number as a person writes it, `+1 631-555-5555`, down to its digits. */
export function asDigits(value: unknown): string | null {
  const text = asText(value) ?? "";
  const digits = text.length <= MAX_ID_LENGTH ? text.replaceAll(/\D/g, "") : "";
  return digits === "" ? null : digits;
}

/** A word of Meta's in upper case; null for its `NONE`, by which it says that there is none. */
export function asWord(value: unknown): string | null {
  const word = asText(value)?.toUpperCase() ?? null;
  return word === "NONE" ? null : word;
}
