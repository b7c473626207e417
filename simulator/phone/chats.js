/** The column of chats: each person with the businesses they write to, whoever was busy last on top. */
import { dayOf, timeOf } from "./chat.js";
import { formattedLine } from "./formatting.js";
import { h } from "./tree.js";

/**
 * @typedef {import("./api.js").State} State
 * @typedef {import("./api.js").ShownChat} ShownChat
 */

/** @type {Readonly<Record<string, string>>} */
const SHORT = {
  image: "📷 Picture",
  video: "🎥 Video",
  audio: "🎵 Audio",
  document: "📄 Document",
  sticker: "Sticker",
  location: "📍 Location",
  contacts: "👤 Contact",
  reaction: "Reaction",
  edit: "Edited a message",
  revoke: "Deleted a message",
  template: "Template",
  interactive: "Answer to a form",
  order: "🛒 Order",
  unsupported: "Unsupported message",
};

/**
 * @param {State} state
 * @param {{ readonly chosen: { readonly person: string | null, readonly number: string | null }, readonly unseen: (chat: ShownChat) => number }} about
 * @returns {readonly import("./tree.js").Drawn[]}
 */
export function drawChats(state, { chosen, unseen }) {
  const now = new Date(state.clock.now);
  const latest = (/** @type {readonly ShownChat[]} */ chats) =>
    chats
      .map((chat) => chat.last?.at ?? "")
      .sort()
      .at(-1) ?? "";
  const groups = state.people
    .map((person) => ({
      person,
      chats: state.chats
        .filter((chat) => chat.person === person.key)
        .sort((one, other) => (other.last?.at ?? "").localeCompare(one.last?.at ?? "")),
    }))
    .filter(({ chats }) => chats.length > 0)
    .sort((one, other) => latest(other.chats).localeCompare(latest(one.chats)));
  if (groups.length === 0)
    return [
      h(
        "div",
        { class: "empty" },
        h("p", {}, h("strong", {}, "No chats yet")),
        h("p", {}, "Choose who you are and which number you write to."),
        h("button", { type: "button", class: "main-button", "data-do": "new-chat" }, "New chat"),
      ),
    ];
  return groups.map(({ person, chats }) =>
    h(
      "section",
      { class: "group", "aria-labelledby": `of-${person.key}` },
      h(
        "h2",
        { id: `of-${person.key}` },
        ...(person.name === "You" ? ["Your phone"] : [h("bdi", {}, person.name), "’s phone"]),
      ),
      h(
        "ul",
        {},
        ...chats.map((chat) => {
          const number = state.numbers.find(({ id }) => id === chat.number);
          const isChosen = chat.person === chosen.person && chat.number === chosen.number;
          const count = isChosen ? 0 : unseen(chat);
          const name = number?.name ?? chat.number;
          return h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: "row",
                "data-do": "open",
                "data-person": chat.person,
                "data-number": chat.number,
                "data-key": `${chat.person}/${chat.number}`,
                "aria-current": isChosen && "true",
              },
              avatar(name),
              h("span", { class: "row-name", dir: "auto" }, name),
              h("span", { class: "row-time" }, whenOf(chat, now)),
              h(
                "span",
                { class: "row-last", dir: "auto" },
                chat.typingMs > 0 ? h("span", { class: "is-typing" }, "typing…") : lastOf(chat),
              ),
              count > 0 && h("span", { class: "badge", "aria-label": `${count} new` }, String(count)),
            ),
          );
        }),
      ),
    ),
  );
}

/** @param {string} name */
export function avatar(name) {
  const hue = [...name].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % 4;
  return h("span", { class: `wa-avatar hue-${hue}`, "aria-hidden": "true" }, ([...name][0] ?? "?").toUpperCase());
}

/**
 * @param {ShownChat} chat
 * @param {Date} now
 */
function whenOf({ last }, now) {
  if (last === undefined) return "";
  const day = dayOf(new Date(last.at), now);
  if (day === "Today") return timeOf(last.at);
  return day === "Yesterday" ? day : new Date(last.at).toLocaleDateString();
}

/** @param {ShownChat} chat */
function lastOf({ last }) {
  if (last === undefined) return "";
  // What has no words comes as its type in brackets; what somebody has put in brackets is theirs.
  const isWordless = last.type !== "text" && last.text === `[${last.type}]`;
  const short = last.isVoice ? "🎤 Voice message" : (SHORT[last.type] ?? last.type);
  const said = isWordless ? short : formattedLine(last.text.slice(0, 120));
  const isWritten = last.direction === "inbound" && !["system", "unsupported"].includes(last.type);
  const before = isWritten ? "You: " : "";
  return h("span", {}, before, said);
}
