/** The overview: the connection, whether all is well, and what was said last. */
import "../whatsapp-connect.js";
import { sentenceOf } from "./api.js";
import { time } from "./format.js";
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { Reading } from "./loading.js";
import { messageRow } from "./messages.js";
import { badge, notice, progress, skeletonRows, viewHead } from "./parts.js";
import { hrefOf } from "./place.js";
import { View } from "./view.js";

class Overview extends View {
  #health = new Reading(this, async (signal) => {
    // What the doctor says is told although nobody can say which number is meant.
    const status = this.api.status(signal).catch(() => ({ numbers: [] }));
    return { ...(await this.api.doctor(signal)), numbers: (await status).numbers, at: new Date() };
  });
  #messages = new Reading(this, (signal) => this.api.messages({ limit: 5 }, signal));

  connectedCallback() {
    super.connectedCallback();
    void this.#health.load({ quietly: this.#health.value !== null });
    void this.#messages.load({ quietly: this.#messages.value !== null });
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (changes.messages) void this.#messages.load({ quietly: true });
    if (!changes.numbers) return;
    void this.#health.load({ quietly: true });
    const card = /** @type {import("../whatsapp-connect.js").WhatsAppConnect | null} */ (
      this.querySelector("whatsapp-connect")
    );
    void card?.refresh();
  }

  render() {
    const look = () => void this.#health.load();
    return html`<div class="view">
      ${viewHead("Overview", { lead: "Your WhatsApp numbers on this platform, and how they are." })}
      <div class="columns even">
        <whatsapp-connect base=${this.api.base} @whatsapp-connected=${look} @whatsapp-disconnected=${look}></whatsapp-connect>
        <section class="card" aria-labelledby="health-title">
          <div class="line apart"><h2 id="health-title">Health</h2><a href=${hrefOf("health")}>All checks</a></div>
          ${this.#healthBody()}
        </section>
      </div>
      <section class="card flush" aria-labelledby="latest-title">
        <div class="line apart bar-head">
          <h2 id="latest-title">Latest messages</h2><a href=${hrefOf("messages")}>All messages</a>
        </div>
        ${this.#latest()}
      </section>
    </div>`;
  }

  #healthBody() {
    const { value, error, isLoading } = this.#health;
    if (value === null) {
      if (error !== null) return failedPart(error, () => void this.#health.load());
      return progress("Asking Meta how your numbers are. This takes a few seconds…");
    }
    const bad = value.checks.filter(({ state }) => state === "problem");
    const warn = value.checks.filter(({ state }) => state === "warning");
    const first = [...bad, ...warn].slice(0, 3);
    const { numbers } = value;
    const about = (/** @type {string | null} */ id) => {
      const number = numbers.length > 1 ? numbers.find((one) => one.phone_number_id === id) : undefined;
      return number === undefined ? nothing : html` <bdi class="muted" dir="ltr">${number.phone_number}</bdi>`;
    };
    return html`
      ${error === null ? nothing : failedPart(error, () => void this.#health.load())}
      <p class="line">
        ${bad.length > 0 ? badge("bad", plural(bad.length, "problem")) : nothing}
        ${warn.length > 0 ? badge("warn", plural(warn.length, "warning")) : nothing}
        ${bad.length + warn.length === 0 ? badge("good", "All is well") : nothing}
        <span class="muted small">${value.checks.filter(({ state }) => state === "ok").length} of ${value.checks.length} checks are fine, looked at ${time(value.at.toISOString())}</span>
      </p>
      ${
        first.length === 0
          ? html`<p class="muted">Messages come in, answers go out, and Meta has no complaint.</p>`
          : html`<ul class="stack">
              ${first.map(({ title, seen, state, phone_number_id }) => html`<li>${notice(state === "problem" ? "bad" : "warn", html`<b>${title}.</b>${about(phone_number_id)} ${seen}`)}</li>`)}
            </ul>`
      }
      ${isLoading ? progress("Looking again…") : nothing}
    `;
  }

  #latest() {
    const { value, error } = this.#messages;
    if (value === null && error === null) return skeletonRows(3, "the latest messages");
    if (value === null) return html`<div class="inside">${failedPart(error, () => void this.#messages.load())}</div>`;
    if (value.messages.length === 0)
      return html`<p class="muted bar-foot">Nobody has written yet. What people write appears here by itself.</p>`;
    return html`<ul class="rows">${value.messages.slice(0, 5).map(
      (message) => html`<li>
      <a class="row message" href=${hrefOf("messages", { id: message.id })}>${messageRow(message)}</a>
    </li>`,
    )}</ul>`;
  }
}

/** One part of the page; the others stay. @param {unknown} error @param {() => void} retry */
function failedPart(error, retry) {
  return html`<div role="alert">${notice("bad", sentenceOf(error))}</div>
    <div class="line"><button type="button" @click=${retry}>${icon("again")}Try again</button></div>`;
}

/** @param {number} count @param {string} word */
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

customElements.define("wa-overview", Overview);
