/** Another order, the same for the same seed everywhere. Pure. */

/** @param keysOf items that share a key keep their order among themselves, and so do those that share one with both. */
export function shuffled<Item>(
  items: readonly Item[],
  seed: number,
  keysOf: (item: Item) => readonly string[],
): readonly Item[] {
  const groupOf = groupedBy(items.map(keysOf));
  const places = new Map<string, Item[]>();
  const groups = items.map((item, at) => {
    const group = groupOf(keysOf(item)) ?? `alone ${at}`;
    places.set(group, [...(places.get(group) ?? []), item]);
    return group;
  });
  return mixed(groups, seed).flatMap((group) => places.get(group)?.shift() ?? []);
}

/** @returns a function from an item's keys to one that all of its group have; undefined for none. */
function groupedBy(all: readonly (readonly string[])[]): (keys: readonly string[]) => string | undefined {
  const joined = new Map<string, string>();
  const firstOf = (key: string): string => {
    const before = joined.get(key);
    return before === undefined ? key : firstOf(before);
  };
  for (const [key, ...others] of all)
    for (const other of others) {
      const [one, two] = [firstOf(key ?? other), firstOf(other)];
      if (one !== two) joined.set(two, one);
    }
  return ([key]) => (key === undefined ? undefined : firstOf(key));
}

function mixed<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const all = [...items];
  let state = seed >>> 0 || 1;
  for (let at = all.length - 1; at > 0; at--) {
    // Xorshift: the same order for the same seed everywhere.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (at + 1);
    [all[at], all[other]] = [all[other] as Item, all[at] as Item];
  }
  return all;
}
