/** What stands in the card, from the element's state: every state it can be in, as elements. */
import { h } from "./dom.js";
import { progressOf } from "./progress.js";
import { fill, lookUp } from "./texts.js";

/** @typedef {import("./api.js").Onboarding} Onboarding */
/** @typedef {import("./api.js").ConnectedNumber} ConnectedNumber */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./dom.js").Child} Child */

/**
 * @typedef {object} State
 * @property {"loading" | "failed" | "ready"} phase
 * @property {readonly ConnectedNumber[]} numbers
 * @property {Onboarding | null} onboarding
 * @property {string | null} hindrance the code of why nobody can connect here
 * @property {boolean} isBusy
 * @property {boolean} isSlow
 * @property {boolean} isChoosingAgain instead of moving a number here
 * @property {string | null} leaving the number that is about to be disconnected
 * @property {ReadonlySet<string>} picked
 * @property {Readonly<Record<string, string>>} pins
 * @property {ReadonlySet<string>} wrongPins
 *
 * @typedef {object} Actions
 * @property {() => void} reload
 * @property {() => void} begin
 * @property {() => void} tryAgain
 * @property {(phoneNumberId: string | null) => void} askDisconnect
 * @property {(phoneNumberId: string) => void} disconnect
 * @property {(phoneNumberId: string, isPicked: boolean) => void} pick
 * @property {() => void} connectPicked
 * @property {(phoneNumberId: string, pin: string) => void} enterPin
 * @property {() => void} sendPins
 * @property {() => void} takeOver
 * @property {() => void} chooseAgain
 *
 * @typedef {{ readonly state: State, readonly texts: Texts, readonly on: Actions }} View
 */

/**
 * @param {View} view
 * @returns {Child[]}
 */
export function cardBody(view) {
  const { state, texts, on } = view;
  if (state.phase === "loading")
    return ["", " short", " button"].map((kind) => h("div", { class: `skeleton${kind}`, "aria-hidden": "true" }));
  if (state.phase === "failed") return [actions(button(view, "reload", texts.tryAgain, on.reload, { class: "main" }))];
  const panel = state.onboarding === null ? null : onboardingPanel(view, state.onboarding);
  const isFirst = state.numbers.length === 0;
  return [
    panel,
    isFirst && panel === null && h("p", { class: "muted" }, texts.intro),
    !isFirst &&
      h(
        "ul",
        { class: "numbers" },
        state.numbers.map((number) => numberRow(view, number)),
      ),
    ...(panel === null ? connectOffer(view, isFirst) : []),
  ];
}

/**
 * @param {View} view
 * @param {boolean} isFirst
 * @returns {Child[]}
 */
function connectOffer(view, isFirst) {
  const { state, texts, on } = view;
  if (state.hindrance !== null) {
    const mayPass = !["not_permitted", "login_not_configured"].includes(state.hindrance);
    return [
      h("p", { class: "muted" }, sentenceFor(texts, state.hindrance)),
      mayPass && actions(button(view, "reload", texts.tryAgain, on.reload)),
    ];
  }
  const [text, kind] = isFirst ? [texts.connect, "main"] : [texts.connectAnother, ""];
  return [actions(button(view, "begin", text, on.begin, { class: kind }))];
}

/**
 * @param {View} view
 * @param {ConnectedNumber} number
 */
function numberRow(view, { phone_number_id: id, phone_number: shown, ...number }) {
  const { state, texts, on } = view;
  const isDead = number.state === "reauth_required";
  const quality = lookUp(texts.quality, number.quality_rating ?? "UNKNOWN") ?? lookUp(texts.quality, "UNKNOWN");
  const tone = { GREEN: "good", YELLOW: "warn", RED: "bad" }[number.quality_rating ?? ""] ?? "";
  const mayChange = state.hindrance !== "not_permitted";
  return h(
    "li",
    { class: "number" },
    h(
      "div",
      { class: "who" },
      h("b", {}, h("bdi", { dir: "ltr" }, shown)),
      h("span", { class: "muted" }, number.verified_name ?? texts.unnamed),
    ),
    h(
      "div",
      { class: "facts" },
      h(
        "span",
        { class: `dot ${isDead ? "warn warn-text" : "good"}` },
        isDead ? texts.stateReauth : texts.stateConnected,
      ),
      h("span", { class: `dot ${tone}` }, quality),
    ),
    isDead && number.reason !== null && h("p", { class: "warn-text" }, number.reason),
    mayChange && state.leaving === id && confirmDisconnect(view, id, shown),
    mayChange &&
      state.leaving !== id &&
      actions(
        isDead &&
          state.hindrance === null &&
          named(button(view, `reconnect:${id}`, texts.reconnect, on.begin, { class: "main" }), shown),
        named(
          button(view, `disconnect:${id}`, texts.disconnect, () => on.askDisconnect(id)),
          shown,
        ),
      ),
  );
}

