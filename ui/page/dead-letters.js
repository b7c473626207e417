/** Dead letters: what was tried and given up, why, and putting it back. */
import { sentenceOf } from "./api.js";
import { count, time } from "./format.js";
import { html, nothing, repeat } from "./lit.js";
import { Listing } from "./loading.js";
import {
  badgeFor,
  blank,
  button,
  failure,
  moreButton,
  notice,
  progress,
  select,
  skeletonRows,
  viewHead,
} from "./parts.js";
import { hrefOf } from "./place.js";
import { View } from "./view.js";
import { readable, STAGES, wordFor } from "./words.js";

/** @typedef {import("./api.js").DeadLetter} DeadLetter */

class DeadLetters extends View {
  /** @type {Listing<DeadLetter>} */
  #list = new Listing(this, async (after, signal) => {
    const { dead_letters: items, next } = await this.api.deadLetters({ ...this.#filter(), limit: 50, after }, signal);
    return { items, next };
  });
  /** @type {ReadonlySet<string>} */
  #picked = new Set();
  #isBusy = false;
  /** @type {import("./parts.js").Part} */
  #result = nothing;

  #filter() {
    const { stage, error, conversation_id } = this.place.query;
    return { stage, error, conversation_id };
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has("place")) return;
    this.#picked = new Set();
    this.#result = nothing;
    void this.#list.load({ afresh: true });
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (changes.deadLetters && !this.#isBusy) void this.#list.load({ quietly: true });
  }

  /** @param {object} what */
  async #redrive(what) {
    this.#isBusy = true;
    this.#result = nothing;
    this.requestUpdate();
    try {
      const { redriven, left } = await this.api.redrive(what);
      const words = `${count(redriven, "dead letter was", "dead letters were")} put back${left > 0 ? `; ${left} more match` : ""}.`;
      this.#result = notice(
        redriven > 0 ? "good" : "warn",
        html`${words} ${redriven > 0 ? "What fails again comes back here." : ""}`,
      );
      this.around.say(words);
      this.#picked = new Set();
      await this.#list.load({ quietly: true, fromTop: true });
      this.dispatchEvent(new CustomEvent("dead-letters-changed"));
    } catch (error) {
      this.#result = html`<div role="alert">${notice("bad", sentenceOf(error))}</div>`;
    }
    this.#isBusy = false;
    this.requestUpdate();
  }

  render() {
    const { stage = "", error = "" } = this.place.query;
    const go = (/** @type {Readonly<Record<string, string | null>>} */ query) =>
      this.around.go(hrefOf("dead-letters", { query: this.narrowed(query) }));
    const all = Object.fromEntries(Object.entries(this.#filter()).filter(([, value]) => value));
    const isNarrowed = Object.keys(all).length > 0;
    // What somebody else has put back meanwhile is chosen no more.
    const chosen = this.#list.items.flatMap(({ id }) => (this.#picked.has(id) ? [id] : []));
    const errors = [...new Set([...this.#list.items.map((one) => one.error), ...(error ? [error] : [])])].sort();
    return html`<div class="view">
      ${viewHead("Dead letters", {
        lead: "What was tried several times and then laid aside, so that what comes after it goes on. Mend the cause, then put it back: it takes its place in its conversation again.",
      })}
      <div class="filters">
        ${select("What happened", "stage", [["", "Everything"], ...Object.entries(STAGES).map(([key, { label }]) => /** @type {const} */ ([key, label]))], stage, (value) => go({ stage: value || null }))}
        ${select("Error", "error", [["", "Every error"], ...errors.map((one) => /** @type {const} */ ([one, one]))], error, (value) => go({ error: value || null }))}
      </div>
      <div class="told">${this.#result}</div>
      ${this.#isBusy ? progress("Putting back…") : nothing}
      ${
        this.#list.items.length === 0
          ? nothing
          : html`<div class="line">
              ${button(chosen.length === 0 ? "Put back the chosen" : `Put back ${count(chosen.length, "chosen letter")}`, () => void this.#redrive({ ids: chosen }), { kind: "main", isBusy: this.#isBusy || chosen.length === 0, drawing: "again" })}
              ${button(isNarrowed ? "Put back all that match" : "Put back all", () => void this.#redrive(all), { isBusy: this.#isBusy })}
            </div>`
      }
      <section class="card flush" aria-label="Dead letters">${this.#body(isNarrowed)}</section>
      ${moreButton(this.#list)}
    </div>`;
  }

  /** @param {boolean} isNarrowed */
  #body(isNarrowed) {
    const { items, error, isThere } = this.#list;
    if (items.length === 0 && error !== null) return failure(error, () => void this.#list.load());
    if (!isThere) return skeletonRows(3, "the dead letters");
    if (items.length === 0)
      return isNarrowed
        ? blank(
            "search",
            "None like this",
            "No dead letter matches what you look for.",
            html`<a class="button" href=${hrefOf("dead-letters")}>Show all</a>`,
          )
        : blank(
            "good",
            "Nothing lies aside",
            "Everything that came was worked through. What cannot be worked appears here, with the reason.",
          );
    return html`<ul class="rows">${repeat(
      items,
      ({ id }) => id,
      (letter) => this.#row(letter),
    )}</ul>`;
  }

  /** @param {DeadLetter} letter */
  #row(letter) {
    const id = `letter-${letter.id}`;
    const isFresh = this.#list.fresh.has(letter.id);
    return html`<li class="letter ${isFresh ? "fresh" : ""}">
      <input type="checkbox" aria-labelledby=${id} .checked=${this.#picked.has(letter.id)} @change=${(
        /** @type {Event} */ { target },
      ) => {
        const picked = new Set(this.#picked);
        if (/** @type {HTMLInputElement} */ (target).checked) picked.add(letter.id);
        else picked.delete(letter.id);
        this.#picked = picked;
        this.requestUpdate();
      }} />
      <div class="stack tight">
        <div class="line apart">
          <h2 class="line" id=${id}>${readable(letter.kind)} <code>${letter.error}</code></h2>
          <span class="line">${badgeFor(STAGES, letter.stage)}<span class="muted small">${time(letter.at)}</span></span>
        </div>
        <p>${letter.explanation}</p>
        <p class="line small muted">
          <span>${wordFor(STAGES, letter.stage).means}</span>
          ${letter.attempts === null ? nothing : html`<span>Tried ${count(letter.attempts, "time")}.</span>`}
          ${letter.conversation_id === null ? nothing : html`<a href=${hrefOf("messages", { query: { conversation_id: letter.conversation_id } })}>Its conversation</a>`}
        </p>
      </div>
    </li>`;
  }
}

customElements.define("wa-dead-letters", DeadLetters);
