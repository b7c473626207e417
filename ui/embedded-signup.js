/** Meta's login in a window of its own: its SDK, the window, and what that tells us by message. */

/** @typedef {import("./api.js").Login} Login */
/** @typedef {{ code: string, waba_id?: string, phone_number_id?: string }} Finished */
/** @typedef {{ finished: Finished } | { failure: string } | { blocked: true }} SignupResult */
/**
 * @typedef {object} FacebookSdk
 * @property {(options: object) => void} init
 * @property {(callback: (answer: { authResponse?: { code?: string } | null }) => void, options: object) => void} login
 * @property {unknown} [__buffer]
 */

const SDK_DEADLINE_MS = 8_000;

/** @type {Map<string, Promise<FacebookSdk>>} */
const loading = new Map();

/**
 * Loads the SDK once per page, however many elements ask.
 * @param {Login} login
 * @param {string} nonce the page's, for a CSP that wants one
 * @returns {Promise<FacebookSdk>}
 */
export function loadSdk(login, nonce) {
  const known = loading.get(login.sdk_url);
  if (known !== undefined) return known;
  const loaded = fetchSdk(login, nonce).then((sdk) => {
    sdk.init({ appId: login.app_id, version: login.graph_version, xfbml: false, cookie: false });
    return sdk;
  });
  loading.set(login.sdk_url, loaded);
  loaded.catch(() => loading.delete(login.sdk_url));
  return loaded;
}

/**
 * @param {Login} login
 * @param {string} nonce
 * @returns {Promise<FacebookSdk>}
 */
function fetchSdk({ sdk_url }, nonce) {
  return new Promise((resolve, reject) => {
    const page = /** @type {{ FB?: FacebookSdk, fbAsyncInit?: () => void }} */ (window);
    // Its first script puts a stand-in there, until the second has come.
    const isReady = () => page.FB !== undefined && page.FB.__buffer === undefined;
    const take = () => {
      if (isReady()) resolve(/** @type {FacebookSdk} */ (page.FB));
    };
    if (isReady()) return take();
    const before = page.fbAsyncInit;
    page.fbAsyncInit = () => {
      before?.();
      take();
    };
    const script = Object.assign(document.createElement("script"), { async: true, crossOrigin: "anonymous", nonce });
    script.addEventListener("load", take);
    script.addEventListener("error", () => reject(new Error("blocked or unreachable")));
    setTimeout(() => reject(new Error("too slow")), SDK_DEADLINE_MS);
    script.src = sdk_url;
    document.head.append(script);
  });
}

/**
 * To be called while the click is handled: a window that opens later is blocked.
 * @param {FacebookSdk} sdk
 * @param {Login} login
 * @param {AbortSignal} signal
 * @returns {Promise<SignupResult>}
 */
export function openSignup(sdk, login, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    /** @param {SignupResult} result */
    const end = (result) => {
      over.abort();
      resolve(result);
    };
    /** @type {{ waba_id?: string, phone_number_id?: string }} */
    let ids = {};
    window.addEventListener(
      "message",
      ({ origin, data }) => {
        const told = isMeta(origin, login.dialog_origin) ? readMessage(data) : null;
        if (told === null) return;
        if (told.event.startsWith("FINISH")) ids = told.ids;
        else if (told.event === "CANCEL" || told.event === "ERROR")
          end({ failure: told.event === "ERROR" || told.hasError ? "dialog_failed" : "access_denied" });
      },
      { signal: AbortSignal.any([over.signal, signal]) },
    );
    const windowOpened = watchOpening(() =>
      sdk.login(
        ({ authResponse }) => {
          const code = authResponse?.code;
          end(typeof code === "string" ? { finished: { code, ...ids } } : { failure: "access_denied" });
        },
        {
          config_id: login.config_id,
          response_type: "code",
          override_default_response_type: true,
          extras: { setup: {} },
        },
      ),
    );
    if (!windowOpened) end({ blocked: true });
  });
}

/**
 * The SDK does not say when the browser refused to open its window, so we look.
 * @param {() => void} login
 */
function watchOpening(login) {
  const { open } = window;
  let isOpen = true;
  window.open = (...given) => {
    const opened = open.apply(window, given);
    isOpen = opened !== null;
    return opened;
  };
  try {
    login();
  } catch {
    // Such as on a page without https.
    isOpen = false;
  } finally {
    window.open = open;
  }
  return isOpen;
}

/**
 * @param {string} origin
 * @param {string} dialogOrigin
 */
export function isMeta(origin, dialogOrigin) {
  if (origin === dialogOrigin) return true;
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  // Label by label: evilfacebook.com ends with facebook.com too.
  return origin === `https://${hostname}` && `.${hostname}`.endsWith(".facebook.com");
}

/**
 * @param {unknown} data
 * @returns {{ event: string, hasError: boolean, ids: { waba_id?: string, phone_number_id?: string } } | null}
 */
function readMessage(data) {
  try {
    const { type, event, data: said } = JSON.parse(String(data));
    if (type !== "WA_EMBEDDED_SIGNUP" || typeof event !== "string") return null;
    const ids = ["waba_id", "phone_number_id"].filter((name) => /^\d{5,20}$/.test(said?.[name]));
    return {
      event,
      hasError: said?.error_message !== undefined,
      ids: Object.fromEntries(ids.map((name) => [name, String(said[name])])),
    };
  } catch {
    // The SDK's own messages are not JSON.
    return null;
  }
}
