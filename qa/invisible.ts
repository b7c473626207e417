/** Signs that nobody sees: a soft hyphen, joiners and what keeps letters from joining, marks of direction. */

const INVISIBLE = /\p{Cf}/gu;

/** What a person reads: with a sign that nobody sees in it, a name is still that name. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, "");
}

/** As it stands and, where that is another text, as a person reads it: what is kept apart by such a sign is found only so. */
export function bothReadings(text: string): readonly string[] {
  const read = withoutInvisible(text);
  return read === text ? [text] : [text, read];
}

/** A text as a person reads it, with the way back. */
export type Read = {
  readonly read: string;
  /** What stands for a part of it, with the signs inside of that part. */
  readonly written: (from: number, to: number) => { readonly from: number; readonly to: number };
};

export function readWithoutInvisible(text: string): Read {
  const read = withoutInvisible(text);
  if (read === text) return { read, written: (from, to) => ({ from, to }) };
  const places: number[] = [];
  let at = 0;
  for (const character of text) {
    if (withoutInvisible(character) !== "") for (let unit = 0; unit < character.length; unit++) places.push(at + unit);
    at += character.length;
  }
  return { read, written: (from, to) => ({ from: places[from] ?? text.length, to: (places[to - 1] ?? -1) + 1 }) };
}
