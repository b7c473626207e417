/** `Range`, of one part: several at once are answered with everything, as they may be. */

export type ByteRange = { readonly first: number; readonly last: number };

/** @returns null: all of it; "none": nothing of what is there. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2 */
export function readRange(header: string | undefined, size: number): ByteRange | "none" | null {
  const [, from = "", to = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return null;
  if (from === "") {
    const length = Math.min(Number(to), size);
    return length === 0 ? "none" : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  // The second before the first is no range at all.
  if (to !== "" && Number(to) < first) return null;
  return first >= size ? "none" : { first, last };
}
