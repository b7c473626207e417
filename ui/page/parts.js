/** What all views are made of: heads, badges, notices, and the ways of having nothing to show. */
import { isGone, sentenceOf } from "./api.js";
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { wordFor } from "./words.js";

/** @typedef {import("lit").TemplateResult | typeof nothing | string} Part */
/** @typedef {import("./words.js").Tone} Tone */

/**
 * @param {string} title
 * @param {{ lead?: Part, actions?: Part }} [beside]
 */
export function viewHead(title, { lead = nothing, actions = nothing } = {}) {
  return html`<header class="head">
    <div>
      <h1 tabindex="-1">${title}</h1>
      ${lead === nothing ? nothing : html`<p class="lead">${lead}</p>`}
    </div>
    ${actions === nothing ? nothing : html`<div class="line">${actions}</div>`}
  </header>`;
}

/** @param {Tone} tone @param {string} text */
export function badge(tone, text) {
  return html`<span class="badge ${tone}">${icon(tone === "info" ? "good" : tone)}${text}</span>`;
}

/** @param {Readonly<Record<string, import("./words.js").Word>>} words @param {string} key */
export function badgeFor(words, key) {
  const { tone, label } = wordFor(words, key);
  return badge(tone, label);
}

/** @param {Tone} tone @param {Part} text */
export function notice(tone, text) {
  return html`<div class="notice ${tone}">${icon(tone)}<div>${text}</div></div>`;
}

/**
 * Nothing there: why, and what would bring something.
 * @param {string} drawing
 * @param {string} title
 * @param {Part} text
 * @param {Part} [action]
 */
export function blank(drawing, title, text, action = nothing) {
  return html`<div class="blank">${icon(drawing)}
    <h2>${title}</h2>
    <p>${text}</p>
    ${action}
  </div>`;
}

/** @param {unknown} error @param {() => void} retry */
export function failure(error, retry) {
  // Trying again brings nothing.
  if (isGone(error)) return html`<div role="alert">${blank("search", "It is not there", sentenceOf(error))}</div>`;
  return html`<div class="blank bad" role="alert">${icon("bad")}
    <h2>This could not be loaded</h2>
    <p>${sentenceOf(error)}</p>
    <button type="button" class="main" @click=${retry}>${icon("again")}Try again</button>
  </div>`;
}

/** Keeps the place of what comes. @param {number} count @param {string} what */
export function skeletonRows(count, what) {
  return html`<div aria-busy="true">
    <p class="unseen" role="status">Loading ${what}…</p>
    ${Array.from(
      { length: count },
      () =>
        html`<div class="row" aria-hidden="true"><div class="stack"><div class="skeleton"></div><div class="skeleton short"></div></div></div>`,
    )}
  </div>`;
}

/** For what takes a while: that it goes on, and what it does. @param {string} text */
export function progress(text) {
  return html`<div class="stack" role="status"><p class="small">${text}</p><div class="bar" aria-hidden="true"></div></div>`;
}

/**
 * A busy button stays where it is, focus and all, and does nothing.
 * @param {Part} text
 * @param {(event: Event) => void} click
 * @param {{ kind?: string, isBusy?: boolean, drawing?: string, name?: string, type?: "button" | "submit" }} [options]
 */
export function button(text, click, { kind = "", isBusy = false, drawing, name, type = "button" } = {}) {
  return html`<button
    type=${type}
    class=${kind}
    aria-label=${name ?? nothing}
    aria-disabled=${isBusy ? "true" : nothing}
    @click=${(/** @type {Event} */ event) => {
      if (type === "submit") return;
      event.preventDefault();
      if (!isBusy) click(event);
    }}
  >${drawing === undefined ? nothing : icon(drawing)}${text}</button>`;
}

/**
 * @param {string} label
 * @param {string} name
 * @param {readonly (readonly [string, string])[]} options
 * @param {string} value
 * @param {(value: string) => void} choose
 */
export function select(label, name, options, value, choose) {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <select id=${name} @change=${(/** @type {Event} */ { target }) => choose(/** @type {HTMLSelectElement} */ (target).value)}>
      ${options.map(([key, text]) => html`<option value=${key} .selected=${key === value}>${text}</option>`)}
    </select>
  </div>`;
}

/** What will be looked for when its field is left alone for a moment. A field outlives many drawings. @type {WeakMap<HTMLInputElement, number>} */
const typing = new WeakMap();

/**
 * Looks when somebody stops typing, or at Enter. What was typed stays as it is, so that a pause after a space does not eat it.
 * Whoever has gone elsewhere meanwhile is left there.
 * @param {string} label
 * @param {string} value
 * @param {(value: string) => void} look
 */
export function search(label, value, look) {
  return html`<form class="field search" role="search" @submit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    const input = inputOf(/** @type {HTMLElement} */ (event.currentTarget).querySelector("input"));
    clearTimeout(typing.get(input));
    look(soughtIn(input));
  }}>
    <label for="search">${label}</label>
    <input id="search" type="search" maxlength="200" autocomplete="off" value=${value} .value=${value} @input=${(
      /** @type {Event} */ { target },
    ) => {
      const input = inputOf(target);
      const place = placeOf(location.hash);
      const later = () => {
        if (input.isConnected && placeOf(location.hash) === place) look(soughtIn(input));
        // What was not looked for is not said to be.
        else input.value = input.defaultValue;
      };
      clearTimeout(typing.get(input));
      typing.set(input, window.setTimeout(later, 400));
    }} />
  </form>`;
}

/** Without what its list is narrowed to. @param {string} hash */
function placeOf(hash) {
  return hash.split("?")[0];
}

/** @param {unknown} target */
function inputOf(target) {
  return /** @type {HTMLInputElement} */ (target);
}

/** @param {HTMLInputElement} input */
function soughtIn({ value }) {
  return value.trim() === "" ? "" : value;
}

/**
 * Whoever asks for more stands at the first of what has come, and not behind all of it.
 * @param {import("./loading.js").Listing<any>} list
 * @param {Event} event
 */
async function readOn(list, { currentTarget }) {
  const button = /** @type {HTMLElement} */ (currentTarget);
  const root = /** @type {ShadowRoot} */ (button.getRootNode());
  const rows = () => root.querySelectorAll(".rows > li, .tiles > li");
  const before = rows().length;
  await list.more();
  await /** @type {import("./view.js").View | null} */ (root.querySelector(".view")?.parentElement ?? null)
    ?.updateComplete;
  // The button goes with the last page.
  const isStillThere = [null, button, root.querySelector("h1")].includes(
    /** @type {HTMLElement | null} */ (root.activeElement),
  );
  const first = /** @type {HTMLElement | null} */ (rows()[before]?.querySelector("a, button, input") ?? null);
  if (isStillThere) first?.focus();
}

/**
 * @param {import("./loading.js").Listing<any>} list
 * @param {string} [words]
 */
export function moreButton(list, words = "Show older") {
  if (list.next === null && list.moreError === null) return nothing;
  return html`<div class="stack">
    ${list.moreError === null ? nothing : notice("bad", sentenceOf(list.moreError))}
    <div class="line">${button(list.isReading ? "Loading…" : words, (event) => void readOn(list, event), { isBusy: list.isReading })}</div>
  </div>`;
}

/** A fact with its name. @param {string} name @param {Part | unknown} value */
export function fact(name, value) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}
