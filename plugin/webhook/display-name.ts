/** What a person calls themselves → what a host may show: nothing invisible, nothing that turns what stands around it. */

/** WhatsApp allows 25; a business's verified name may be longer. In code points. */
const MAX_LENGTH = 100;

const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;
/** Marks of direction, and zero-width characters but for the joiners that emoji and some scripts need. */
const UNSEEN = /[\u061c\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
const JOINERS = /\u200c|\u200d|\ufe0e|\ufe0f/g;

/** The raw name stays in the stored delivery. @returns null when nothing that can be seen is left. */
export function displayName(name: string | null): string | null {
  if (name === null) return null;
  const shown = name.replaceAll(UNSEEN, "").replaceAll(BREAKS, " ").trim();
  const points = shown.length > MAX_LENGTH ? [...shown].slice(0, MAX_LENGTH).join("").trim() : shown;
  return points.replaceAll(JOINERS, "").trim() === "" ? null : points;
}
