/** Messages and their life: each state with its time, Meta's error in plain words, and what to do. */
import { count, later, time } from "./format.js";
import { icon, ticks } from "./icons.js";
import { html, nothing, repeat } from "./lit.js";
import { Listing, Reading } from "./loading.js";
import { badgeFor, blank, fact, failure, moreButton, notice, search, select, skeletonRows, viewHead } from "./parts.js";
import { hrefOf } from "./place.js";
import { focusedBeside, standsNowhere } from "./standing.js";
import { View } from "./view.js";
import { whatsappLine, whatsappText } from "./whatsapp-text.js";
import { kindBefore, LIFE, MESSAGE_STATES, readable, wordFor } from "./words.js";

/** @typedef {import("./api.js").Message} Message */

/** More than one line of it is never seen in a row. */
const MOST_SHOWN = 300;
const STATES = Object.keys(MESSAGE_STATES);

class Messages extends View {
  /** @type {Listing<Message>} */
  #list = new Listing(this, async (before, signal) => {
    const { messages: items, next } = await this.api.messages({ ...this.#filter(), limit: 50, before }, signal);
    return { items, next };
  });
  /** The numbers as people dial them, read where the list is narrowed to one. */
  #status = new Reading(this, (signal) => this.api.status(signal));
  /** The open one, where the list does not hold it. @type {Reading<Message>} */
  #one = new Reading(this, (signal) => this.api.message(this.place.id ?? "", signal));
  /** @type {string | null} */
  #narrowedBy = null;
  /** As it was seen last: what is new may push it off the list. @type {Message | null} */
  #open = null;
  /** @type {string | null} */
  #asked = null;