/**
 * @param {View} view
 * @param {string} id
 * @param {string} shown
 */
function confirmDisconnect(view, id, shown) {
  const { texts, on } = view;
  const keep = () => on.askDisconnect(null);
  return h(
    "div",
    {
      class: "panel",
      role: "group",
      "aria-labelledby": "ask",
      keydown: (event) => {
        if (/** @type {KeyboardEvent} */ (event).key === "Escape") keep();
      },
    },
    h("p", { id: "ask" }, fill(texts.askDisconnect, { number: shown })),
    actions(
      button(view, `leave:${id}`, texts.disconnect, () => on.disconnect(id), { class: "danger" }),
      button(view, `keep:${id}`, texts.keep, keep, { "aria-describedby": "ask" }),
    ),
  );
}

/**
 * @param {View} view
 * @param {Onboarding} onboarding
 */
function onboardingPanel(view, onboarding) {
  const { texts } = view;
  switch (onboarding.state) {
    case "done":
      return null;
    case "running":
      return panel(
        fill(texts.progress, progressOf(onboarding, texts.steps)),
        steps(view, onboarding),
        view.state.isSlow && actions(...againButtons(view)),
      );
    case "failed":
      return panel(texts.failed, steps(view, onboarding), actions(...againButtons(view)));
    case "choice":
      return choicePanel(view, onboarding);
    case "pin":
      return pinPanel(view, onboarding);
    case "takeover":
      return view.state.isChoosingAgain ? choicePanel(view, onboarding) : takeoverPanel(view, onboarding);
  }
}

/** @param {View} view */
function againButtons(view) {
  const { texts, on } = view;
  return [button(view, "again", texts.tryAgain, on.tryAgain, { class: "main" }), startAgain(view)];
}

/** @param {View} view */
function startAgain(view) {
  return view.state.hindrance === null && button(view, "restart", view.texts.startAgain, view.on.begin);
}

/**
 * @param {View} view
 * @param {Onboarding} onboarding
 */
function steps({ texts }, onboarding) {
  const { list } = progressOf(onboarding, texts.steps);
  const words = { done: texts.stepDone, now: texts.stepNow, failed: texts.stepFailed, later: texts.stepLater };
  return h(
    "ol",
    { class: "steps", role: "list" },
    list.map(({ name, state }) =>
      h(
        "li",
        { class: state, "aria-current": state === "now" && "step" },
        h("span", { class: "mark", "aria-hidden": "true" }),
        h("span", {}, name, h("span", { class: "unseen" }, `, ${words[state]}`)),
      ),
    ),
  );
}

/**
 * @param {View} view
 * @param {Onboarding} onboarding
 */
function choicePanel(view, { numbers }) {
  const { state, texts, on } = view;
  const options = numbers.map(({ phone_number_id: id, ...number }) => {
    const held = { here: texts.heldHere, elsewhere: texts.heldElsewhere, none: null }[number.held ?? "none"];
    const facts = [
      number.verified_name ?? texts.unnamed,
      number.waba_name,
      number.on_business_app && texts.onPhone,
      held,
    ];
    return h(
      "label",
      { class: "option" },
      h("input", {
        type: "checkbox",
        "data-key": `pick:${id}`,
        ...(state.picked.has(id) && { checked: true }),
        change: ({ target }) => on.pick(id, /** @type {HTMLInputElement} */ (target).checked),
      }),
      h(
        "span",
        {},
        h("bdi", { dir: "ltr" }, number.phone_number),
        h("br"),
        h("span", { class: "muted" }, facts.filter(Boolean).join(" · ")),
      ),
    );
  });
  return h(
    "form",
    { class: "panel", submit: submitting(on.connectPicked) },
    h("fieldset", { class: "options" }, h("legend", { tabindex: -1, "data-key": "panel" }, texts.choose), options),
    actions(submit(view, texts.chosenConnect), startAgain(view)),
  );
}

