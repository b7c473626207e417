/** Templates: what may be sent at any time. List, one of them, and writing one. */
import "./template-form.js";
import { isGone, sentenceOf } from "./api.js";
import { time } from "./format.js";
import { icon } from "./icons.js";
import { html, nothing, repeat } from "./lit.js";
import { Listing, Reading } from "./loading.js";
import {
  badge,
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
import { draftOf, EMPTY, shownOf, whyNotHere } from "./template-draft.js";
import { templatePreview } from "./template-preview.js";
import { View } from "./view.js";
import { accountName, QUALITY, readable, rejection, TEMPLATE_STATES, wordFor } from "./words.js";

/** @typedef {import("./api.js").Template} Template */
/** @typedef {import("./template-draft.js").Draft} Draft */

/**
 * What became of something that was asked of Meta; always the same one, so that a form sees that it is no news.
 * @typedef {{ readonly isBusy: boolean, readonly error: unknown }} Outcome
 */

/** What fits on a screen or two: each is drawn. */
const PAGE = 24;
const LIST = hrefOf("templates");
/** @type {Outcome} */
const IDLE = { isBusy: false, error: null };
/** @type {Outcome} */
const BUSY = { isBusy: true, error: null };

class Templates extends View {
  /** @type {readonly import("./api.js").Account[]} */
  #accounts = [];
  /** @type {Listing<Template>} */
  #all = new Listing(this, async (after, signal) => {
    const { status, q, waba_id } = this.place.query;
    const {
      templates: items,
      accounts,
      next,
    } = await this.api.templates({ status, q, waba_id, limit: PAGE, after }, signal);
    this.#accounts = accounts;
    return { items, next };
  });
  /** @type {Reading<Template>} */
  #open = new Reading(this, (signal) => this.api.template(this.place.id ?? "", signal));
  #isSyncing = false;
  /** By the place that has asked: Meta's answer may come when somebody else is looked at. @type {Map<string, Outcome>} */
  #outcomes = new Map();
  /** By the place where it is told, until that is left; `of`: what Meta had of the template then. @type {Map<string, { part: import("./parts.js").Part, of: string | null }>} */
  #told = new Map();
  /** @type {string | null} */
  #shown = null;
  /** @type {string | null} */
  #narrowedBy = null;
  /** What the form starts with: what was read anew meanwhile does not take away what is being written. @type {Draft | null} */
  #draft = null;
  /** What is half-written, by its place: kept until it is saved or cancelled. @type {Map<string, Draft>} */
  #drafts = new Map();

  disconnectedCallback() {
    super.disconnectedCallback();
    // What was on its way is cut off.
    this.#leave();
    if (!this.#all.isThere) this.#narrowedBy = null;
  }

  willUpdate() {
    const { id, action, query } = this.place;
    const narrowedBy = JSON.stringify(query);
    if (narrowedBy !== this.#narrowedBy) {
      this.#narrowedBy = narrowedBy;
      void this.#all.load({ afresh: true });
    }
    const wanted = hrefOf("templates", { ...(id && { id }), ...(action && { action }) });
    if (wanted === this.#shown) return;
    this.#leave();
    this.#shown = wanted;
    this.#draft = this.#drafts.get(wanted) ?? null;
    if (id === null || id === "new" || this.#open.value?.id === id) return;
    this.#open.reset();
    this.#open.value = this.#all.items.find((one) => one.id === id) ?? null;
    void this.#open.load({ quietly: this.#open.value !== null });
  }

  /** Whose it is, where there are several. @param {string} wabaId */
  #accountOf(wabaId) {
    return this.#accounts.length < 2 ? "" : accountName(this.#accounts, wabaId);
  }

  /** What was said here has been seen; what is still on its way has not. */
  #leave() {
    const left = this.#shown;
    this.#shown = null;
    if (left === null) return;
    this.#told.delete(left);
    if (!this.#outcomeAt(left).isBusy) this.#outcomes.delete(left);
  }

  /** @param {string} place @returns {Outcome} */
  #outcomeAt(place) {
    return this.#outcomes.get(place) ?? IDLE;
  }

  /** @param {string} place @param {Outcome} outcome */
  #settle(place, outcome) {
    this.#outcomes.set(place, outcome);
    this.requestUpdate();
  }

  /** @param {import("./api.js").Changes} changes */
  changed(changes) {
    if (changes.templates && !this.#isSyncing) void this.#readAgain();
  }

  async #readAgain() {
    const { id } = this.place;
    // What Meta is just being asked to change looks undecided until it has answered.
    const isSettled = id !== null && id !== "new" && !this.#outcomeAt(this.#shown ?? "").isBusy;
    await Promise.all([this.#all.load({ quietly: true }), ...(isSettled ? [this.#open.load({ quietly: true })] : [])]);
  }

  /** @param {string} at @param {import("./parts.js").Tone} tone @param {string} words @param {string | null} [of] */
  #tell(at, tone, words, of = null) {
    this.#told.set(at, { part: notice(tone, words), of });
    this.around.say(words);
    this.requestUpdate();
  }

  /** @param {string} at @param {unknown} error */
  #tellFailure(at, error) {
    this.#told.set(at, { part: html`<div role="alert">${notice("bad", sentenceOf(error))}</div>`, of: null });
  }

  /** What is told here; not what Meta has since decided otherwise. @param {string} [status] */
  #result(status) {
    const told = this.#told.get(this.#shown ?? "");
    return told === undefined || (told.of !== null && told.of !== status) ? nothing : told.part;
  }

  async #sync() {
    this.#isSyncing = true;
    this.#told.delete(LIST);
    this.requestUpdate();
    try {
      const { accounts } = await this.api.syncTemplates({});
      const sum = (/** @type {"added" | "changed" | "removed"} */ key) =>
        accounts.reduce((all, one) => all + one[key], 0);
      const parts = /** @type {const} */ (["added", "changed", "removed"]).flatMap((key) =>
        sum(key) > 0 ? [`${sum(key)} ${key}`] : [],
      );
      const words =
        parts.length > 0 ? `Fetched from Meta: ${parts.join(", ")}.` : "Fetched from Meta: nothing has changed.";
      this.#tell(LIST, "good", words);
      await this.#readAgain();
    } catch (error) {
      this.#tellFailure(LIST, error);
    }
    this.#isSyncing = false;
    this.requestUpdate();
  }

  /** @param {string} place @param {CustomEvent} event */
  #keep(place, { target, detail }) {
    // A file may be taken when the form is long gone.
    if (this.contains(/** @type {Node} */ (target))) this.#drafts.set(place, detail);
  }

  /** What is on its way to Meta cannot be taken back. @param {string} place */
  #cancel(place) {
    if (!this.#outcomeAt(place).isBusy) this.#drafts.delete(place);
  }

  /** @param {Template | null} before @param {CustomEvent} event */
  async #save(before, { detail }) {
    const { draft, components, parameterFormat } = detail;
    const at = formPlace(before);
    const { wabaId, name, language, category } = draft;
    // Only a file that was chosen just now: Meta takes no sample twice.
    const sample = draft.headerMediaId === "" ? {} : { headerMediaId: draft.headerMediaId };
    this.#draft = draft;
    this.#drafts.set(at, draft);
    this.#settle(at, BUSY);
    try {
      const saved =
        before === null || before.status === "NOT_SENT"
          ? await this.api.createTemplate({
              ...(wabaId ? { wabaId } : {}),
              name,
              language,
              category,
              components,
              parameterFormat,
              ...sample,
            })
          : await this.api.editTemplate(before.id, {
              components,
              ...(category === before.category ? {} : { category }),
              ...sample,
            });
      this.#drafts.delete(at);
      this.#settle(at, IDLE);
      const { label, means = "" } = wordFor(TEMPLATE_STATES, saved.status);
      const isKnown = saved.status !== "UNCONFIRMED";
      const to = hrefOf("templates", { id: saved.id });
      this.#tell(
        to,
        isKnown ? "good" : "warn",
        isKnown ? `Meta has it: ${label.toLowerCase()}.` : `${label}. ${means}`,
        saved.status,
      );
      void this.#all.load({ quietly: true });
      // Whoever has gone on meanwhile is left there.
      if (this.#shown !== at) return;
      this.#open.reset();
      this.#open.value = saved;
      this.around.go(to);
    } catch (error) {
      this.#settle(at, { isBusy: false, error });
    }
  }

  /** @param {Template} template */
  async #delete(template) {
    this.#dialog()?.close();
    const at = hrefOf("templates", { id: template.id });
    this.#settle(at, BUSY);
    try {
      await this.api.deleteTemplate(template.id);
      this.#drafts.delete(formPlace(template));
      await this.#all.load({ quietly: true });
      this.#tell(LIST, "good", `${template.name} is deleted.`);
      if (this.#shown === at) this.around.go(LIST);
      this.#settle(at, IDLE);
    } catch (error) {
      this.#tellFailure(at, error);
      this.#settle(at, IDLE);
      void this.#readAgain();
    }
  }

  #dialog() {
    return /** @type {HTMLDialogElement | null} */ (this.querySelector("dialog"));
  }

  render() {
    const { id, action } = this.place;
    if (id === null) return this.#list();
    if (id === "new") return this.#all.isThere ? this.#form(null) : this.#waiting("New template", this.#all);
    const { value, error } = this.#open;
    if (isGone(error))
      return html`<div class="view">${viewHead("Template")}<section class="card">${blank("search", "It is not there", "It was deleted, or Meta has given it to another account.", html`<a class="button" href=${hrefOf("templates")}>All templates</a>`)}</section></div>`;
    if (value === null) return this.#waiting("Template", this.#open);
    return action === "edit" ? this.#form(value) : this.#one(value);
  }

  /**
   * @param {string} title
   * @param {{ readonly error: unknown, load(): Promise<void> }} what
   */
  #waiting(title, what) {
    return html`<div class="view">${viewHead(title)}
      <section class="card flush">${what.error === null ? skeletonRows(4, "the template") : failure(what.error, () => void what.load())}</section>
    </div>`;
  }

  #list() {
    const { status = "", q = "", waba_id = "" } = this.place.query;
    const go = (/** @type {Readonly<Record<string, string | null>>} */ query) =>
      this.around.go(hrefOf("templates", { query: this.narrowed(query) }));
    const accounts = this.#accounts;
    const isNarrowed = [status, q, waba_id].some(Boolean);
    const isEmpty = this.#all.isThere && this.#all.items.length === 0 && !isNarrowed;
    const states = [...new Set([...Object.keys(TEMPLATE_STATES), ...(status ? [status] : [])])];
    const synced =
      accounts
        .flatMap(({ syncedAt }) => syncedAt ?? [])
        .sort()
        .at(0) ?? null;
    return html`<div class="view">
      ${viewHead("Templates", {
        lead: html`Messages that Meta has looked at: only these may be sent when somebody has not written for 24 hours.${synced === null ? nothing : html` Fetched from Meta ${time(synced)}.`}`,
        actions: this.mayOperate
          ? html`${button("Fetch from Meta", () => void this.#sync(), { isBusy: this.#isSyncing, drawing: "again" })}
              <a class="button main" href=${hrefOf("templates", { id: "new" })}>${icon("add")}New template</a>`
          : nothing,
      })}
      <div class="told">${this.#result()}</div>
      ${this.#isSyncing ? progress("Fetching every template of your accounts from Meta…") : nothing}
      ${
        isEmpty
          ? nothing
          : html`<div class="filters">
              ${search("Name or text", q, (value) => go({ q: value || null }))}
              ${select("Status", "status", [["", "Every status"], ...states.map((key) => /** @type {const} */ ([key, wordFor(TEMPLATE_STATES, key).label]))], status, (value) => go({ status: value || null }))}
              ${accounts.length > 1 ? select("Account", "account", [["", "Every account"], ...accounts.map((one) => /** @type {const} */ ([one.wabaId, this.#accountOf(one.wabaId)]))], waba_id, (value) => go({ waba_id: value || null })) : nothing}
            </div>`
      }
      ${this.#tiles(isNarrowed)}
      ${moreButton(this.#all, "Show more")}
    </div>`;
  }

  /** @param {boolean} isNarrowed */
  #tiles(isNarrowed) {
    const { items, error, isThere } = this.#all;
    if (items.length === 0 && error !== null)
      return html`<section class="card">${failure(error, () => void this.#all.load())}</section>`;
    if (!isThere)
      return html`<p class="unseen" role="status">Loading the templates…</p>
        <div class="tiles" aria-hidden="true">${[1, 2, 3].map(() => html`<div class="card"><div class="skeleton tall"></div><div class="skeleton"></div><div class="skeleton short"></div></div>`)}</div>`;
    if (items.length === 0)
      return isNarrowed
        ? html`<section class="card">${blank("search", "No template matches", "Nothing is like what you look for.", html`<a class="button" href=${hrefOf("templates")}>Show all</a>`)}</section>`
        : html`<section class="card">${blank("templates", "No templates yet", "Write one here, or fetch those that the account already has at Meta.", this.mayOperate ? html`<a class="button main" href=${hrefOf("templates", { id: "new" })}>${icon("add")}New template</a>` : nothing)}</section>`;
    return html`<ul class="tiles">${repeat(
      items,
      (one) => one.id,
      (one) => this.#tile(one),
    )}</ul>`;
  }

  /** @param {Template} template */
  #tile(template) {
    const why = rejection(template.rejectionReason);
    const account = this.#accountOf(template.wabaId);
    return html`<li class="tile">
      <div aria-hidden="true">${templatePreview(shownOf(template))}</div>
      <div class="about">
        <a href=${hrefOf("templates", { id: template.id, query: this.place.query })}>${template.name}</a>
        <p class="line">${badgeFor(TEMPLATE_STATES, template.status)}<span class="muted small">${template.language} · ${readable((template.category ?? "").toLowerCase())}</span></p>
        ${account === "" ? nothing : html`<p class="small muted">${account}</p>`}
        ${why === "" ? nothing : html`<p class="small">${why}</p>`}
      </div>
    </li>`;
  }

  /** @param {Template} template */
  #one(template) {
    const why = rejection(template.rejectionReason);
    const account = this.#accountOf(template.wabaId);
    const { means } = wordFor(TEMPLATE_STATES, template.status);
    const { isBusy } = this.#outcomeAt(this.#shown ?? "");
    const { query } = this.place;
    return html`<div class="view">
      ${viewHead(template.name, {
        lead: html`${template.language} · ${readable((template.category ?? "").toLowerCase())}`,
        actions: html`<a class="button" href=${hrefOf("templates", { query })}>${icon("back")}All templates</a>
          ${this.mayOperate && whyFixed(template) === null ? html`<a class="button main" href=${hrefOf("templates", { id: template.id, action: "edit", query })}>${template.status === "NOT_SENT" ? "Send it again" : "Edit"}</a>` : nothing}
          ${this.mayOperate ? button("Delete", () => this.#dialog()?.showModal(), { kind: "danger", isBusy }) : nothing}`,
      })}
      <div class="told">${this.#result(template.status)}</div>
      ${isBusy ? progress("Telling Meta…") : nothing}
      <div class="columns">
        <section class="card" aria-labelledby="seen-title"><h2 id="seen-title">As WhatsApp shows it</h2>${templatePreview(shownOf(template))}</section>
        <section class="card" aria-labelledby="state-title">
          <div class="line apart"><h2 id="state-title">At Meta</h2>${badgeFor(TEMPLATE_STATES, template.status)}</div>
          ${why === "" ? nothing : notice("bad", html`<b>Why it was rejected.</b> ${why}`)}
          ${means === undefined ? nothing : html`<p class="muted">${means}</p>`}
          <dl class="facts">
            ${fact("Quality", template.qualityScore === null ? "Not rated yet" : badgeFor(QUALITY, template.qualityScore))}
            ${fact("Variables", readable((template.parameterFormat ?? "POSITIONAL").toLowerCase()))}
            ${fact("Fetched", time(template.syncedAt))}
            ${template.metaId === null ? nothing : fact("Id at Meta", html`<span class="mono">${template.metaId}</span>`)}
            ${fact("Account", html`${this.#accounts.find(({ wabaId }) => wabaId === template.wabaId)?.name ?? nothing} <span class="mono">${template.wabaId}</span>`)}
          </dl>
          ${whyFixed(template) === null || template.status === "UNCONFIRMED" ? nothing : html`<p class="small muted">It cannot be edited now. ${whyFixed(template)}</p>`}
        </section>
      </div>
      <dialog aria-labelledby="delete-title">
        <form method="dialog" class="stack">
          <h2 id="delete-title">Delete ${template.name} (${template.language})${account === "" ? "" : ` of ${account}`}?</h2>
          <p>It can no longer be sent, and Meta keeps its name back for 30 days. This cannot be undone.</p>
          <div class="line">
            <button value="keep" autofocus>Keep it</button>
            ${button("Delete", () => void this.#delete(template), { kind: "danger main" })}
          </div>
        </form>
      </dialog>
    </div>`;
  }

  /** @param {Template | null} template */
  #form(template) {
    const accounts = this.#accounts;
    const isUnsent = template === null || template.status === "NOT_SENT";
    const title = template === null ? "New template" : `${isUnsent ? "Send again:" : "Edit"} ${template.name}`;
    if (!this.mayOperate)
      return html`<div class="view">${viewHead(title)}<section class="card">${blank("bad", "You may not do this", "Ask somebody who operates WhatsApp in your account.")}</section></div>`;
    const at = formPlace(template);
    const outcome = this.#outcomeAt(at);
    if (template !== null && whyFixed(template) !== null && !outcome.isBusy)
      return html`<div class="view">${viewHead(title)}<section class="card">${blank("warn", "It cannot be edited now", whyFixed(template) ?? "", html`<a class="button" href=${hrefOf("templates", { id: template.id })}>Back</a>`)}</section></div>`;
    if (accounts.length === 0 && template === null)
      return html`<div class="view">${viewHead(title)}<section class="card">${blank("numbers", "Connect a number first", "Templates belong to the account of a number.", html`<a class="button main" href=${hrefOf("overview")}>To the connection</a>`)}</section></div>`;
    this.#draft ??= template === null ? { ...EMPTY, wabaId: accounts[0]?.wabaId ?? "" } : draftOf(template);
    return html`<div class="view">
      ${viewHead(title, {
        lead: isUnsent
          ? "Meta looks at it before it may be sent: mostly for minutes, at most for a day."
          : html`${badge("warn", "Meta looks at it again")} Until then what was approved may not be sent.`,
      })}
      ${repeat(
        // Each place has a form of its own, with its own file and its own problems.
        [at],
        (place) => place,
        (place) => html`<wa-template-form
        .start=${this.#draft}
        .isNew=${template === null}
        .isChange=${!isUnsent}
        .categoryFixed=${template?.status === "APPROVED" ? "Of an approved template it cannot be changed." : ""}
        .accounts=${accounts}
        .outcome=${outcome}
        .upload=${this.api.upload}
        .cancelHref=${template === null ? LIST : hrefOf("templates", { id: template.id })}
        @draft=${(/** @type {CustomEvent} */ event) => this.#keep(place, event)}
        @cancelled=${() => this.#cancel(place)}
        @save=${(/** @type {CustomEvent} */ event) => void this.#save(template, event)}
      ></wa-template-form>`,
      )}
    </div>`;
  }
}

/** Where it is written; a new one, without it. @param {Template | null} template */
function formPlace(template) {
  return template === null
    ? hrefOf("templates", { id: "new" })
    : hrefOf("templates", { id: template.id, action: "edit" });
}

/** Why it cannot be edited here now; null where it can. @param {Template} template */
function whyFixed(template) {
  const { status, editable, why } = template;
  if (!editable && status !== "NOT_SENT") return why ?? "";
  return whyNotHere(template);
}

customElements.define("wa-templates", Templates);
