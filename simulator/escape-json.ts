/** Writes JSON the way Meta does: slashes escaped, everything beyond ASCII as \uXXXX in lower-case hex. */

const NEEDS_ESCAPE = /[/\u0080-\uffff]/g;

/** The signature covers this spelling, so a host that re-serializes the body before verifying fails here as it does live. */
export function escapedJson(value: unknown): string {
  // A slash occurs in JSON only inside a string, so replacing every one is safe.
  return JSON.stringify(value).replace(NEEDS_ESCAPE, (character) =>
    character === "/" ? "\\/" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
