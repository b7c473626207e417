/** The plugin's routes as the element uses them: what they answer, and how they refuse. */

/**
 * @typedef {object} Status
 * @property {boolean} enabled
 * @property {readonly ConnectedNumber[]} numbers
 *
 * @typedef {object} ConnectedNumber
 * @property {string} phone_number_id
 * @property {string} phone_number
 * @property {string | null} verified_name
 * @property {string | null} quality_rating
 * @property {"connected" | "reauth_required" | "disconnected"} state
 * @property {string | null} reason
 *
 * @typedef {{ readonly code: string, readonly message: string }} StepError
 *
 * @typedef {object} Step
 * @property {string} step
 * @property {"done" | "failed" | "skipped" | "waiting"} state
 * @property {string | null} phone_number_id
 * @property {StepError | null} error
 *
 * @typedef {object} OfferedNumber
 * @property {string} phone_number_id
 * @property {string} waba_id
 * @property {string | null} waba_name
 * @property {string} phone_number
 * @property {string | null} verified_name
 * @property {string | null} quality_rating
 * @property {boolean} on_business_app
 * @property {"here" | "elsewhere" | null} held
 *
 * @typedef {object} Onboarding
 * @property {string} id
 * @property {"running" | "choice" | "pin" | "takeover" | "failed" | "done"} state
 * @property {readonly Step[]} steps
 * @property {readonly OfferedNumber[]} numbers
 * @property {readonly string[]} chosen
 * @property {StepError | null} error
 *
 * @typedef {object} Login
 * @property {string | null} app_id
 * @property {string | null} config_id
 * @property {string} graph_version
 * @property {string} sdk_url
 * @property {string} dialog_origin
 *
 * @typedef {{ readonly path: string, readonly problem: string, readonly fix: string }} Problem each thing that is wrong with what was sent
 *
 * @typedef {{ readonly onboarding: Onboarding | null, readonly login: Login | null }} OnboardingAnswer
 * @typedef {{ onboarding_id?: string, phone_number_ids?: readonly string[], pins?: Readonly<Record<string, string>>, takeover?: true }} GoOn
 * @typedef {{ code: string, waba_id?: string, phone_number_id?: string }} SignupCode
 */

/** A request that was refused or did not arrive; `code` is in lower case. */
export class RouteError extends Error {
  /**
   * @param {string} code
   * @param {string} [message]
   * @param {readonly Problem[]} [problems]
   */
  constructor(code, message = "", problems = []) {
    super(message);
    this.code = code;
    this.problems = problems;
  }
}

/**
 * @param {string} base
 * @param {AbortSignal} signal
 */
export function createApi(base, signal) {
  /**
   * @param {string} path
   * @param {object} [body]
   */
  async function ask(path, body) {
    const answer = await fetch(base + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    }).catch((cause) => {
      throw signal.aborted ? cause : new RouteError("unreachable");
    });
    const json = await answer.json().catch(() => null);
    signal.throwIfAborted();
    if (answer.ok && json !== null) return json;
    const { code, message } = json?.error ?? {};
    // A host that does not know the person may answer with its own page, or lead to one.
    const isStranger = answer.status === 401 || answer.status === 403 || (answer.ok && answer.redirected);
    throw new RouteError(
      String(code ?? (isStranger ? "not_authenticated" : "internal")).toLowerCase(),
      String(message ?? ""),
    );
  }

  return {
    /** @returns {Promise<Status>} */
    status: () => ask("/status"),
    /** @returns {Promise<OnboardingAnswer>} */
    onboarding: () => ask("/oauth/onboarding"),
    /** @type {(body: GoOn) => Promise<OnboardingAnswer>} */
    goOn: (body) => ask("/oauth/onboarding", body),
    /** @type {(body: SignupCode) => Promise<OnboardingAnswer>} */
    finishSignup: (body) => ask("/oauth/embedded-signup", body),
    /** @type {(phoneNumberId: string) => Promise<Status>} */
    disconnect: (phoneNumberId) => ask("/disconnect", { phone_number_id: phoneNumberId }),
  };
}
