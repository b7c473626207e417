/** Health: the doctor's answers, what is wrong first, each with what to do. */
import { sentenceOf } from "./api.js";
import { count, time } from "./format.js";
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { Reading } from "./loading.js";
import { badge, blank, button, failure, notice, progress, viewHead } from "./parts.js";
import { View } from "./view.js";
import { CHECK_STATES, wordFor } from "./words.js";

/** @typedef {import("./api.js").Finding} Finding */

class Health extends View {
  #health = new Reading(this, async (signal) => {
    const [diagnosis, status] = await Promise.all([this.api.doctor(signal), this.api.status(signal)]);
    return { ...diagnosis, numbers: status.numbers, at: new Date() };
  });

  connectedCallback() {
    super.connectedCallback();
    if (this.#health.value === null) void this.#look();
  }

  /** Asking Meta takes seconds: only what is known to have changed is worth it. @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (changes.numbers) void this.#health.load({ quietly: true });
  }

  async #look() {
    await this.#health.load();
    const { value, error } = this.#health;
    if (value === null || error !== null) return;
    const bad = value.checks.filter(({ state }) => state === "problem").length;
    this.around.say(bad === 0 ? "Looked at: no problem was found." : `Looked at: ${count(bad, "problem")}.`);
  }

  render() {
    const { value, error, isLoading } = this.#health;
    return html`<div class="view">
      ${viewHead("Health", {
        lead: "The way of a message, from Meta to the answer: what was seen at each step, and what to do. Nothing is changed by looking.",
        actions: button(isLoading ? "Looking…" : "Look again", () => void this.#look(), {
          isBusy: isLoading,
          drawing: "again",
        }),
      })}
      ${
        isLoading
          ? html`<section class="card">${progress("Asking Meta, the webhook address and the database. It takes 15 seconds at most…")}</section>`
          : nothing
      }
      ${error === null ? nothing : this.#failed(error)}
      ${value === null ? nothing : this.#answers(value)}
    </div>`;
  }

  /** What was found before stays below. @param {unknown} error */
  #failed(error) {
    if (this.#health.value !== null) return html`<div role="alert">${notice("bad", sentenceOf(error))}</div>`;
    return html`<section class="card">${failure(error, () => void this.#look())}</section>`;
  }

  /** @param {{ checks: readonly Finding[], numbers: readonly import("../api.js").ConnectedNumber[], at: Date }} value */
  #answers({ checks, numbers, at }) {
    const urgent = checks.filter(({ state }) => state === "problem" || state === "warning");
    const bad = urgent.filter(({ state }) => state === "problem");
    const nameOf = (/** @type {string | null} */ id) =>
      numbers.find((one) => one.phone_number_id === id)?.phone_number ?? id;
    const groups = [null, ...new Set(checks.flatMap(({ phone_number_id: id }) => (id === null ? [] : [id])))];
    return html`
      <section class="card flush" aria-labelledby="urgent-title">
        <div class="line apart bar-head">
          <h2 id="urgent-title">What to do</h2>
          <span class="line">
            ${bad.length > 0 ? badge("bad", count(bad.length, "problem")) : nothing}
            ${urgent.length > bad.length ? badge("warn", count(urgent.length - bad.length, "warning")) : nothing}
          </span>
        </div>
        ${
          urgent.length === 0
            ? blank("good", "Nothing", "Every check that could be made is fine.")
            : html`<ul class="rows checks">${[...bad, ...urgent.filter((one) => one.state === "warning")].map((finding) => findingRow(finding, nameOf(finding.phone_number_id)))}</ul>`
        }
      </section>
      ${groups.map((id) => {
        const own = checks.filter((one) => one.phone_number_id === id);
        const fine = own.filter(({ state }) => state === "ok").length;
        return html`<section class="card flush">
          <details ?open=${id === null && urgent.length === 0}>
            <summary>
              ${icon(id === null ? "overview" : "numbers")}
              <span>${id === null ? "The whole app" : html`<bdi dir="ltr">${nameOf(id)}</bdi>`}</span>
              <span class="muted small">${fine} of ${own.length} fine</span>
              ${icon("expand")}
            </summary>
            <ul class="rows checks">${own.map((finding) => findingRow(finding, null))}</ul>
          </details>
        </section>`;
      })}
      <p class="muted small">Looked at ${time(at.toISOString(), { exact: true })}. Mend from the top: what is below may follow from it.</p>
    `;
  }
}

/**
 * @param {Finding} finding
 * @param {string | null} number which it is about, where that is not said above
 */
export function findingRow({ title, state, seen, fix }, number) {
  const { tone, label } = wordFor(CHECK_STATES, state);
  return html`<li class=${tone}>
    ${icon(tone)}
    <div>
      <h3>${title}<span class="unseen">: ${label}</span>${number === null ? nothing : html` <bdi class="muted small" dir="ltr">${number}</bdi>`}</h3>
      <p class=${state === "ok" || state === "skipped" ? "muted small" : ""}>${seen}</p>
      ${fix === null ? nothing : html`<p class="fix">${fix}</p>`}
    </div>
  </li>`;
}

customElements.define("wa-health", Health);
