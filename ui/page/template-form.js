/** Writing a template: fields on one side, what people will see on the other. */
import { RouteError } from "../api.js";
import { sentenceOf } from "./api.js";
import { html, LitElement, nothing } from "./lit.js";
import { button, notice, progress } from "./parts.js";
import { focusedBeside, Standing, standsNowhere } from "./standing.js";
import {
  componentsOf,
  emptyButton,
  fieldOf,
  formatOf,
  MOST,
  problemsOf,
  seenOf,
  variablesOf,
} from "./template-draft.js";
import { templatePreview } from "./template-preview.js";
import { accountName, readable } from "./words.js";

/** @typedef {import("./template-draft.js").Draft} Draft */
/** @typedef {import("./template-draft.js").DraftButton} DraftButton */

const LANGUAGES = [
  "ar",
  "de",
  "en",
  "en_GB",
  "en_US",
  "es",
  "es_MX",
  "fr",
  "hi",
  "id",
  "it",
  "ja",
  "ko",
  "nl",
  "pl",
  "pt_BR",
  "pt_PT",
  "ru",
  "tr",
  "uk",
  "zh_CN",
];
const CATEGORIES = /** @type {const} */ ([
  ["UTILITY", "Utility", "About something the person has asked for or bought: an order, a booking, an account."],
  ["MARKETING", "Marketing", "Offers, news, invitations. Whoever has written STOP does not get it."],
  ["AUTHENTICATION", "Authentication", "One-time codes. Meta writes the text itself, in each language."],
]);
const HEADERS = /** @type {const} */ ([
  ["NONE", "None"],
  ["TEXT", "Text"],
  ["IMAGE", "Picture"],
  ["VIDEO", "Video"],
  ["DOCUMENT", "Document"],
  ["LOCATION", "Place"],
]);
const BUTTONS = /** @type {const} */ ([
  ["QUICK_REPLY", "Quick reply"],
  ["URL", "Link"],
  ["PHONE_NUMBER", "Call"],
  ["COPY_CODE", "Copy code"],
]);

/** Tells each change by a `draft` event, what was filled in by `save`, that it is given up by `cancelled`, and shows what became of it by `outcome`. */
class TemplateForm extends LitElement {
  static properties = {
    start: { attribute: false },
    draft: { state: true },
    isNew: { attribute: false },
    isChange: { attribute: false },
    categoryFixed: { attribute: false },
    accounts: { attribute: false },
    outcome: { attribute: false },
  };

  constructor() {
    super();
    /** What is there before anything is written; given once more it changes nothing. @type {Draft} */
    this.start = /** @type {Draft} */ (/** @type {unknown} */ (null));
    /** What is written. */
    this.draft = this.start;
    /** Whether its name and language can still be chosen. */
    this.isNew = true;
    /** Of one that Meta has. */
    this.isChange = false;
    /** Why the category cannot be chosen; empty where it can. */
    this.categoryFixed = "";
    /** @type {readonly import("./api.js").Account[]} */
    this.accounts = [];
    /** @type {{ isBusy: boolean, error: unknown }} */
    this.outcome = { isBusy: false, error: null };
    /** @type {(file: File) => Promise<{ id: string }>} */
    this.upload = () => Promise.reject(new Error("not set"));
    this.cancelHref = "";
    new Standing(this, () => this.querySelector(".add"));
  }

  /** By the field. @type {Readonly<Record<string, string>>} */
  #problems = {};
  /** Those of them that the server has found; each holds until its field is changed. @type {Readonly<Record<string, string>>} */
  #served = {};
  /** What was found that belongs to no field. @type {readonly string[]} */
  #others = [];
  /** The refusal whose problems are shown. @type {unknown} */
  #shown = null;
  #file = { name: "", isBusy: false, error: "" };
  /** What had the focus when it was sent. @type {Element | null} */
  #sentFrom = null;

  createRenderRoot() {
    return this;
  }

