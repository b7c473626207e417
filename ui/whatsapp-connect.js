/** `<whatsapp-connect>`: connects WhatsApp numbers, shows them, disconnects them. */
import { createApi, RouteError } from "./api.js";
import { h } from "./dom.js";
import { loadSdk, openSignup } from "./embedded-signup.js";
import { takeReturn } from "./returned.js";
import { STYLE } from "./style.js";
import { fill, lookUp, mergeTexts, TEXTS } from "./texts.js";
import { cardBody, numbersWithoutPin, sentenceFor } from "./views.js";

/** @typedef {import("./api.js").Onboarding} Onboarding */
/** @typedef {import("./api.js").OnboardingAnswer} OnboardingAnswer */
/** @typedef {import("./texts.js").TextsInput} TextsInput */

/** What only a new login can mend: going on would fail the same way. */
const NEEDS_LOGIN = new Set(
  (
    "invalid_state access_denied dialog_failed code_refused token_refused scopes_missing no_business_accounts " +
    "no_phone_numbers account_not_granted onboarding_missing"
  ).split(" "),
);
/** What the panel of a state says by itself. */
const EXPLAINED = { pin: "PIN_REQUIRED", takeover: "CONNECTION_CONFLICT" };
const POLL_MS = 1_000;
const SLOW_AFTER = 20;
const LEAVING_MS = 10_000;

/** A server that renders pages may import this file too; there it is a name and nothing else. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

/**
 * Attributes: `base`, `flow` (`redirect` or `popup`), `return-to`. Events, all composed and bubbling:
 * `whatsapp-connected` `{ numbers }`, `whatsapp-error` `{ code, message }`, `whatsapp-disconnected` `{ phone_number_id }`.
 */
export class WhatsAppConnect extends Base {
  static observedAttributes = ["base", "flow"];

  /** @type {import("./texts.js").Texts} */
  #texts = TEXTS;
  /** @type {import("./views.js").State} */
  #state = START;
  /** @type {import("./api.js").Login | null} */
  #login = null;
  /** Of everything that must end when the element leaves the page, or reads anew. */
  #life = new AbortController();
  #api = createApi("", this.#life.signal);
  /** @type {import("./embedded-signup.js").FacebookSdk | null} */
  #sdk = null;
  /** Null where the login at Meta takes the page itself. @type {Promise<import("./embedded-signup.js").FacebookSdk | null> | null} */
  #sdkLoading = null;
  #isFollowing = false;
  #attempts = 0;
  /** @type {{ title: HTMLElement, status: HTMLElement, alert: HTMLElement, body: HTMLElement } | null} */
  #parts = null;

  /** The English texts, or what a page has put in their place. */
  get texts() {
    return this.#texts;
  }

  /** @param {TextsInput} own */
  set texts(own) {
    this.#texts = mergeTexts(own);
    this.#render();
  }

  connectedCallback() {
    this.#build();
    // A page may have set it before this file came: then it hides the setter.
    if (Object.hasOwn(this, "texts")) {
      const { texts } = this;
      Reflect.deleteProperty(this, "texts");
      this.texts = texts;
    }
    void this.#load();
  }

  disconnectedCallback() {
    this.#life.abort();
  }

