/** The entries of a chat → its messages as the person sees them: reactions on them, edited, deleted, quoted, by day. */
import { shownText } from "./draw.js";
import { objectOf, textOf } from "./wire.js";

/**
 * @typedef {import("./api.js").Entry} Entry
 * @typedef {import("./bubble.js").Shown} Shown
 * @typedef {{ readonly kind: "message", readonly shown: Shown, readonly entry: Entry } | { readonly kind: "day", readonly day: string }} Item
 */

/**
 * @param {readonly Entry[]} entries oldest first
 * @param {{ readonly business: string, readonly timeOf: (at: string) => string, readonly dayOf: (at: string) => string }} words
 * @returns {readonly Item[]}
 */
export function fold(entries, { business, timeOf, dayOf }) {
  const known = new Map(entries.map((entry) => [entry.wamid, entry]));
  /** @type {Map<string, Map<string, string>>} */
  const reactions = new Map();
  /** @type {Map<string, Entry>} */
  const edits = new Map();
  const deleted = new Set();
  /** @type {Item[]} */
  const items = [];
  const told = entries.filter((entry) => {
    const { message_id: reacted, emoji } = objectOf(entry.message.reaction);
    const edited = textOf(objectOf(entry.message.edit).original_message_id);
    const revoked = textOf(objectOf(entry.message.revoke).original_message_id);
    if (entry.type === "reaction" && known.has(textOf(reacted))) {
      if (entry.status === "failed") return true;
      const here = reactions.get(textOf(reacted)) ?? new Map();
      reactions.set(textOf(reacted), here.set(entry.direction, textOf(emoji)));
      return false;
    }
    if (entry.type === "edit" && known.has(edited)) edits.set(edited, entry);
    if (entry.type === "revoke" && known.has(revoked)) deleted.add(revoked);
    return !["edit", "revoke"].includes(entry.type);
  });
  let day = "";
  for (const entry of told) {
    const today = dayOf(entry.at);
    if (today !== day) items.push({ kind: "day", day: today });
    day = today;
    const edit = edits.get(entry.wamid);
    const isMine = entry.direction === "inbound";
    const quoted = entry.replyTo === null ? undefined : known.get(entry.replyTo);
    const message = edit ? objectOf(objectOf(edit.message.edit).message) : entry.message;
    items.push({
      kind: "message",
      entry: edit ? { ...entry, message, files: { ...entry.files, ...edit.files } } : entry,
      shown: {
        wamid: entry.wamid,
        isMine,
        message,
        time: timeOf(entry.at),
        ticks: isMine ? entry.status : null,
        ...(entry.status === "failed" && { failure: failureOf(entry) }),
        quoted: entry.replyTo === null ? null : quoteOf(quoted, business),
        reactions: [...(reactions.get(entry.wamid)?.values() ?? [])].filter((emoji) => emoji !== ""),
        isEdited: edit !== undefined,
        isDeleted: deleted.has(entry.wamid),
        ...(entry.author !== undefined && { author: entry.author }),
      },
    });
  }
  return items;
}

/** @param {Entry} entry */
function failureOf({ error }) {
  const why = error === undefined ? "" : ` ${error.title} (${error.code}).`;
  return `Not delivered: the person never sees this.${why}`;
}

/**
 * @param {Entry | undefined} entry
 * @param {string} business
 */
function quoteOf(entry, business) {
  if (entry === undefined) return { name: "Quoted", text: "A message that is not here" };
  return {
    name: entry.direction === "inbound" ? "You" : business,
    text: textOf(entry.text).startsWith("[") ? shownText(entry.message) : entry.text,
  };
}
