/** `<whatsapp-page>`: the integrations page. Shows one view at a time and tells it when something is new. */
import "./dead-letters.js";
import "./health.js";
import "./messages.js";
import "./numbers.js";
import "./overview.js";
import "./templates.js";
import "./webhooks.js";
import { createPageApi } from "./api.js";
import { followChanges } from "./changes.js";
import { html, LitElement } from "./lit.js";
import { navigation } from "./navigation.js";
import { blank } from "./parts.js";
import { readPlace, VIEWS } from "./place.js";
import { STYLE } from "./style.js";

/** @typedef {import("./place.js").Permission} Permission */
/** @typedef {import("./view.js").View} View */

export class WhatsAppPage extends LitElement {
  static styles = STYLE;

  #hash = location.hash;
  #place = readPlace(this.#hash);
  /** @type {import("./changes.js").Liveness} */
  #liveness = "waiting";
  #isMenuOpen = false;
  /** @type {number | null} */
  #deadLetters = null;
  #life = new AbortController();
  /** One element per view, made when it is first looked at, so that what was there is there again. @type {Map<string, View>} */
  #views = new Map();
  #api = createPageApi("");
  /** @type {ReadonlySet<Permission>} */
  #may = new Set();

  connectedCallback() {
    super.connectedCallback();
    this.#life = new AbortController();
    const { signal } = this.#life;
    // The page lies at <mount>/ui/; a path of its own would be wrong behind a proxy.
    const base = this.getAttribute("base") ?? new URL("..", document.baseURI).pathname.replace(/\/$/, "");
    this.#api = createPageApi(base);
    this.#may = new Set(
      /** @type {Permission[]} */ ((this.getAttribute("permissions") ?? "").split(" ").filter(Boolean)),
    );
    addEventListener("hashchange", () => this.#arrive(), { signal });
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#isMenuOpen && this.#toggle(), {
      signal,
    });
    followChanges({
      api: this.#api,
      signal,
      pollMs: Number(this.getAttribute("poll-ms") ?? 4_000),
      onLiveness: (liveness) => {
        if (liveness === this.#liveness) return;
        this.#liveness = liveness;
        this.requestUpdate();
      },
      onChanges: (changes) => {
        if (changes.deadLetters) void this.#countDeadLetters();
        // The others read again when they are next looked at.
        for (const id of this.#views.keys()) if (id !== this.#place.view) this.#stale.add(id);
        this.#views.get(this.#place.view)?.changed(changes);
      },
    });
    void this.#countDeadLetters();
  }

  /** @type {Set<string>} */
  #stale = new Set();

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#life.abort();
  }

  async #countDeadLetters() {
    if (!this.#may.has("operate")) return;
    const count = await this.#api.deadLetters({ limit: 100 }, this.#life.signal).then(
      ({ dead_letters }) => dead_letters.length,
      () => null,
    );
    this.#deadLetters = count;
    this.requestUpdate();
  }

  /** At once where a view leads on; the browser tells of it only later, and a key pressed until then would be overwritten. */
  #arrive() {
    if (this.#hash === location.hash) return;
    this.#hash = location.hash;
    const before = this.#place;
    this.#place = readPlace(this.#hash);
    this.#isMenuOpen = false;
    this.requestUpdate();
    const isElsewhere =
      before.view !== this.#place.view || before.id !== this.#place.id || before.action !== this.#place.action;
    const view = this.#views.get(this.#place.view);
    // What opens in its list leaves whoever opened it where they are.
    if (!isElsewhere || (before.view === this.#place.view && view?.opensInPlace)) return;
    scrollTo(0, 0);
    void this.updateComplete.then(async () => {
      await this.#views.get(this.#place.view)?.updateComplete;
      this.renderRoot.querySelector("h1")?.focus();
    });
  }

  #toggle() {
    this.#isMenuOpen = !this.#isMenuOpen;
    this.requestUpdate();
    if (!this.#isMenuOpen) /** @type {HTMLElement | null} */ (this.renderRoot.querySelector(".menu"))?.focus();
  }

  render() {
    const row = VIEWS.find(({ id }) => id === this.#place.view);
    document.title = `${row?.title ?? ""} · WhatsApp`;
    const isAllowed = row !== undefined && (row.needs === null || this.#may.has(row.needs));
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>Skip to the content</a>
      <div class="shell">
        ${navigation({
          view: this.#place.view,
          may: this.#may,
          liveness: this.#liveness,
          isOpen: this.#isMenuOpen,
          deadLetters: this.#deadLetters,
          toggle: () => this.#toggle(),
        })}
        <main id="main">
          <p class="unseen" role="status" id="said"></p>
          ${isAllowed ? this.#view(this.#place.view) : NOT_ALLOWED}
        </main>
      </div>
    `;
  }

  /** @param {Event} event */
  #skip(event) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (this.renderRoot.querySelector("h1"))?.focus();
  }

  /** @param {string} id */
  #view(id) {
    let view = this.#views.get(id);
    if (view === undefined) {
      view = /** @type {View} */ (document.createElement(`wa-${id}`));
      view.around = {
        api: this.#api,
        may: this.#may,
        say: (text) => this.#say(text),
        go: (place) => {
          location.hash = place;
          this.#arrive();
        },
      };
      view.addEventListener("dead-letters-changed", () => void this.#countDeadLetters());
      this.#views.set(id, view);
    }
    view.place = this.#place;
    if (this.#stale.delete(id))
      view.changed({ cursor: "", messages: true, webhooks: true, deadLetters: true, templates: true, numbers: true });
    return view;
  }

  /** @param {string} text */
  #say(text) {
    const said = this.renderRoot.querySelector("#said");
    if (said !== null) said.textContent = text;
  }
}

const NOT_ALLOWED = html`<section class="card">
  ${blank("bad", "You may not see this", "Ask somebody who operates WhatsApp in your account.")}
</section>`;

customElements.define("whatsapp-page", WhatsAppPage);