/**
 * @param {View} view
 * @param {Onboarding} onboarding
 */
function pinPanel(view, onboarding) {
  const { state, texts, on } = view;
  const fields = numbersWithoutPin(onboarding).map(({ phone_number_id: id, phone_number: shown }) => {
    const isWrong = state.wrongPins.has(id);
    const input = /** @type {HTMLInputElement} */ (
      h("input", {
        id: `pin-${id}`,
        type: "text",
        inputmode: "numeric",
        autocomplete: "off",
        maxlength: 6,
        "aria-invalid": isWrong ? "true" : null,
        "aria-describedby": isWrong ? `wrong-${id}` : "pins-why",
        "data-key": `pin:${id}`,
        input: () => on.enterPin(id, input.value),
      })
    );
    input.value = state.pins[id] ?? "";
    return h(
      "div",
      { class: "field" },
      h("label", { for: input.id }, fill(texts.pin, { number: shown })),
      input,
      isWrong && h("span", { id: `wrong-${id}`, class: "bad-text" }, texts.pinWrong),
    );
  });
  return h(
    "form",
    { class: "panel", novalidate: true, submit: submitting(on.sendPins) },
    heading(texts.pins),
    h("p", { class: "muted", id: "pins-why" }, texts.pinsWhy),
    fields,
    actions(submit(view, texts.goOn), startAgain(view)),
  );
}

/** @param {Onboarding} onboarding */
export function numbersWithoutPin({ numbers, steps, chosen }) {
  const wanting = steps
    .filter(({ error }) => error?.code === "PIN_REQUIRED")
    .map(({ phone_number_id }) => phone_number_id);
  const wanted = wanting.length > 0 ? wanting : chosen;
  return numbers.filter(({ phone_number_id }) => wanted.includes(phone_number_id));
}

/**
 * @param {View} view
 * @param {Onboarding} onboarding
 */
function takeoverPanel(view, { numbers, chosen }) {
  const { texts, on } = view;
  const taken = numbers.filter(
    ({ held, phone_number_id: id }) => held === "elsewhere" && (chosen.length === 0 || chosen.includes(id)),
  );
  return panel(
    texts.takeover,
    h("p", {}, texts.takeoverWhy),
    taken.length > 0 &&
      h(
        "ul",
        {},
        taken.map(({ phone_number: shown }) => h("li", {}, h("b", {}, h("bdi", { dir: "ltr" }, shown)))),
      ),
    actions(
      button(view, "takeover", texts.takeoverYes, on.takeOver, { class: "danger" }),
      numbers.length > 1 && button(view, "choose", texts.chooseOthers, on.chooseAgain),
      startAgain(view),
    ),
  );
}

/**
 * @param {Texts} texts
 * @param {string} code
 * @param {string} [said] what the server said, for a code that we have no sentence for
 */
export function sentenceFor(texts, code, said) {
  return lookUp(texts.errors, code) || said || texts.errors.general || "";
}

/** @param {string} title @param {readonly Child[]} children */
const panel = (title, ...children) => h("div", { class: "panel" }, heading(title), ...children);
/** @param {string} title */
const heading = (title) => h("h3", { tabindex: -1, "data-key": "panel" }, title);
/** @param {readonly Child[]} children */
const actions = (...children) => h("div", { class: "actions" }, ...children);
/** @param {View} view @param {string} text */
const submit = ({ state }, text) =>
  h("button", { class: "main", "data-key": "submit", "aria-disabled": state.isBusy && "true" }, text);

/**
 * A busy button stays where it is, focus and all, and does nothing.
 * @param {View} view
 * @param {string} key
 * @param {string} text
 * @param {() => void} click
 * @param {Readonly<Record<string, string>>} [attributes]
 */
function button({ state }, key, text, click, attributes = {}) {
  return h(
    "button",
    {
      type: "button",
      "data-key": key,
      "aria-disabled": state.isBusy && "true",
      ...attributes,
      click: () => !state.isBusy && click(),
    },
    text,
  );
}

/** @param {HTMLElement} element @param {string} number */
function named(element, number) {
  element.setAttribute("aria-label", `${element.textContent} ${number}`);
  return element;
}

/** @param {() => void} send */
function submitting(send) {
  return (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  };
}
