/** "Did you mean": the word among those that exist which is typed most like another. */

/** @returns null where none is near: three letters away at most, and fewer in short words. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const begins = known.find((word) => typed.length >= 3 && word.startsWith(typed.toLowerCase()));
  if (begins !== undefined) return begins;
  const [best] = known
    .map((word) => ({ word, distance: distanceOf(typed.toLowerCase(), word) }))
    .sort((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= Math.min(3, Math.floor(typed.length / 3)) ? best.word : null;
}

/** ` Did you mean "status"?`, or nothing. @param before of every word, as it is typed: `--`. */
export function didYouMean(typed: string, known: readonly string[], before = ""): string {
  const word = nearest(typed, known);
  return word === null ? "" : ` Did you mean "${before}${word}"?`;
}

/** Letters to be put in, taken out or changed, and neighbours that have changed places. */
function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= one.length; i += 1) {
    const [above = [], beyond] = [rows[i - 1], rows[i - 2]];
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          (above[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (above[j - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (beyond?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
