/** Webhooks as they were stored: filterable, each with its bytes, what was made of it, and working it again. */
import { sentenceOf } from "./api.js";
import { bytes, count, time } from "./format.js";
import { icon } from "./icons.js";
import { html, nothing, repeat } from "./lit.js";
import { Listing, Reading } from "./loading.js";
import {
  badgeFor,
  blank,
  button,
  fact,
  failure,
  moreButton,
  notice,
  progress,
  search,
  select,
  skeletonRows,
  viewHead,
} from "./parts.js";
import { hrefOf } from "./place.js";
import { View } from "./view.js";
import { EVENT_STATES, errorWords, readable, WEBHOOK_STATES } from "./words.js";

/** @typedef {import("./api.js").Webhook} Webhook */
/** @typedef {import("./api.js").WebhookDetail} WebhookDetail */

const SINCE = /** @type {const} */ ([
  ["", "Any time"],
  ["1", "Last hour"],
  ["24", "Last day"],
  ["168", "Last week"],
]);

class Webhooks extends View {
  /** @type {Listing<Webhook>} */
  #list = new Listing(this, async (before, signal) => {
    const { webhooks: items, next } = await this.api.webhooks({ ...this.#filter(), limit: 50, before }, signal);
    return { items, next };
  });
  /** @type {Reading<WebhookDetail>} */
  #one = new Reading(this, (signal) => this.api.webhook(this.place.id ?? "", signal));
  /** @type {string | null} */
  #shown = null;
  #isExact = false;
  /** Which are being replayed. @type {Set<string>} */
  #busy = new Set();
  /** What was done with one, until it is left. @type {Map<string, import("./parts.js").Part>} */
  #told = new Map();

  #filter() {
    const { type, state, q, hours } = this.place.query;
    // Whatever else stands in the address.
    const isKnown = SINCE.some(([key]) => key !== "" && key === hours);
    const since = isKnown ? new Date(Date.now() - Number(hours) * 3_600_000).toISOString() : undefined;
    return { type, state, q, since };
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    // What was on its way is cut off.
    if (this.place.id === null ? !this.#list.isThere : this.#one.value === null) this.#shown = null;
  }

