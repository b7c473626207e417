/** The drawer: the clock, the faults that wait or hold, and what Meta thinks of the number and its templates. */
import { h } from "./tree.js";

/** @typedef {import("./api.js").State} State */

const HOUR = 3_600_000;
/** @type {readonly [number, string, string][]} */
const STEPS = [
  [HOUR, "1 hour", "One hour on"],
  [24 * HOUR, "24 hours", "24 hours on: the service window closes"],
  [7 * 24 * HOUR, "7 days", "Seven days on: received files are gone"],
  [60 * 24 * HOUR, "60 days", "60 days on: tokens that last 60 days expire"],
];
const STATUSES = ["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"];

/**
 * @param {State} state
 * @param {string | null} number
 * @returns {readonly import("./tree.js").Drawn[]}
 */
export function drawDrawer(state, number) {
  const about = state.numbers.find(({ id }) => id === number);
  return [
    drawClock(state),
    ...(state.refusals.length > 0 ? [drawRefusals(state)] : []),
    drawFaults(state),
    ...(about ? [drawNumber(about, state), drawTemplates(state)] : []),
  ];
}

/** @param {State} state */
function drawClock({ clock, chat }) {
  const now = new Date(clock.now);
  const told = now.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return section(
    "Meta’s clock",
    h("p", { class: "now" }, h("strong", {}, told), clock.aheadMs > 0 && ` ${aheadOf(clock.aheadMs)} ahead`),
    chat && h("p", { class: "soft" }, windowOf(chat)),
    h("p", { class: "soft" }, "Meta’s clock alone moves on; the host’s stays."),
    h(
      "div",
      { class: "steps", role: "group", "aria-label": "Move the clock on" },
      ...STEPS.map(([ms, label, told]) =>
        h(
          "button",
          {
            type: "button",
            class: "chip",
            "data-do": "clock",
            "data-ms": ms,
            "data-key": `clock ${ms}`,
            "aria-label": told,
            title: told,
          },
          `+ ${label}`,
        ),
      ),
    ),
  );
}

/** @param {NonNullable<State["chat"]>} chat */
function windowOf({ windowEndsAt }) {
  if (windowEndsAt === null) return "The service window is closed: only templates arrive.";
  const ends = new Date(windowEndsAt).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
  return `The service window is open until ${ends}.`;
}

