/** What the encoders share: a Graph object, and leaving out what is not there. */

/** A Graph object. */
export type Wire = Record<string, unknown>;

/** Without the members that are undefined or a blank text: Meta takes an absent member, and refuses some blank ones. */
export function given(members: Readonly<Record<string, unknown>>): Wire {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isBlank(value)));
}

/** Nothing, or nothing that a person would see. */
export function isBlank(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && value.trim() === "");
}
