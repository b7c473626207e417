/** What is half-written, by the chat: a message, and above it a change to one that was sent. Nothing of it is lost by looking elsewhere. */

/**
 * @typedef {{ readonly kind: "reply" | "edit", readonly wamid: string, readonly text: string }} About what is answered or changed
 * @typedef {{ readonly text: string, readonly about: About | null }} Draft
 */

/** @type {Draft} */
const EMPTY = { text: "", about: null };

/** @type {Map<string, { readonly message: Draft, readonly edit: Draft | null }>} */
const drafts = new Map();

/** @param {string} chat */
function both(chat) {
  return drafts.get(chat) ?? { message: EMPTY, edit: null };
}

/**
 * What is being written: the change, while there is one.
 * @param {string} chat
 * @returns {Draft}
 */
export function draftOf(chat) {
  const { message, edit } = both(chat);
  return edit ?? message;
}

/** @param {string} chat @param {string} text */
export function write(chat, text) {
  const { message, edit } = both(chat);
  drafts.set(chat, edit === null ? { message: { ...message, text }, edit } : { message, edit: { ...edit, text } });
}

/** An answer to another one begins; what is written stays. @param {string} chat @param {About} about */
export function answer(chat, about) {
  drafts.set(chat, { message: { ...both(chat).message, about }, edit: null });
}

/** A change begins above what is written. @param {string} chat @param {About} about @param {string} text as it was sent */
export function change(chat, about, text) {
  drafts.set(chat, { message: both(chat).message, edit: { text, about } });
}

/** Neither an answer nor a change any more. @param {string} chat */
export function forgetAbout(chat) {
  const { message, edit } = both(chat);
  drafts.set(chat, { message: edit === null ? { ...message, about: null } : message, edit: null });
}

/**
 * What is sent, and is written no more.
 * @param {string} chat
 * @returns {Draft}
 */
export function take(chat) {
  const { message, edit } = both(chat);
  drafts.set(chat, { message: edit === null ? EMPTY : message, edit: null });
  return edit ?? message;
}

/**
 * What goes with a file. The words of a change are none of its.
 * @param {string} chat
 * @param {boolean} hasCaption otherwise the words stay
 * @returns {Draft}
 */
export function takeForFile(chat, hasCaption) {
  const { message, edit } = both(chat);
  if (edit !== null) return EMPTY;
  const { text, about } = message;
  drafts.set(chat, { message: { text: hasCaption ? "" : text, about: null }, edit });
  return { text: hasCaption ? text : "", about };
}

/** It could not be sent: nobody has to write it again, and nothing that was written meanwhile is lost. @param {string} chat @param {Draft} draft */
export function giveBack(chat, draft) {
  const { message, edit } = both(chat);
  if (draft.about?.kind === "edit") return void drafts.set(chat, { message, edit: edit ?? draft });
  const text = [draft.text, message.text].filter((words) => words !== "").join("\n");
  drafts.set(chat, { message: { text, about: message.about ?? draft.about }, edit });
}
