/** What Postgres can hold: anything else would come back as an error of the database's, where the caller's is to be told. */

/** Neither Postgres nor Meta takes a NUL character or half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

const FIRST = Date.UTC(1, 0);
const LAST = Date.UTC(9999, 11, 31);

/** In years of four digits: Postgres has more of them, JavaScript has other ones. */
export function isStorableTime(time: Date): boolean {
  return time.getTime() >= FIRST && time.getTime() <= LAST;
}
