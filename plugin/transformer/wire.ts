/** What the encoders share: a Graph object, and leaving out what is not there. */

/** A Graph object. */
export type Wire = Record<string, unknown>;

/** Without the members that are undefined or an empty text: Meta takes an absent member, and refuses some empty ones. */
export function given(members: Readonly<Record<string, unknown>>): Wire {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== ""));
}
