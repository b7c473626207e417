/** Many values looked for in many texts at once. */

const START = 5;

/** By their first letters: thousands of ids are looked for in tens of thousands of texts. */
export function finderOf(values: ReadonlyMap<string, string>): (text: string) => readonly string[] {
  const byStart = new Map<string, [string, string][]>();
  const short: [string, string][] = [];
  for (const entry of values) {
    const start = entry[0].slice(0, START);
    if (start.length < START) short.push(entry);
    else byStart.set(start, [...(byStart.get(start) ?? []), entry]);
  }
  return (text) => {
    const found = short.filter(([value]) => text.includes(value)).map(([, what]) => what);
    for (let at = 0; at + START <= text.length; at++)
      for (const [value, what] of byStart.get(text.slice(at, at + START)) ?? [])
        if (text.startsWith(value, at)) found.push(what);
    return found;
  };
}