  /** @param {Partial<Draft>} change */
  #set(change) {
    this.draft = { ...this.draft, ...change };
    this.dispatchEvent(new CustomEvent("draft", { detail: this.draft }));
    if (Object.keys(this.#problems).length === 0) return;
    const touched = Object.keys(change).map((key) =>
      key === "buttons" ? "button" : key === "examples" ? "body" : key,
    );
    const left = Object.entries(this.#served).filter(([field]) => !touched.some((key) => field.startsWith(key)));
    this.#served = Object.fromEntries(left);
    this.#problems = { ...this.#served, ...problemsOf(this.draft) };
  }

  /**
   * A refusal goes beside the fields that it is about, and the first of them gets the focus of whoever waits for it.
   * @param {Map<PropertyKey, unknown>} changed
   */
  willUpdate(changed) {
    if (changed.has("start")) this.draft = this.start;
    const { error } = this.outcome;
    if (error === this.#shown) return;
    this.#shown = error;
    this.#others = [];
    if (error === null) return;
    void this.updateComplete.then(() => {
      // Its fields can be written in while Meta is asked: whoever has gone on to another one stays there.
      if (standsNowhere(this) || focusedBeside(this) === this.#sentFrom) this.#toFirst();
    });
    const found = error instanceof RouteError ? error.problems : [];
    if (found.length === 0) return;
    const components = componentsOf(this.draft);
    /** @type {Record<string, string>} */
    const problems = {};
    for (const { path, problem, fix } of found) {
      const field = fieldOf(path, components);
      const words = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}. ${fix}`;
      if (field === undefined) this.#others = [...this.#others, `${path} ${problem}. ${fix}`];
      else problems[field] = problems[field] === undefined ? words : `${problems[field]} ${words}`;
    }
    this.#served = problems;
    this.#problems = problems;
  }

  #toFirst() {
    const first = /** @type {HTMLElement | null} */ (this.querySelector("[aria-invalid=true], [data-wrong]"));
    (first ?? /** @type {HTMLElement | null} */ (this.querySelector("[role=alert]")))?.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.outcome.isBusy || this.#file.isBusy) return;
    this.#problems = problemsOf(this.draft);
    this.requestUpdate();
    await this.updateComplete;
    if (Object.keys(this.#problems).length > 0) return this.#toFirst();
    const { draft } = this;
    this.#sentFrom = focusedBeside(this);
    this.dispatchEvent(
      new CustomEvent("save", { detail: { draft, components: componentsOf(draft), parameterFormat: formatOf(draft) } }),
    );
  }

  /** @param {Event} event */
  async #choose({ target }) {
    const file = /** @type {HTMLInputElement} */ (target).files?.[0];
    if (file === undefined) return;
    const taking = { name: file.name, isBusy: true, error: "" };
    this.#file = taking;
    this.requestUpdate();
    /** @param {string} headerMediaId @param {string} error */
    const settle = (headerMediaId, error) => {
      // Another one was chosen meanwhile, or another kind of header.
      if (this.#file !== taking) return;
      this.#file = { name: error === "" ? file.name : "", isBusy: false, error };
      this.#set({ headerMediaId });
      this.requestUpdate();
    };
    await this.upload(file).then(
      ({ id }) => settle(id, ""),
      (error) => settle("", sentenceOf(error)),
    );
  }

  /** What was taken for another kind of header is none for this one. @param {EventTarget | null} target */
  #chooseHeader(target) {
    const input = /** @type {HTMLInputElement | null} */ (this.querySelector("#sample"));
    if (input !== null) input.value = "";
    this.#file = { name: "", isBusy: false, error: "" };
    this.#set({
      header: /** @type {import("./template-draft.js").HeaderFormat} */ (inputOf(target)),
      headerMediaId: "",
    });
  }

  render() {
    const { draft, isNew, accounts } = this;
    const variables = variablesOf(draft.body);
    const { isBusy } = this.outcome;
    const isCode = draft.category === "AUTHENTICATION";
    return html`<form class="columns aside" novalidate @submit=${this.#submit}>
      <div class="stack wide">
        ${this.#refusal()}
        <section class="card">
          <h2>What it is</h2>
          ${
            accounts.length > 1 && isNew
              ? html`<div class="field"><label for="waba">Account</label>
                  <select id="waba" @change=${(/** @type {Event} */ { target }) => this.#set({ wabaId: inputOf(target) })}>
                    ${accounts.map(({ wabaId }) => html`<option value=${wabaId} .selected=${wabaId === draft.wabaId}>${accountName(accounts, wabaId)}</option>`)}
                  </select></div>`
              : nothing
          }
          <div class="pair">
            ${this.#input("name", "Name", draft.name, { hint: "For this platform only; people do not see it.", most: MOST.name, isFixed: !isNew })}
            ${this.#input("language", "Language", draft.language, { isFixed: !isNew, list: "languages" })}
          </div>
          <datalist id="languages">${LANGUAGES.map((one) => html`<option value=${one}></option>`)}</datalist>
          <fieldset class="options">
            <legend>Category</legend>
            ${this.categoryFixed === "" ? nothing : html`<p class="hint">${this.categoryFixed}</p>`}
            ${this.#problems.category ? html`<p class="wrong" data-wrong tabindex="-1">${this.#problems.category}</p>` : nothing}
            ${CATEGORIES.filter(([key]) => this.#offers(key)).map(
              ([key, label, means]) => html`<label class="option">
                <input type="radio" name="category" value=${key} .checked=${draft.category === key} ?disabled=${this.categoryFixed !== ""} @change=${() => this.#set({ category: key })} />
                <span>${label}<br /><span class="hint">${means}</span></span>
              </label>`,
            )}
          </fieldset>
        </section>
        ${isCode ? this.#codeFields() : this.#textFields(variables)}
        ${isBusy ? progress("Sending it to Meta…") : nothing}
        <div class="line">
          ${button(this.isChange ? "Send the change to review" : "Send to review", () => {}, { kind: "main", isBusy, type: "submit" })}
          <a class="button" href=${this.cancelHref} @click=${() => this.dispatchEvent(new CustomEvent("cancelled"))}>Cancel</a>
        </div>
      </div>
      <section class="card sticky" aria-labelledby="preview-title">
        <h2 id="preview-title">As WhatsApp shows it</h2>
        ${templatePreview(seenOf(draft))}
        <p class="hint">${isCode ? "Meta's own words, in English here and in the template's language there." : "Examples stand in for the variables."}</p>
      </section>
    </form>`;
  }

  #refusal() {
    const { error } = this.outcome;
    if (error === null) return nothing;
    const isMarked = Object.keys(this.#problems).length > 0;
    if (this.#others.length === 0 && !(error instanceof RouteError && error.problems.length > 0))
      return html`<div role="alert" tabindex="-1">${notice("bad", sentenceOf(error))}</div>`;
    if (this.#others.length === 0 && !isMarked) return nothing;
    return html`<div role="alert" tabindex="-1">${notice(
      "bad",
      html`Not sent.${isMarked ? " Mend what is marked below." : ""}
        ${this.#others.length === 0 ? nothing : html`<ul>${this.#others.map((one) => html`<li>${one}</li>`)}</ul>`}`,
    )}</div>`;
  }

  /** Whether a category can be chosen: codes look otherwise, and nothing else becomes one. @param {string} key */
  #offers(key) {
    if (this.isNew) return true;
    return (key === "AUTHENTICATION") === (this.draft.category === "AUTHENTICATION");
  }

  #codeFields() {
    const { draft } = this;
    return html`<section class="card">
      <h2>What people see</h2>
      <p class="muted small">Meta writes the text of codes itself. This much can be chosen.</p>
      <label class="option">
        <input type="checkbox" .checked=${draft.codeWarning} @change=${(/** @type {Event} */ { target }) => this.#set({ codeWarning: /** @type {HTMLInputElement} */ (target).checked })} />
        <span>Say that the code is not to be shared</span>
      </label>
      <div class="pair">
        ${this.#input("codeMinutes", "Minutes until it expires", draft.codeMinutes, { hint: `1 to ${MOST.codeMinutes}; empty: nothing is said of it.`, most: 2 })}
        ${this.#input("codeButton", "Text of the button", draft.codeButton, { hint: "Empty: Copy code, in the template's language.", most: MOST.buttonText })}
      </div>
    </section>`;
  }

  /** @param {readonly string[]} variables */
  #textFields(variables) {
    const { draft } = this;
    const { body: wrong } = this.#problems;
    return html`<section class="card">
          <h2>What people see</h2>
          <div class="field">
            <label for="header">Header</label>
            <select id="header" @change=${(/** @type {Event} */ { target }) => this.#chooseHeader(target)}>
              ${HEADERS.map(([key, label]) => html`<option value=${key} .selected=${key === draft.header}>${label}</option>`)}
            </select>
          </div>
          ${this.#headerFields()}
          <div class="field">
            <div class="line apart"><label for="body">Text</label><span class="hint">${draft.body.length} of ${MOST.body}</span></div>
            <textarea id="body" maxlength=${MOST.body} required aria-invalid=${wrong ? "true" : nothing} aria-describedby="body-hint"
              .value=${draft.body} @input=${(/** @type {Event} */ { target }) => this.#set({ body: inputOf(target) })}></textarea>
            <span class="hint" id="body-hint">${wrong ? html`<span class="wrong">${wrong}</span>` : html`<code>*bold*</code> <code>_italic_</code> <code>~struck~</code>. What differs from person to person is a variable: <code>{{name}}</code>`}</span>
            <div class="line">${button("Insert a variable", () => this.#insert(), { kind: "slim", drawing: "add" })}</div>
          </div>
          ${
            variables.length === 0
              ? nothing
              : html`<fieldset class="stack tight"><legend>Examples, for Meta's reviewers</legend><div class="pair">
                  ${variables.map((name) => this.#input(`example:${name}`, name, draft.examples[name] ?? "", { set: (value) => ({ examples: { ...draft.examples, [name]: value } }) }))}
                </div></fieldset>`
          }
          ${this.#input("footer", "Footer", draft.footer, { most: MOST.footer, hint: "Optional, small and grey." })}
        </section>
        <section class="card">
          <h2>Buttons</h2>
          ${this.#problems.buttons ? html`<p class="wrong" data-wrong tabindex="-1">${this.#problems.buttons}</p>` : nothing}
          ${draft.buttons.length === 0 ? html`<p class="muted small">None. Up to ten; of more than three WhatsApp shows two and a list.</p>` : draft.buttons.map((one, index) => this.#button(one, index))}
          <div class="line">${BUTTONS.map(([type, label]) => button(label, () => this.#add(type), { kind: "slim add", drawing: "add", isBusy: draft.buttons.length >= MOST.buttons, name: `Add a button: ${label}` }))}</div>
        </section>`;
  }

  #headerFields() {
    const { draft } = this;
    if (draft.header === "TEXT")
      return html`<div class="pair">
        ${this.#input("headerText", "Header text", draft.headerText, { most: MOST.headerText })}
        ${variablesOf(draft.headerText).length === 0 ? nothing : this.#input("headerExample", "Example for the header's variable", draft.headerExample)}
      </div>`;
    if (!["IMAGE", "VIDEO", "DOCUMENT"].includes(draft.header)) return nothing;
    const { name, isBusy, error } = this.#file;
    const problem = error || this.#problems.headerMediaId;
    // Of one that was chosen before the form was left, the name is gone.
    const taken = draft.headerMediaId === "" ? "" : "A file is taken already. ";
    return html`<div class="field">
      <label for="sample">Sample file</label>
      <input id="sample" type="file" accept=${ACCEPT[draft.header] ?? nothing} aria-invalid=${problem ? "true" : nothing} aria-describedby="sample-hint" @change=${this.#choose} />
      <span class="hint" id="sample-hint">${problem ? html`<span class="wrong">${problem}</span>` : name === "" ? `${taken}Only Meta's reviewers see it; each send brings its own.` : `${name} is taken.`}</span>
      ${isBusy ? progress(`Taking ${name}…`) : nothing}
    </div>`;
  }

  /**
   * @param {string} key
   * @param {string} label
   * @param {string} value
   * @param {{ hint?: string, most?: number, isFixed?: boolean, list?: string, set?: (value: string) => Partial<Draft> }} [options]
   */
  #input(key, label, value, { hint = "", most, isFixed = false, list, set = (text) => ({ [key]: text }) } = {}) {
    const id = `field-${key.replace(":", "-")}`;
    const problem = this.#problems[key];
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <input id=${id} type="text" autocomplete="off" maxlength=${most ?? nothing} list=${list ?? nothing} ?readonly=${isFixed}
        aria-invalid=${problem ? "true" : nothing} aria-describedby=${problem || hint ? `${id}-hint` : nothing}
        .value=${value} @input=${(/** @type {Event} */ { target }) => this.#set(set(inputOf(target)))} />
      ${problem || hint ? html`<span id="${id}-hint" class=${problem ? "wrong" : "hint"}>${problem ?? hint}</span>` : nothing}
    </div>`;
  }

  /** @param {DraftButton} one @param {number} index */
  #button(one, index) {
    const label =
      BUTTONS.find(([type]) => type === one.type)?.[1] ?? readable(String(one.raw?.type ?? "").toLowerCase());
    const change = (/** @type {Partial<DraftButton>} */ part) =>
      this.#set({ buttons: this.draft.buttons.map((old, at) => (at === index ? { ...old, ...part } : old)) });
    const problem = this.#problems[`button:${index}`];
    const field = (
      /** @type {"text" | "url" | "example" | "phoneNumber"} */ key,
      /** @type {string} */ name,
      /** @type {number | undefined} */ most,
    ) => {
      const wrong = this.#problems[`button:${index}:${key}`];
      const id = `button-${index}-${key}`;
      return html`<div class="field">
        <label for=${id}>${name}</label>
        <input id=${id} type="text" autocomplete="off" maxlength=${most ?? nothing} aria-invalid=${wrong ? "true" : nothing}
          aria-describedby=${wrong ? `${id}-wrong` : nothing} .value=${one[key]} @input=${(/** @type {Event} */ { target }) => change({ [key]: inputOf(target) })} />
        ${wrong ? html`<span class="wrong" id="${id}-wrong">${wrong}</span>` : nothing}
      </div>`;
    };
    return html`<fieldset class="keybox">
      <legend>${index + 1}. ${label}</legend>
      ${one.type === "OTHER" ? html`<p class="hint">Stays as it is: this page has no fields for it.</p>` : nothing}
      ${one.type === "COPY_CODE" || one.type === "OTHER" ? nothing : field("text", "Text", MOST.buttonText)}
      ${one.type === "URL" ? field("url", "Address", MOST.url) : nothing}
      ${one.type === "URL" && variablesOf(one.url).length > 0 ? field("example", "Example of the whole address", MOST.url) : nothing}
      ${one.type === "PHONE_NUMBER" ? field("phoneNumber", "Phone number", 20) : nothing}
      ${one.type === "COPY_CODE" ? field("example", "Example code", 15) : nothing}
      <div class="line">${button("Remove", () => this.#set({ buttons: this.draft.buttons.filter((_, at) => at !== index) }), { kind: "plain slim", name: `Remove button ${index + 1}` })}</div>
      ${problem ? html`<span class="wrong" data-wrong tabindex="-1">${problem}</span>` : nothing}
    </fieldset>`;
  }

  /** @param {import("./template-draft.js").ButtonType} type */
  #add(type) {
    const all = [...this.draft.buttons, emptyButton(type)];
    // Meta wants quick replies side by side.
    this.#set({
      buttons: [...all.filter((one) => one.type === "QUICK_REPLY"), ...all.filter((one) => one.type !== "QUICK_REPLY")],
    });
  }

  #insert() {
    const area = /** @type {HTMLTextAreaElement} */ (this.querySelector("#body"));
    const names = variablesOf(this.draft.body);
    const isNamed = formatOf(this.draft) === "NAMED";
    const name = isNamed ? `value_${names.length + 1}` : String(names.length + 1);
    const { selectionStart: at, selectionEnd: end } = area;
    const body = `${this.draft.body.slice(0, at)}{{${name}}}${this.draft.body.slice(end)}`;
    this.#set({ body });
    void this.updateComplete.then(() => {
      area.focus();
      area.setSelectionRange(at + 2, at + 2 + name.length);
    });
  }
}

/** @type {Readonly<Record<string, string>>} */
const ACCEPT = { IMAGE: "image/jpeg,image/png", VIDEO: "video/mp4", DOCUMENT: "application/pdf" };

/** @param {EventTarget | null} target */
function inputOf(target) {
  return /** @type {HTMLInputElement} */ (target).value;
}

customElements.define("wa-template-form", TemplateForm);
