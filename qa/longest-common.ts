/** The longest row of things that two lists have in the same order. Pure. */

/** Places in the one and in the other, both rising. */
export type Pairs = readonly (readonly [number, number])[];
export type Equal = (one: number, other: number) => boolean;

/**
 * @param one how many there are. What they begin and end with alike costs no more than it is long; between, time and memory grow
 * with the product: for hundreds that differ, not for millions.
 */
export function longestCommon(one: number, other: number, isEqual: Equal): Pairs {
  let before = 0;
  while (before < one && before < other && isEqual(before, before)) before++;
  let after = 0;
  while (after < one - before && after < other - before && isEqual(one - after - 1, other - after - 1)) after++;
  const shared = (many: number, from: number, to: number) =>
    Array.from({ length: many }, (_, at) => [from + at, to + at] as const);
  const between = longestBetween(one - before - after, other - before - after, (i, j) =>
    isEqual(before + i, before + j),
  );
  return [
    ...shared(before, 0, 0),
    ...between.map(([i, j]) => [before + i, before + j] as const),
    ...shared(after, one - after, other - after),
  ];
}

function longestBetween(one: number, other: number, isEqual: Equal): Pairs {
  const lengths = Array.from({ length: one + 1 }, () => new Uint32Array(other + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = one - 1; i >= 0; i--)
    for (let j = other - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row) row[j] = isEqual(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < one && j < other; )
    if (isEqual(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  return pairs;
}
