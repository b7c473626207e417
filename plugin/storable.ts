/** What Postgres can hold: anything else would come back as an error of the database's, where the caller's is to be told. */

/** Neither Postgres nor Meta takes a NUL character or half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

const FIRST = Date.UTC(1, 0);
const LAST = Date.UTC(9999, 11, 31);

/** A day, or a time with its zone: without one it would be this machine's. */
const INSTANT = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Of a time as somebody writes it. JavaScript takes the 31st of February for the 3rd of March. */
export function isInstant(text: string): boolean {
  const [, day] = INSTANT.exec(text) ?? [];
  if (day === undefined || Number.isNaN(Date.parse(text)) || Number.isNaN(Date.parse(day))) return false;
  return new Date(day).toISOString().startsWith(day);
}

/** In years of four digits: Postgres has more of them, JavaScript has other ones. */
export function isStorableTime(time: Date): boolean {
  return time.getTime() >= FIRST && time.getTime() <= LAST;
}
