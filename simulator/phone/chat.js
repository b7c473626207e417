/** One chat: its messages, drawn anew only where they have changed, so that what plays goes on playing. */
import { drawMessage } from "./bubble.js";
import { toElement } from "./dom.js";
import { fold } from "./fold.js";
import { h, toHtml } from "./tree.js";
import { textOf } from "./wire.js";

/**
 * @typedef {import("./api.js").State} State
 * @typedef {import("./api.js").Entry} Entry
 * @typedef {import("./fold.js").Item} Item
 */

const NEAR_PX = 80;

/** @param {HTMLElement} place */
export function createChat(place) {
  /** @type {Map<string, { readonly html: string, readonly element: HTMLElement }>} */
  let drawn = new Map();
  /** @type {readonly Item[]} */
  let items = [];
  let chat = "";
  let isAtEnd = true;
  /** Voice messages that this browser cannot play, by their address. @type {Set<string>} */
  const mute = new Set();
  let drawAgain = () => {};
  /** Gives back the focus that a message loses by being drawn anew. */
  let focusAgain = () => {};
  const isNearEnd = () => place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_PX;
  place.addEventListener("scroll", () => {
    isAtEnd = isNearEnd();
  });
  // A picture takes its room only when it has come.
  for (const event of ["load", "loadedmetadata"]) place.addEventListener(event, () => isAtEnd && goToEnd(), true);

  place.addEventListener(
    "error",
    ({ target }) => {
      if (!(target instanceof HTMLAudioElement) || target.dataset.do !== "play") return;
      mute.add(target.getAttribute("src") ?? "");
      drawAgain();
    },
    true,
  );

  function goToEnd() {
    isAtEnd = true;
    place.scrollTop = place.scrollHeight;
  }

  /**
   * @param {NonNullable<State["chat"]>} shown
   * @param {{ readonly business: string, readonly now: Date }} about
   * @returns {boolean} whether something new came below what is in view
   */
  function update(shown, { business, now }) {
    drawAgain = () => update(shown, { business, now });
    const isOther = chat !== `${shown.person}/${shown.number}`;
    const isNear = isAtEnd;
    const last = items.at(-1);
    chat = `${shown.person}/${shown.number}`;
    items = fold(shown.entries, { business, timeOf, dayOf: (at) => dayOf(new Date(at), now) });
    const next = new Map();
    if (shown.isCut)
      next.set("cut", keep("cut", h("div", { class: "wa-system" }, note("Older messages are not shown."))));
    for (const item of items) {
      const key = item.kind === "day" ? `day ${item.day}` : item.shown.wamid;
      next.set(
        key,
        keep(key, item.kind === "day" ? h("div", { class: "wa-system" }, note(item.day)) : draw(item, mute)),
      );
    }
    if (shown.windowEndsAt === null) next.set("closed", keep("closed", closed(shown)));
    if (shown.typingMs > 0) next.set("typing", keep("typing", typing(business)));
    drawn = next;
    arrange([...next.values()].map(({ element }) => element));
    focusAgain();
    focusAgain = () => {};
    const isNew = items.at(-1) !== undefined && keyOf(items.at(-1)) !== keyOf(last);
    if (isOther || isNear) goToEnd();
    return !isOther && !isNear && isNew;
  }

  /**
   * @param {string} key
   * @param {import("./tree.js").Tag} tag
   */
  function keep(key, tag) {
    const html = toHtml(tag);
    const before = drawn.get(key);
    if (before?.html === html) return before;
    const element = toElement(tag);
    if (before?.element.contains(document.activeElement)) {
      const focused = document.activeElement;
      const at = [...before.element.querySelectorAll("button, a, [tabindex]")].indexOf(
        /** @type {Element} */ (focused),
      );
      // In the same step: a frame later, whoever has gone on to another button meanwhile would be taken away from it.
      focusAgain = () => {
        const again = element.querySelectorAll("button, a, [tabindex]")[at];
        if (again instanceof HTMLElement) again.focus({ preventScroll: true });
      };
    }
    return { html, element };
  }

  /** @param {readonly HTMLElement[]} elements */
  function arrange(elements) {
    for (const child of [...place.children]) if (!elements.includes(/** @type {HTMLElement} */ (child))) child.remove();
    for (const [index, element] of elements.entries())
      if (place.children[index] !== element) place.insertBefore(element, place.children[index] ?? null);
  }

  return {
    update,
    goToEnd,
    /** @param {string | undefined} wamid */
    item(wamid) {
      const found = items.find((item) => item.kind === "message" && item.shown.wamid === wamid);
      return found?.kind === "message" ? found : null;
    },
    forget() {
      drawn = new Map();
      items = [];
      chat = "";
      place.replaceChildren();
    },
  };
}

/** @param {Item | undefined} item */
function keyOf(item) {
  return item?.kind === "message" ? item.shown.wamid : item?.day;
}

/**
 * @param {Extract<Item, { kind: "message" }>} item
 * @param {ReadonlySet<string>} mute addresses that are as good as none
 */
function draw({ shown, entry }, mute) {
  /** @type {import("./parts.js").Scene} */
  const scene = {
    isLive: shown.failure === undefined && !shown.isMine,
    fileOf({ id, link }) {
      const name = textOf(id) || textOf(link);
      const file = entry.files[name];
      const url = `/_phone/files?id=${encodeURIComponent(name)}`;
      return file && !mute.has(url) ? { ...file, url } : null;
    },
    isPlayed: entry.status === "played",
    listedOf: () => entry.listed ?? null,
  };
  const options = h(
    "button",
    { type: "button", class: "tool", "data-do": "options", "aria-label": `Options of: ${entry.text.slice(0, 40)}` },
    h("span", { class: "wa-icon wa-icon-more", "aria-hidden": "true" }),
  );
  const tag = drawMessage(shown, scene, [options]);
  return { ...tag, attributes: { ...tag.attributes, "data-wamid": shown.wamid } };
}

/** @param {string} business */
function typing(business) {
  const dots = h("span", { class: "dots", role: "img", "aria-label": `${business} is typing` }, h("i"), h("i"), h("i"));
  return h("div", { class: "wa-message wa-in" }, h("div", { class: "wa-bubble" }, dots));
}

/** What is only said to whoever tests: on a phone nobody sees it. @param {NonNullable<State["chat"]>} shown */
function closed({ entries }) {
  const why = entries.some(({ direction, type }) => direction === "inbound" && !["system", "reaction"].includes(type))
    ? "Your last message is older than 24 hours"
    : "You have not written yet";
  return h(
    "div",
    { class: "wa-system wa-closed" },
    note(
      `${why}: the service window is closed. Templates arrive; whatever else the business sends fails with 131047. Write, and the window is open.`,
    ),
  );
}

/** @param {string} text */
function note(text) {
  return h("div", { class: "wa-text" }, h("p", {}, text));
}

/** @param {string} at */
export function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/**
 * @param {Date} at
 * @param {Date} now the simulator's
 */
export function dayOf(at, now) {
  const day = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((day(now) - day(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return at.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
}
