/** Verified bytes → JSON that Postgres can hold, or the reason why the delivery is quarantined. Never throws. */
import { isUtf8 } from "node:buffer";
import { quoteLongIntegers } from "./long-integers.ts";
import type { VerifiedBody } from "./verify-signature.ts";

/** Meta nests about 12 levels. JSON.parse takes 10,000 and more, but JSON.stringify and jsonb do not. */
const MAX_DEPTH = 64;

export type Payload =
  /** `mended`: the JSON text with what Postgres cannot hold replaced; null when the bytes can stay as they are. */
  | { readonly kind: "json"; readonly value: unknown; readonly mended: string | null }
  | { readonly kind: "quarantined"; readonly reason: string };

export function readPayload(body: VerifiedBody): Payload {
  if (nestedDeeperThan(body.bytes, MAX_DEPTH)) return quarantined(`nested deeper than ${MAX_DEPTH} levels`);
  const decoded = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString("utf8");
  const text = withoutUnstorable(decoded);
  try {
    const value: unknown = JSON.parse(quoteLongIntegers(text));
    return { kind: "json", value, mended: text === decoded && isUtf8(body.bytes) ? null : text };
  } catch {
    // The parser's own message quotes the body, so it is left out.
    return quarantined("not JSON");
  }
}

function quarantined(reason: string): Payload {
  return { kind: "quarantined", reason };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings without recursion: the one check that no nesting can overflow. */
function nestedDeeperThan(bytes: Uint8Array, limit: number): boolean {
  if (!hasMoreThan(limit, bytes, 0x7b, 0x5b)) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limit) return true;
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
function withoutUnstorable(json: string): string {
  if (!UNSTORABLE.test(json)) return json;
  return json.replace(ESCAPES, (sequence, unstorable: string | undefined) =>
    unstorable === undefined ? sequence : "\\ufffd",
  );
}
