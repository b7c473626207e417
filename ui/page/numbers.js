/** Numbers: each one with its state, Meta's rating and what the doctor says of it. */

import { findingRow } from "./health.js";
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { Reading } from "./loading.js";
import { badge, badgeFor, blank, fact, failure, notice, progress, skeletonRows, viewHead } from "./parts.js";
import { hrefOf } from "./place.js";
import { View } from "./view.js";
import { NUMBER_STATES, QUALITY } from "./words.js";

/** @typedef {import("../api.js").ConnectedNumber} ConnectedNumber */

class Numbers extends View {
  #status = new Reading(this, (signal) => this.api.status(signal));
  #health = new Reading(this, (signal) => this.api.doctor(signal));

  connectedCallback() {
    super.connectedCallback();
    void this.#status.load({ quietly: this.#status.value !== null });
    void this.#health.load({ quietly: this.#health.value !== null });
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (!changes.numbers) return;
    void this.#status.load({ quietly: true });
    void this.#health.load({ quietly: true });
  }

  render() {
    const { value, error } = this.#status;
    return html`<div class="view">
      ${viewHead("Numbers", {
        lead: "The phone numbers that people reach you by here.",
        actions: this.around.may.has("connect")
          ? html`<a class="button" href=${hrefOf("overview")}>${icon("add")}Connect a number</a>`
          : nothing,
      })}
      ${
        value === null
          ? html`<section class="card flush">${error === null ? skeletonRows(2, "the numbers") : failure(error, () => void this.#status.load())}</section>`
          : value.numbers.length === 0
            ? html`<section class="card">${blank(
                "numbers",
                "No number is connected",
                "Connect one and people can write to you. It takes about two minutes, in Meta's own dialog.",
                html`<a class="button main" href=${hrefOf("overview")}>To the connection</a>`,
              )}</section>`
            : value.numbers.map((number) => this.#card(number))
      }
    </div>`;
  }

  /** @param {ConnectedNumber} number */
  #card(number) {
    const id = `number-${number.phone_number_id}`;
    const own = this.#health.value?.checks.filter((one) => one.phone_number_id === number.phone_number_id) ?? null;
    const urgent = ["problem", "warning"].flatMap((state) => own?.filter((one) => one.state === state) ?? []);
    return html`<section class="card" aria-labelledby=${id}>
      <div class="line apart">
        <div><h2 id=${id}><bdi dir="ltr">${number.phone_number}</bdi></h2><p class="muted">${number.verified_name ?? "No verified name"}</p></div>
        <div class="line">${badgeFor(NUMBER_STATES, number.state)} ${badgeFor(QUALITY, number.quality_rating ?? "UNKNOWN")}</div>
      </div>
      ${number.reason === null ? nothing : notice("warn", html`${number.reason} <a href=${hrefOf("overview")}>Reconnect</a>`)}
      <dl class="facts">
        ${fact("Phone number id", html`<span class="mono">${number.phone_number_id}</span>`)}
        ${fact("Messages", html`<a href=${hrefOf("messages", { query: { phone_number_id: number.phone_number_id } })}>Look at those <span class="unseen">of ${number.phone_number}</span></a>`)}
        ${fact(
          "Checks",
          own === null
            ? this.#health.error === null
              ? "Being made…"
              : "Could not be made"
            : urgent.length === 0
              ? badge("good", `All ${own.length} fine`)
              : html`<a href=${hrefOf("health")}>${urgent.length} to look at</a>`,
        )}
      </dl>
      ${own === null && this.#health.error === null ? progress("Asking Meta about this number…") : nothing}
      ${urgent.length === 0 ? nothing : html`<ul class="rows checks inset">${urgent.map((finding) => findingRow(finding, null))}</ul>`}
    </section>`;
  }
}

customElements.define("wa-numbers", Numbers);
