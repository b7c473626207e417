/** Values of options that several commands take. */
import type { Wrong } from "./command.ts";

/** A time without a zone would be this machine's. */
export function instantOf(name: string, text: string | undefined, wrong: Wrong): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  const [, day = ""] = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  if (Number.isNaN(time.getTime()) || !isDay(day))
    throw wrong(`--${name} is a time such as 2026-11-27 or 2026-11-27T08:00:00Z.`);
  return time;
}

export function wholeNumber(name: string, text: string | undefined, wrong: Wrong): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw wrong(`--${name} is a whole number.`);
  return Number(text);
}

/** The only id that is asked for: a tenant's. */
export function tenantOf(text: string | undefined, wrong: Wrong): string | undefined {
  if (text !== undefined && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text))
    throw wrong("--tenant is a customer_configs.id (uuid).");
  return text;
}

/** JavaScript takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const date = new Date(day);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