/** @param {number} ms */
function aheadOf(ms) {
  const hours = Math.round(ms / HOUR);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** @param {State} state */
function drawFaults({ faults: { presets, armed } }) {
  const isAny = armed.length > 0 || presets.some(({ isOn }) => isOn);
  return section(
    "Faults",
    h(
      "div",
      { class: "armed", role: "status" },
      armed.length === 0
        ? h(
            "p",
            { class: "soft" },
            presets.some(({ isOn }) => isOn) ? "No fault waits for a request." : "Nothing goes wrong.",
          )
        : h(
            "ul",
            { "aria-label": "Armed" },
            ...armed.map(({ id, title, left }) =>
              h(
                "li",
                {},
                h("span", {}, left > 1 ? `${title} (${left} left)` : title),
                h(
                  "button",
                  {
                    type: "button",
                    class: "link-button",
                    "data-do": "take-back",
                    "data-id": id,
                    "data-key": `armed ${id}`,
                    "aria-label": `Take back: ${title}`,
                  },
                  "Take back",
                ),
              ),
            ),
          ),
      isAny &&
        h(
          "button",
          { type: "button", class: "link-button", "data-do": "clear-faults", "data-key": "clear" },
          "Take everything back",
        ),
    ),
    h(
      "ul",
      { class: "switches" },
      ...presets
        .filter(({ kind }) => kind === "switch")
        .map(({ id, title, about, isOn }) =>
          h(
            "li",
            {},
            h(
              "label",
              { class: "check" },
              h("input", {
                type: "checkbox",
                role: "switch",
                "data-do": "switch",
                "data-id": id,
                "data-key": `switch ${id}`,
                checked: isOn,
              }),
              h("span", {}, title, h("span", { class: "soft" }, about)),
            ),
          ),
        ),
    ),
    h(
      "ul",
      { class: "nexts", "aria-label": "Befall the next request" },
      ...presets
        .filter(({ kind }) => kind === "next")
        .map(({ id, title, about }) =>
          h(
            "li",
            {},
            h("span", {}, title, h("span", { class: "soft" }, about)),
            h(
              "button",
              {
                type: "button",
                class: "chip",
                "data-do": "arm",
                "data-id": id,
                "data-key": `arm ${id}`,
                "aria-label": `Arm: ${title}`,
              },
              "Arm",
            ),
          ),
        ),
    ),
  );
}

/** What came of the faults, as the host was told it. @param {State} state */
function drawRefusals({ refusals }) {
  return section(
    "What Meta refused lately",
    h(
      "ul",
      { class: "refusals" },
      ...refusals.map(({ request, code, subcode, message, at, times }) =>
        h(
          "li",
          {},
          h("strong", {}, subcode === null ? String(code) : `${code}, ${subcode}`),
          ` ${message}`,
          h(
            "span",
            { class: "soft" },
            `${request}, ${times > 1 ? `${times} times, last ` : ""}${new Date(at).toLocaleTimeString()}`,
          ),
        ),
      ),
    ),
    refusals.some(({ code }) => code === 190) &&
      h(
        "p",
        { class: "soft" },
        "After 190 the host stops sending and says “reauth_required”: the number is to be connected again.",
      ),
  );
}

/**
 * @param {import("./api.js").ShownNumber} number
 * @param {State} state
 */
function drawNumber({ name, quality, isOnBusinessApp }, { chat, people }) {
  const person = people.find(({ key }) => key === chat?.person);
  return section(
    name,
    choice("Quality", "quality", ["GREEN", "YELLOW", "RED"], quality),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", "data-do": "on-app", "data-key": "on-app", checked: isOnBusinessApp }),
      h(
        "span",
        {},
        "Also on the WhatsApp Business app",
        h("span", { class: "soft" }, "Edits and deletions reach the business, and its staff may write."),
      ),
    ),
    isOnBusinessApp &&
      chat !== null &&
      h("button", { type: "button", class: "chip", "data-do": "staff", "data-key": "staff" }, "Write as staff"),
    chat !== null &&
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          "data-do": "marketing",
          "data-key": "marketing",
          checked: !chat.hasStoppedMarketing,
        }),
        h(
          "span",
          {},
          "Offers and announcements",
          h(
            "span",
            { class: "soft" },
            `Switched off by ${person?.name ?? "the person"}, the business hears of it, and marketing templates fail with 131050.`,
          ),
        ),
      ),
  );
}

/** @param {State} state */
function drawTemplates({ templates }) {
  return section(
    "Templates",
    ...(templates.length === 0 ? [h("p", { class: "soft" }, "This account has none.")] : []),
    ...templates.map(({ name, language, status }) =>
      choice(
        `${name} · ${language}`,
        "template",
        STATUSES.includes(status) ? STATUSES : [status, ...STATUSES],
        status,
        { name, language },
      ),
    ),
  );
}

/**
 * @param {string} label
 * @param {string} what
 * @param {readonly string[]} values
 * @param {string} chosen
 * @param {Readonly<Record<string, string>>} data
 */
function choice(label, what, values, chosen, data = {}) {
  const told = Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value]));
  return h(
    "label",
    { class: "setting" },
    h("span", {}, label),
    h(
      "select",
      { "data-do": what, "data-key": `${what} ${label}`, ...told },
      ...values.map((value) =>
        h("option", { value, selected: value === chosen }, value.charAt(0) + value.slice(1).toLowerCase()),
      ),
    ),
  );
}

/**
 * @param {string} title
 * @param {readonly import("./tree.js").Child[]} content
 */
function section(title, ...content) {
  const id = `drawer-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return h("section", { "aria-labelledby": id }, h("h3", { id, dir: "auto" }, title), ...content);
}