  willUpdate() {
    const wanted = this.place.id ?? `list ${JSON.stringify(this.place.query)}`;
    if (wanted === this.#shown) return;
    // What was said there has been seen.
    if (this.#shown !== null) this.#told.delete(this.#shown);
    this.#shown = wanted;
    if (this.place.id === null) return void this.#list.load({ afresh: true });
    this.#one.reset();
    this.#isExact = false;
    void this.#one.load();
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (!changes.webhooks) return;
    if (this.place.id === null) void this.#list.load({ quietly: true });
    else if (!this.#busy.has(this.place.id)) void this.#one.load({ quietly: true });
  }

  /** @param {string} id */
  async #replay(id) {
    this.#busy.add(id);
    this.#told.delete(id);
    this.requestUpdate();
    try {
      const words = replayWords((await this.api.replay(id)).events);
      this.#told.set(id, notice("good", words));
      this.around.say(words);
      // Whoever looks at another one meanwhile goes on looking at it.
      if (this.place.id === id) await this.#one.load({ quietly: true });
    } catch (error) {
      this.#told.set(id, html`<div role="alert">${notice("bad", sentenceOf(error))}</div>`);
    }
    this.#busy.delete(id);
    this.requestUpdate();
  }

  render() {
    return this.place.id === null ? this.#listView() : this.#oneView(this.place.id);
  }

  #listView() {
    const { type = "", state = "", q = "", hours = "" } = this.place.query;
    const go = (/** @type {Readonly<Record<string, string | null>>} */ query) =>
      this.around.go(hrefOf("webhooks", { query: this.narrowed(query) }));
    const types = [...new Set([...TYPES, ...this.#list.items.map((one) => one.type), ...(type ? [type] : [])])];
    return html`<div class="view">
      ${viewHead("Webhooks", { lead: "Everything Meta has told this platform, as it came. Each is stored before it is acknowledged." })}
      <div class="filters">
        ${search("An id or a word in it", q, (value) => go({ q: value || null }))}
        ${select("Type", "type", [["", "Every type"], ...types.map((one) => /** @type {const} */ ([one, readable(one)]))], type, (value) => go({ type: value || null }))}
        ${select("State", "state", [["", "Every state"], ...Object.entries(WEBHOOK_STATES).map(([key, { label }]) => /** @type {const} */ ([key, label]))], state, (value) => go({ state: value || null }))}
        ${select("Received", "hours", SINCE, hours, (value) => go({ hours: value || null }))}
      </div>
      <section class="card flush" aria-label="Webhooks">${this.#body()}</section>
      ${moreButton(this.#list)}
    </div>`;
  }

  #body() {
    const { items, error, isThere, fresh } = this.#list;
    if (items.length === 0 && error !== null) return failure(error, () => void this.#list.load());
    if (!isThere) return skeletonRows(6, "the webhooks");
    if (items.length === 0)
      return Object.values(this.place.query).some(Boolean)
        ? blank(
            "search",
            "No webhook matches",
            "Nothing is like what you look for, or it was deleted with age.",
            html`<a class="button" href=${hrefOf("webhooks")}>Show all webhooks</a>`,
          )
        : blank(
            "webhooks",
            "Meta has not called yet",
            "When somebody writes to your number, what Meta sends appears here.",
            html`<a class="button" href=${hrefOf("health")}>Look why nothing arrives</a>`,
          );
    return html`<ul class="rows">${repeat(
      items,
      ({ id }) => id,
      (one) => html`<li class=${fresh.has(one.id) ? "fresh" : ""}>
        <a class="row hook" href=${hrefOf("webhooks", { id: one.id, query: this.place.query })}>
          <span class="text">
            <span class="who">${readable(one.type)}</span>
            <span class="what">${count(one.events, "event")} · ${bytes(one.size)}${one.error === null ? nothing : html` · ${errorWords(one.error)}`}</span>
          </span>
          ${badgeFor(WEBHOOK_STATES, one.state)}
          <span class="when">${time(one.receivedAt, { exact: true })}</span>
        </a>
      </li>`,
    )}</ul>`;
  }

  /** @param {string} id */
  #oneView(id) {
    const { value, error } = this.#one;
    const back = html`<a class="button" href=${hrefOf("webhooks", { query: this.place.query })}>${icon("back")}All webhooks</a>`;
    if (value === null)
      return html`<div class="view">
        ${viewHead("Webhook", { actions: back })}
        <section class="card flush">${error === null ? skeletonRows(4, "the webhook") : failure(error, () => void this.#one.load())}</section>
      </div>`;
    const isBusy = this.#busy.has(id);
    const again = value.events.filter(({ state }) => state === "failed" || state === "unknown").length;
    return html`<div class="view">
      ${viewHead(`Webhook: ${readable(value.type).toLowerCase()}`, {
        lead: html`Received ${time(value.receivedAt, { exact: true })}`,
        actions: html`${back}${this.mayOperate ? button("Replay", () => void this.#replay(id), { kind: "main", drawing: "again", isBusy }) : nothing}`,
      })}
      <div class="told">${this.#told.get(id) ?? nothing}</div>
      ${isBusy ? progress("Reading it again…") : nothing}
      <section class="card">
        <dl class="facts">
          ${fact("State", badgeFor(WEBHOOK_STATES, value.state))}
          ${fact("Size", bytes(value.size))}
          ${fact("Events", value.events.length)}
          ${fact("Id", html`<span class="mono">${value.id}</span>`)}
        </dl>
        ${value.error === null ? nothing : notice("bad", errorWords(value.error))}
        ${
          value.shared === true
            ? notice(
                "quiet",
                "Meta has sent this together with what belongs to other accounts. Only your part is shown, so its exact bytes are not.",
              )
            : nothing
        }
        <p class="small muted">${
          again === 0
            ? "There is nothing to work again. A replay changes nothing then: what was applied is not applied twice."
            : `${count(again, "event")} ${again === 1 ? "was" : "were"} not applied. A replay tries ${again === 1 ? "it" : "those"} once more, and no other.`
        }</p>
      </section>
      <section class="card flush" aria-labelledby="events-title">
        <div class="bar-head"><h2 id="events-title">Events</h2></div>
        ${
          value.events.length === 0
            ? html`<p class="muted bar-foot">Nothing in it is for this platform.</p>`
            : html`<ul class="rows">${value.events.map(
                (event) => html`<li class="row hook">
                  <span class="text"><span class="who">${readable(event.kind)}</span>
                    <span class="small muted wraps">${event.error !== null ? errorWords(event.error) : event.attempts === null ? "" : `Tried ${count(event.attempts, "time")}`}</span></span>
                  ${badgeFor(EVENT_STATES, event.state)}
                  <span class="when">${time(event.occurredAt, { exact: true })}</span>
                </li>`,
              )}</ul>`
        }
      </section>
      <section class="card" aria-labelledby="content-title">
        <div class="line apart">
          <h2 id="content-title">${this.#isExact ? "Its bytes, as they came" : "Content"}</h2>
          <div class="line" role="group" aria-label="How to show it">
            ${
              value.body === null
                ? nothing
                : html`<button type="button" class="slim" aria-pressed=${String(!this.#isExact)} @click=${() => this.#exact(false)}>Readable</button>
              <button type="button" class="slim" aria-pressed=${String(this.#isExact)} @click=${() => this.#exact(true)}>Exact bytes</button>`
            }
            ${button("Copy", () => void this.#copy(id, this.#isExact && value.body !== null ? value.body : pretty(value.payload)), { kind: "slim", drawing: "copy" })}
          </div>
        </div>
        ${
          value.payload === null
            ? html`<p class="muted">Its bytes are gone: they cannot be read, or a person in them was erased.</p>`
            : html`<pre tabindex="0" aria-labelledby="content-title">${this.#isExact && value.body !== null ? value.body : pretty(value.payload)}</pre>`
        }
      </section>
    </div>`;
  }

  /** @param {boolean} isExact */
  #exact(isExact) {
    this.#isExact = isExact;
    this.requestUpdate();
  }

  /** @param {string} id @param {string} text */
  async #copy(id, text) {
    const isDone = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    const words = isDone ? "Copied." : "The browser does not let this page copy: select the text instead.";
    this.#told.set(id, notice(isDone ? "good" : "warn", words));
    this.around.say(words);
    this.requestUpdate();
  }
}

/** The fields that bring the most; what else comes joins the list. */
const TYPES = ["message", "status", "message_template_status_update", "account_update", "phone_number_quality_update"];

/** @param {unknown} payload */
function pretty(payload) {
  return JSON.stringify(payload, null, 2) ?? "";
}

/** @param {import("./api.js").Replayed} replayed */
function replayWords({ redriven, understood, unknown, applied, waiting }) {
  const tried = redriven + understood;
  const words = [
    tried > 0 && `${count(tried, "event is", "events are")} worked again`,
    unknown > 0 && `${unknown} still not understood`,
    applied > 0 && `${applied} left alone, applied already`,
    waiting > 0 && `${waiting} waiting for ${waiting === 1 ? "its" : "their"} turn`,
  ].filter(Boolean);
  return words.length > 0 ? `Replayed: ${words.join(", ")}.` : "There was nothing in it to work again.";
}

customElements.define("wa-webhooks", Webhooks);
