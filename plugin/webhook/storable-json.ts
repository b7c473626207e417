/** JSON text → a value that Postgres can hold and JSON can be made of again. */
import { quoteLongIntegers } from "./long-integers.ts";

/** Meta nests about 12 levels. JSON.parse takes 10,000 and more, but JSON.stringify and jsonb do not. */
export const MAX_DEPTH = 64;

/** For JSON that stands in a string of other JSON. @returns null when it is none, or nested too deep. */
export function parseStorableJson(json: string): unknown {
  if (isTooDeep(Buffer.from(json))) return null;
  try {
    return JSON.parse(quoteLongIntegers(withoutUnstorable(json)));
  } catch {
    return null;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings without recursion: the one check that no nesting can overflow. */
export function isTooDeep(bytes: Uint8Array): boolean {
  if (!hasMoreThan(MAX_DEPTH, bytes, 0x7b, 0x5b)) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

/** An ordinary delivery has too few brackets to be deep: a native search for them is ten times as fast as the walk. */
function hasMoreThan(limit: number, bytes: Uint8Array, ...wanted: readonly number[]): boolean {
  let count = 0;
  for (const byte of wanted)
    for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) if (++count > limit) return true;
  return false;
}

const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;
const ESCAPES = /\\\\|\\u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(d[89a-f][0-9a-f]{2}|0000))/gi;

/**
 * Postgres refuses `\u0000` (22P05) and a lone surrogate (22P02) in jsonb and text: both become U+FFFD. Done on the JSON
 * text, so that everything else, numbers beyond 2^53 included, stays as Meta wrote it.
 */
export function withoutUnstorable(json: string): string {
  if (!UNSTORABLE.test(json)) return json;
  return json.replace(ESCAPES, (sequence, unstorable: string | undefined) =>
    unstorable === undefined ? sequence : "\\ufffd",
  );
}
