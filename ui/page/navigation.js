/** Where one can go, and where one is. On a phone it folds behind a button. */
import { ZONE } from "./format.js";
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { hrefOf, VIEWS } from "./place.js";

/** @typedef {import("./changes.js").Liveness} Liveness */

/** @type {Readonly<Record<Liveness, readonly [string, string]>>} */
const LIVENESS = {
  waiting: ["", "Connecting…"],
  live: ["live-on", "Live"],
  late: ["live-late", "Not live: trying again"],
  off: ["", "Reload to see what is new"],
};

/**
 * @param {object} state
 * @param {string} state.view
 * @param {ReadonlySet<string>} state.may
 * @param {Liveness} state.liveness
 * @param {boolean} state.isOpen
 * @param {number | null} state.deadLetters
 * @param {() => void} state.toggle
 */
export function navigation({ view, may, liveness, isOpen, deadLetters, toggle }) {
  const [kind, words] = LIVENESS[liveness];
  return html`<div class="side ${isOpen ? "open" : ""}"><div class="held">
    <div class="top">
      <span class="brand">${icon("brand")}WhatsApp</span>
      <button type="button" class="menu plain" aria-expanded=${String(isOpen)} aria-controls="nav" @click=${toggle}>
        ${icon(isOpen ? "close" : "menu")}Menu
      </button>
    </div>
    <nav id="nav" aria-label="WhatsApp">
      <ul>
        ${VIEWS.filter(({ needs }) => needs === null || may.has(needs)).map(
          ({ id, title }) => html`<li>
            <a href=${hrefOf(id)} aria-current=${id === view ? "page" : nothing}>
              ${icon(id)}${title}${
                id === "dead-letters" && deadLetters !== null && deadLetters > 0
                  ? html`<span class="pill">${deadLetters > 99 ? "99+" : deadLetters}</span>`
                  : nothing
              }
            </a>
          </li>`,
        )}
      </ul>
    </nav>
    <p class="live ${kind}">${words}</p>
    <p class="zone">Times in ${ZONE}</p>
  </div></div>`;
}
