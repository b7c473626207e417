/** Integers that JavaScript would round, template ids among them, become strings with the same digits. */

// A cheap look first: nearly no delivery has one. A false alarm inside a string costs one scan.
const SUSPECT = /(?:^|[[:,\s])-?[1-9]\d{15}/;
const LONG_INTEGER = /(?<![\d.eE+-])-?[1-9]\d{15,}(?=\s*(?:[,\]}]|$))/g;

/** @param json valid JSON; anything else comes back just as invalid. */
export function quoteLongIntegers(json: string): string {
  if (!SUSPECT.test(json)) return json;
  const parts: string[] = [];
  for (let at = 0; at < json.length; ) {
    const open = indexOrEnd(json, '"', at);
    parts.push(json.slice(at, open).replace(LONG_INTEGER, quoteWhenRounded));
    const end = endOfString(json, open);
    parts.push(json.slice(open, end));
    at = end;
  }
  return parts.join("");
}

function quoteWhenRounded(digits: string): string {
  return Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`;
}

/** @returns the index after the closing quote. */
function endOfString(json: string, open: number): number {
  for (let at = indexOrEnd(json, '"', open + 1); at < json.length; at = indexOrEnd(json, '"', at + 1)) {
    let backslashes = 0;
    while (json[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
  return json.length;
}

function indexOrEnd(json: string, search: string, from: number): number {
  const found = json.indexOf(search, from);
  return found === -1 ? json.length : found;
}