  attributeChangedCallback() {
    if (this.#parts !== null && this.isConnected) void this.#load();
  }

  /** Reads the numbers again, as when one was connected or disconnected elsewhere; what somebody is in the midst of stays. */
  async refresh() {
    const { signal } = this.#life;
    if (this.#state.phase !== "ready" || this.#state.isBusy) return;
    // Nobody has asked: where it fails, what is shown stays.
    const status = await this.#api.status().catch(() => null);
    if (status !== null && !signal.aborted && !this.#state.isBusy) this.#set({ numbers: status.numbers });
  }

  #build() {
    if (this.#parts !== null) return;
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const parts = {
      title: h("h2", { id: "title", part: "title", tabindex: -1 }),
      // They stay, and only their words change: that is when a screen reader speaks.
      status: h("p", { class: "notice", role: "status", part: "status", tabindex: -1 }),
      alert: h("p", { class: "notice", role: "alert", part: "alert" }),
      body: h("div", { class: "body" }),
    };
    root.append(h("section", { class: "card", part: "card", "aria-labelledby": "title" }, ...Object.values(parts)));
    this.#parts = parts;
  }

  async #load() {
    this.#life.abort();
    this.#life = new AbortController();
    this.#isFollowing = false;
    const { signal } = this.#life;
    this.#api = createApi(this.getAttribute("base") ?? "/api/whatsapp", signal);
    // The browser's Back shows the page as it was left: on its way to Meta.
    addEventListener("pageshow", ({ persisted }) => persisted && void this.#load(), { signal });
    const returned = takeReturn();
    this.#set(START);
    this.#warn("");
    this.#say(this.#texts.loading);
    // What is seen of it is the skeleton: a sentence that comes and goes would move the page.
    this.#parts?.status.classList.add("unseen");
    try {
      const [status, answer] = await Promise.all([
        this.#api.status(),
        this.#api.onboarding().catch((error) => this.#hindered(error)),
      ]);
      this.#say("");
      this.#set({ phase: "ready", numbers: status.numbers });
      this.#take(answer, false);
      if (returned.error !== null && returned.error !== this.#explained()) this.#fail(new RouteError(returned.error));
      else if (returned.hasChoice && this.#state.onboarding === null) this.#fail(new RouteError("onboarding_missing"));
      else if (returned.isConnected && status.numbers.length > 0) this.#welcome();
    } catch (error) {
      if (signal.aborted) return;
      this.#say("");
      this.#set({ phase: "failed" });
      this.#fail(error);
    }
  }

  /**
   * Whoever may not connect still sees what is connected.
   * @param {unknown} error
   * @returns {OnboardingAnswer}
   */
  #hindered(error) {
    if (!(error instanceof RouteError) || error.code === "not_authenticated") throw error;
    this.#set({ hindrance: error.code });
    return { onboarding: null, login: null };
  }

  /**
   * @param {OnboardingAnswer} answer
   * @param {boolean} wasAsked by the person, just now
   */
  #take({ onboarding, login }, wasAsked) {
    if (login !== null) {
      this.#login = login;
      if (login.app_id === null) this.#set({ hindrance: "login_not_configured" });
      this.#prepareWindow(login);
    }
    const isNew = onboarding?.id !== this.#state.onboarding?.id || onboarding?.state !== this.#state.onboarding?.state;
    if (isNew && onboarding !== null) this.#set({ picked: new Set(firstPick(onboarding)), wrongPins: new Set() });
    // One that was finished before this page was opened is no news.
    this.#set({ onboarding: onboarding?.state === "done" ? null : onboarding, isChoosingAgain: false });
    if (onboarding === null) return;
    const code = onboarding.error?.code.toLowerCase();
    if (onboarding.error !== null && onboarding.state !== "done" && code !== this.#explained())
      this.#fail(new RouteError(code ?? "", onboarding.error.message), wasAsked);
    if (wasAsked && isNew && this.#isHere()) this.#focus("panel");
    if (onboarding.state === "running" && !this.#isFollowing) void this.#follow();
    if (onboarding.state === "done" && wasAsked) void this.#finish();
  }

  /** Until it stops running, here or wherever it was begun. */
  async #follow() {
    const { signal } = this.#life;
    this.#isFollowing = true;
    for (let looks = 1; this.#state.onboarding?.state === "running" && !this.#state.isBusy; looks++) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_MS * (1 + looks / 10), 5_000)));
      if (looks === SLOW_AFTER && !signal.aborted) {
        this.#say(this.#texts.slow);
        this.#set({ isSlow: true });
      }
      const answer = await this.#api.onboarding().catch(() => null);
      // Another life has begun meanwhile, and follows by itself.
      if (signal.aborted) return;
      if (answer === null || this.#state.isBusy) continue;
      if (answer.onboarding?.state === "running") this.#set({ onboarding: answer.onboarding });
      else {
        this.#say("");
        this.#take(answer, true);
      }
    }
    this.#isFollowing = false;
  }

  async #finish() {
    const { signal } = this.#life;
    try {
      const { numbers } = await this.#api.status();
      this.#set({ numbers });
      this.#welcome();
      if (this.#isHere()) this.#parts?.status.focus();
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #welcome() {
    this.#say(this.#texts.connected);
    this.#tell("whatsapp-connected", { numbers: this.#state.numbers });
  }

  #begin() {
    if (this.#state.isBusy || this.#login === null) return;
    this.#warn("");
    if (this.#sdkLoading === null) this.#logInByRedirect(this.#texts.leaving);
    else void this.#logInByWindow(this.#login, this.#sdkLoading);
  }

  /** @param {string} why */
  #logInByRedirect(why) {
    const base = this.getAttribute("base") ?? "/api/whatsapp";
    const query = new URLSearchParams({
      domain: location.hostname,
      returnTo: this.getAttribute("return-to") ?? location.pathname,
    });
    this.#say(why);
    this.#set({ isBusy: true });
    const { signal } = this.#life;
    // Whoever has stopped the browser on its way is still here.
    setTimeout(() => !signal.aborted && this.#set({ isBusy: false }), LEAVING_MS);
    location.assign(`${base}/oauth/authorize?${query}`);
  }

  /**
   * Before it is asked for: a window that opens too long after the click is blocked.
   * @param {import("./api.js").Login} login
   */
  #prepareWindow(login) {
    const canPopUp = this.getAttribute("flow") === "popup" && login.config_id !== null && login.app_id !== null;
    this.#sdk = null;
    this.#sdkLoading = canPopUp ? loadSdk(login, this.nonce ?? "").catch(() => null) : null;
    void this.#sdkLoading?.then((sdk) => {
      this.#sdk = sdk;
    });
  }

  /**
   * @param {import("./api.js").Login} login
   * @param {Promise<import("./embedded-signup.js").FacebookSdk | null>} loading
   */
  async #logInByWindow(login, loading) {
    const { signal } = this.#life;
    const sdk = this.#sdk ?? (await loading);
    if (signal.aborted) return;
    if (sdk === null) {
      this.#logInByRedirect(this.#texts.sdkMissing);
      return;
    }
    this.#say(this.#texts.inPopup);
    const attempt = ++this.#attempts;
    const result = await openSignup(sdk, login, signal);
    // Of two windows the one that brings a code counts, and otherwise the one that was asked for last.
    if (signal.aborted || (attempt !== this.#attempts && !("finished" in result))) return;
    this.#say("");
    if ("blocked" in result) this.#logInByRedirect(this.#texts.popupBlocked);
    else if ("failure" in result) this.#fail(new RouteError(result.failure));
    // At once: the code lives for 30 seconds.
    else await this.#advance(() => this.#api.finishSignup(result.finished));
  }

  /**
   * A refusal may leave a question behind, such as one for a PIN: so what is asked now is read again.
   * @param {() => Promise<OnboardingAnswer>} send
   */
  async #advance(send) {
    await this.#work(async () => {
      /** @type {unknown} */
      let refusal = null;
      const answer = await send().catch((error) => {
        refusal = error;
        return this.#api.onboarding().catch(() => {
          throw error;
        });
      });
      this.#set({ isBusy: false, isSlow: false });
      this.#take(answer, true);
      const told = answer.onboarding?.error?.code.toLowerCase();
      if (refusal !== null && !(refusal instanceof RouteError && refusal.code === told)) this.#fail(refusal);
    });
  }

  /** @param {import("./api.js").GoOn} body */
  async #goOn(body) {
    if (this.#state.isBusy) return;
    const { signal } = this.#life;
    const id = this.#state.onboarding?.id;
    await this.#advance(() => this.#api.goOn(id === undefined ? body : { onboarding_id: id, ...body }));
    if (signal.aborted || body.pins === undefined || this.#state.onboarding?.state !== "pin") return;
    this.#set({ pins: {} });
    if (this.#parts?.alert.textContent === "") this.#warn(this.#texts.pinRefused);
    if (this.#isHere()) this.#focus(`pin:${numbersWithoutPin(this.#state.onboarding)[0]?.phone_number_id}`);
  }

  /** The code that the panel shown now says enough about. */
  #explained() {
    return lookUp(EXPLAINED, this.#state.onboarding?.state ?? "")?.toLowerCase();
  }

  /** @param {() => Promise<void>} action */
  async #work(action) {
    if (this.#state.isBusy) return;
    const { signal } = this.#life;
    this.#warn("");
    this.#say(this.#texts.working);
    this.#set({ isBusy: true });
    // A request goes through many steps before it answers: what is done meanwhile is shown.
    const watching = setInterval(() => void this.#peek(signal), POLL_MS);
    try {
      await action();
      if (this.#parts?.status.textContent === this.#texts.working) this.#say("");
    } catch (error) {
      if (signal.aborted) return;
      this.#say("");
      this.#fail(error);
    } finally {
      clearInterval(watching);
      if (!signal.aborted) this.#set({ isBusy: false });
    }
  }

  /** @param {AbortSignal} signal */
  async #peek(signal) {
    const answer = await this.#api.onboarding().catch(() => null);
    if (!signal.aborted && this.#state.isBusy && answer?.onboarding?.state === "running")
      this.#set({ onboarding: answer.onboarding });
  }

  /** @type {import("./views.js").Actions} */
  #on = {
    reload: () => void this.#load(),
    begin: () => this.#begin(),
    tryAgain: () => {
      if (NEEDS_LOGIN.has(this.#state.onboarding?.error?.code.toLowerCase() ?? "")) this.#begin();
      else void this.#goOn({});
    },
    askDisconnect: (id) => {
      const before = this.#state.leaving;
      this.#set({ leaving: id });
      this.#focus(id === null ? `disconnect:${before}` : `keep:${id}`);
    },
    disconnect: (id) =>
      void this.#work(async () => {
        const number = this.#state.numbers.find(({ phone_number_id }) => phone_number_id === id)?.phone_number ?? "";
        const { numbers } = await this.#api.disconnect(id);
        this.#set({ numbers, leaving: null });
        this.#say(fill(this.#texts.disconnected, { number }));
        if (this.#isHere()) this.#parts?.status.focus();
        this.#tell("whatsapp-disconnected", { phone_number_id: id });
      }),
    pick: (id, isPicked) => {
      const picked = new Set(this.#state.picked);
      if (isPicked) picked.add(id);
      else picked.delete(id);
      this.#state = { ...this.#state, picked };
    },
    connectPicked: () => {
      if (this.#state.picked.size > 0) void this.#goOn({ phone_number_ids: [...this.#state.picked] });
      else this.#warn(this.#texts.chooseOne);
    },
    enterPin: (id, pin) => {
      this.#state = { ...this.#state, pins: { ...this.#state.pins, [id]: pin } };
    },
    sendPins: () => {
      if (this.#state.onboarding === null) return;
      const ids = numbersWithoutPin(this.#state.onboarding).map(({ phone_number_id }) => phone_number_id);
      const pins = Object.fromEntries(ids.map((id) => [id, (this.#state.pins[id] ?? "").trim()]));
      const wrong = ids.filter((id) => !/^\d{6}$/.test(pins[id] ?? ""));
      this.#set({ wrongPins: new Set(wrong) });
      if (wrong.length > 0) this.#focus(`pin:${wrong[0]}`);
      else void this.#goOn({ pins });
    },
    takeOver: () => void this.#goOn({ takeover: true }),
    chooseAgain: () => {
      this.#set({ isChoosingAgain: true });
      this.#focus("panel");
    },
  };

  /**
   * @param {unknown} error
   * @param {boolean} [isNews]
   */
  #fail(error, isNews = true) {
    const { code, message } = error instanceof RouteError ? error : new RouteError("internal");
    const sentence = sentenceFor(this.#texts, code, message);
    this.#warn(sentence);
    if (isNews) this.#tell("whatsapp-error", { code, message: sentence });
  }

  /** @param {string} text */
  #say(text) {
    if (this.#parts === null || this.#parts.status.textContent === text) return;
    this.#parts.status.textContent = text;
    this.#parts.status.classList.remove("unseen");
  }

  /** @param {string} text */
  #warn(text) {
    if (this.#parts !== null && this.#parts.alert.textContent !== text) this.#parts.alert.textContent = text;
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** @param {Partial<import("./views.js").State>} change */
  #set(change) {
    this.#state = { ...this.#state, ...change };
    this.#render();
  }

  #render() {
    if (this.#parts === null) return;
    const { title, body } = this.#parts;
    const held = /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement ?? null);
    const key = body.contains(held) ? held?.dataset.key : undefined;
    title.textContent = this.#texts.title;
    body.setAttribute("aria-busy", String(this.#state.phase === "loading" || this.#state.isBusy));
    const children = cardBody({ state: this.#state, texts: this.#texts, on: this.#on });
    body.replaceChildren(...children.flatMap((child) => (child ? [child] : [])));
    // Whoever came here by keyboard goes on from here.
    if (key !== undefined && !this.#focus(key)) title.focus();
  }

  /** Whether what comes late may take the focus: whoever has gone on to something else of the page is left there. */
  #isHere() {
    const { activeElement } = /** @type {Document | ShadowRoot} */ (this.getRootNode());
    return activeElement === this || document.activeElement === document.body;
  }

  /** @param {string} key */
  #focus(key) {
    const found = /** @type {HTMLElement | null | undefined} */ (
      this.#parts?.body.querySelector(`[data-key="${CSS.escape(key)}"]`)
    );
    found?.focus();
    return found !== null && found !== undefined;
  }
}

/** @type {import("./views.js").State} */
const START = {
  phase: "loading",
  numbers: [],
  onboarding: null,
  hindrance: null,
  isBusy: false,
  isSlow: false,
  isChoosingAgain: false,
  leaving: null,
  picked: new Set(),
  pins: {},
  wrongPins: new Set(),
};

/**
 * What was chosen before, else the only number there is, unless it would have to be moved here.
 * @param {Onboarding} onboarding
 * @returns {readonly string[]}
 */
function firstPick({ chosen, numbers }) {
  const [only, second] = numbers;
  return chosen.length === 0 && only !== undefined && second === undefined && only.held !== "elsewhere"
    ? [only.phone_number_id]
    : chosen;
}

if (globalThis.customElements?.get("whatsapp-connect") === undefined)
  globalThis.customElements?.define("whatsapp-connect", WhatsAppConnect);