  disconnectedCallback() {
    super.disconnectedCallback();
    // What was on its way is cut off.
    if (!this.#list.isThere) this.#narrowedBy = null;
    if (this.#one.value === null) this.#asked = null;
    this.#status.reset();
  }

  #filter() {
    const { state, direction, conversation_id, phone_number_id, q } = this.place.query;
    return { state, direction, conversation_id, phone_number_id, q };
  }

  get opensInPlace() {
    return true;
  }

  willUpdate() {
    const wanted = JSON.stringify(this.#filter());
    if (wanted !== this.#narrowedBy) {
      this.#narrowedBy = wanted;
      void this.#list.load({ afresh: true });
    }
    const { value, error, isLoading } = this.#status;
    if (this.place.query.phone_number_id !== undefined && value === null && error === null && !isLoading)
      void this.#status.load({ quietly: true });
    const { id } = this.place;
    const listed = this.#list.items.find((one) => one.id === id);
    if (listed !== undefined) this.#open = listed;
    else if (this.#open?.id !== id) this.#open = null;
    if (listed !== undefined || id === null) this.#asked = null;
    else if (id !== this.#asked && (this.#list.isThere || this.#list.error !== null)) {
      this.#asked = id;
      this.#one.reset();
      void this.#one.load();
    }
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (changes.messages) void this.#look();
    if (changes.numbers && this.place.query.phone_number_id !== undefined) void this.#status.load({ quietly: true });
  }

  async #look() {
    const { id } = this.place;
    const isAtOpen = id !== null && focusedBeside(this)?.id === rowId(id);
    if (this.#asked !== null) void this.#one.load({ quietly: true });
    await this.#list.load({ quietly: true });
    await this.updateComplete;
    // Only where the row has taken the focus away with it: whoever has gone on meanwhile stays where they are.
    if (isAtOpen && standsNowhere(this))
      /** @type {HTMLElement | null} */ (this.querySelector(`#${CSS.escape(rowId(id))}`))?.focus();
    if (this.#list.fresh.size > 0) this.around.say(`${count(this.#list.fresh.size, "new message")}.`);
  }

  render() {
    const { state = "", direction = "", q = "", conversation_id, phone_number_id } = this.place.query;
    const go = (/** @type {Readonly<Record<string, string | null>>} */ query) =>
      this.around.go(hrefOf("messages", { query: this.narrowed(query) }));
    return html`<div class="view">
      ${viewHead("Messages", { lead: "What people wrote and what was answered, newest first. Open one to see what became of it." })}
      <div class="filters">
        ${search("Name, number or text", q, (value) => go({ q: value || null }))}
        ${select(
          "Direction",
          "direction",
          [
            ["", "In and out"],
            ["in", "From people"],
            ["out", "To people"],
          ],
          direction,
          (value) => go({ direction: value || null }),
        )}
        ${select("State", "state", [["", "Every state"], ...STATES.map((key) => /** @type {const} */ ([key, wordFor(MESSAGE_STATES, key).label]))], state, (value) => go({ state: value || null }))}
      </div>
      ${conversation_id === undefined ? nothing : html`<p class="line">${notice("quiet", html`One conversation only. <a href=${hrefOf("messages")}>Show all</a>`)}</p>`}
      ${phone_number_id === undefined ? nothing : this.#ofNumber(phone_number_id)}
      ${this.#apart()}
      <section class="card flush" aria-label="Messages">${this.#body()}</section>
      ${moreButton(this.#list)}
    </div>`;
  }

  /** Which number it is narrowed to, and the way back. @param {string} id */
  #ofNumber(id) {
    const { value, error } = this.#status;
    const number = value?.numbers.find((one) => one.phone_number_id === id)?.phone_number;
    const name =
      number !== undefined
        ? html`<bdi dir="ltr">${number}</bdi>`
        : value === null && error === null
          ? "one number"
          : html`the number with the id <span class="mono">${id}</span>`;
    const all = hrefOf("messages", { query: this.narrowed({ phone_number_id: null }) });
    return html`<p class="line">${notice("quiet", html`Of ${name} only. <a href=${all}>All numbers</a>`)}</p>`;
  }

  /** The open one, above a list that does not hold it. */
  #apart() {
    const { id } = this.place;
    if (id === null || id !== this.#asked) return nothing;
    const message = this.#one.value ?? this.#open;
    return html`<section class="card flush" aria-label="The open message">${
      message !== null
        ? html`<ul class="rows">${this.#row(message)}</ul>`
        : this.#one.error === null
          ? skeletonRows(1, "the message")
          : failure(this.#one.error, () => void this.#one.load())
    }</section>`;
  }

  #body() {
    const { items, error, isThere } = this.#list;
    if (items.length === 0 && error !== null) return failure(error, () => void this.#list.load());
    if (!isThere) return skeletonRows(6, "the messages");
    if (items.length === 0)
      return Object.values(this.#filter()).some(Boolean)
        ? blank(
            "search",
            "No message matches",
            "Nothing is like what you look for.",
            html`<a class="button" href=${hrefOf("messages")}>Show all messages</a>`,
          )
        : blank(
            "messages",
            "Nobody has written yet",
            "Write to your number from any phone. The message and its answer appear here by themselves.",
          );
    return html`<ul class="rows">${repeat(
      items,
      ({ id }) => id,
      (message) => this.#row(message),
    )}</ul>`;
  }

  /** @param {Message} message */
  #row(message) {
    const isOpen = this.place.id === message.id;
    const { query } = this.place;
    return html`<li class=${this.#list.fresh.has(message.id) ? "fresh" : ""}>
      <button
        type="button"
        id=${rowId(message.id)}
        class="row message"
        aria-expanded=${String(isOpen)}
        aria-controls=${isOpen ? `message-${message.id}` : nothing}
        @click=${() => this.around.go(hrefOf("messages", isOpen ? { query } : { id: message.id, query }))}
      >${messageRow(message)}</button>
      ${isOpen ? html`<div class="inside" id="message-${message.id}">${messageLife(message)}</div>` : nothing}
    </li>`;
  }
}

/** @param {string} id */
function rowId(id) {
  return `row-${id}`;
}

/** @param {Message} message */
export function messageRow(message) {
  const isOut = message.direction === "out";
  return html`
    ${isOut ? ticks(message.state) : icon("in")}
    <span class="text">
      <span class="who"><span class="unseen">${isOut ? "To" : "From"} </span><bdi>${nameOf(message)}</bdi></span>
      <span class="what">${summaryOf(message)}</span>
    </span>
    ${badgeFor(MESSAGE_STATES, message.state)}
    <span class="when">${time(message.at)}</span>
  `;
}

/** @param {Message} message */
function nameOf({ contact }) {
  return contact?.name || contact?.phoneNumber || "Somebody";
}

/** @param {Message} message */
function summaryOf({ text, kind }) {
  const words = whatsappLine((text ?? "").slice(0, MOST_SHOWN));
  const name = kindBefore(kind, text ?? "");
  if (words.length === 0) return name || "No text";
  return name === "" ? words : [`${name}: `, ...words];
}

/** @param {Message} message */
function messageLife(message) {
  const isOut = message.direction === "out";
  const { error, degraded, attempts } = message;
  const word = wordFor(MESSAGE_STATES, message.state);
  const kind = kindBefore(message.kind, message.text ?? "");
  return html`
    ${
      error === null
        ? nothing
        : notice(
            word.tone === "bad" ? "bad" : "warn",
            html`<b>${troubleOf(message.state, error.title)}</b> <code>${error.code}</code><br />${error.words}
              ${error.fix === null ? nothing : html`<span class="fix">${error.fix}</span>`}`,
          )
    }
    <div class="columns">
      <div class="wall">
        <div class="bubble ${isOut ? "out" : ""}">
          ${kind === "" ? nothing : html`<p class="footer">${kind}</p>`}
          ${whatsappText(message.text ?? "")}
          <p class="stamp">${time(message.at)}${isOut ? ticks(message.state) : nothing}</p>
        </div>
      </div>
      <div class="stack">
        <h2>${isOut ? "Its life" : "When it came"}</h2>
        ${lifeOf(message)}
        ${isOut && word.means !== undefined ? html`<p class="small muted">${word.label}: ${word.means}</p>` : nothing}
      </div>
    </div>
    ${
      attempts.length < 2 && error === null
        ? nothing
        : attempts.length === 0
          ? nothing
          : html`<div class="stack"><h2>${count(attempts.length, "try", "tries")}</h2>
              <ol class="stack tight small">${attempts.map(
                ({ startedAt, outcome, metaCode }) =>
                  html`<li class="line">${time(startedAt, { exact: true })} <span>${readable(outcome)}</span>${metaCode === null ? nothing : html`<code>${metaCode}</code>`}</li>`,
              )}</ol></div>`
    }
    ${
      degraded.length === 0
        ? nothing
        : html`<div class="stack"><h2>What was changed for WhatsApp</h2>
            <ul class="stack tight small">${degraded.map((one) => html`<li>${`${readable(one.what)}: ${one.from} became ${one.to}`}</li>`)}</ul></div>`
    }
    <dl class="facts small">
      ${message.contact?.phoneNumber ? fact("Number", html`<bdi dir="ltr">${message.contact.phoneNumber}</bdi>`) : nothing}
      ${message.conversationId ? fact("Conversation", html`<a href=${hrefOf("messages", { query: { conversation_id: message.conversationId } })}>All of it</a>`) : nothing}
      ${message.sendId ? fact("Send", html`<span class="mono">${message.sendId}</span>`) : nothing}
      ${message.messageId === null ? nothing : fact("Id at Meta", html`<span class="mono">${message.messageId}</span>`)}
    </dl>
  `;
}

/** What an error comes to in a state: what may have left has not failed. @type {Readonly<Record<string, string>>} */
const TROUBLES = {
  waiting: "Not applied yet",
  queued: "Not sent yet",
  held: "Not sent yet",
  sending: "Not known yet",
  unknown: "Not known",
  expired: "Expired",
};

/** @param {string} state @param {string | null} title as Meta words it */
function troubleOf(state, title) {
  if (state === "failed") return title ?? "It failed";
  const trouble = TROUBLES[state] ?? wordFor(MESSAGE_STATES, state).label;
  return title === null ? trouble : `${trouble}: ${title}`;
}

/** Where it ended without having arrived. */
const GIVEN_UP = ["failed", "expired", "unknown"];

/** What it went through, and what is still to come. @param {Message} message */
function lifeOf(message) {
  const { times } = message;
  if (message.direction === "in")
    return html`<ol class="life"><li><b>Received</b><span>${time(message.at, { exact: true })}</span></li></ol>`;
  const isOver = [...GIVEN_UP, "read", "played"].includes(message.state);
  const usual = ["queued", "accepted", "sent", "delivered", "read"];
  const steps = LIFE.filter((step) => times[step] || (!isOver && usual.includes(step)));
  const last = steps.findLastIndex((step) => times[step]);
  let before = times.queued ?? message.at;
  return html`<ol class="life">${steps.map((step, index) => {
    const at = times[step];
    const gap = at && index > 0 ? later(before, at) : "";
    if (at) before = at;
    const isEnd = step === "failed";
    const { label, tone } = wordFor(MESSAGE_STATES, isEnd ? message.state : step);
    return html`<li class="${isEnd ? tone : ""} ${at ? "" : "to-come"}">
      <b>${label}</b>
      <span>${at ? html`${time(at, { exact: true })} <span class="muted">${gap}</span>` : index < last ? "passed over" : "not yet"}</span>
    </li>`;
  })}</ol>`;
}

customElements.define("wa-messages", Messages);
