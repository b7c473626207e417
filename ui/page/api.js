/** The plugin's routes as the page uses them. */
import { RouteError } from "../api.js";

/**
 * @typedef {import("../api.js").Status} Status
 * @typedef {Readonly<Record<string, string | number | null | undefined>>} Filter
 *
 * @typedef {object} Finding
 * @property {string} id
 * @property {string} title
 * @property {"ok" | "warning" | "problem" | "skipped"} state
 * @property {string} seen
 * @property {string | null} fix
 * @property {string | null} phone_number_id
 *
 * @typedef {{ readonly healthy: boolean, readonly checks: readonly Finding[] }} Diagnosis
 *
 * @typedef {object} DeadLetter
 * @property {string} id
 * @property {"in" | "turn" | "notify"} stage
 * @property {string} kind
 * @property {string | null} conversation_id
 * @property {string} at
 * @property {number | null} attempts
 * @property {string} error
 * @property {string} explanation
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {"in" | "out"} direction
 * @property {string | null} conversationId
 * @property {{ readonly name: string | null, readonly phoneNumber: string | null } | null} contact
 * @property {string} kind
 * @property {string | null} text
 * @property {string} at
 * @property {string} state
 * @property {Readonly<Record<string, string | null>>} times
 * @property {{ readonly code: string, readonly title: string | null, readonly words: string, readonly fix: string | null } | null} error
 * @property {readonly { readonly what: string, readonly from: string, readonly to: string }[]} degraded
 * @property {string | null} messageId the wamid, once there is one
 * @property {string | null} sendId
 * @property {number | null} partIndex
 * @property {readonly { readonly startedAt: string, readonly outcome: string, readonly metaCode: number | null }[]} attempts
 *
 * @typedef {object} Webhook
 * @property {string} id
 * @property {string} type
 * @property {string} receivedAt
 * @property {"processed" | "waiting" | "failed"} state
 * @property {string | null} error
 * @property {number} size in bytes
 * @property {number} events
 *
 * @typedef {{ readonly id: string, readonly kind: string, readonly state: string, readonly error: string | null, readonly occurredAt: string | null, readonly attempts: number | null }} WebhookEvent
 * @typedef {Omit<Webhook, "events"> & { readonly payload: unknown, readonly body: string | null, readonly shared?: boolean, readonly events: readonly WebhookEvent[] }} WebhookDetail
 *
 * @typedef {{ readonly redriven: number, readonly understood: number, readonly unknown: number, readonly applied: number, readonly waiting: number }} Replayed
 *
 * @typedef {Readonly<Record<string, unknown>>} Component
 * @typedef {object} Template
 * @property {string} id
 * @property {string} wabaId
 * @property {string | null} metaId
 * @property {string} name
 * @property {string} language
 * @property {string | null} category
 * @property {string} status
 * @property {string | null} rejectionReason
 * @property {string | null} qualityScore
 * @property {string | null} parameterFormat
 * @property {readonly Component[]} components
 * @property {string | null} syncedAt
 * @property {boolean} editable
 * @property {string} [why]
 *
 * @typedef {{ readonly wabaId: string, readonly name: string | null, readonly syncedAt: string | null }} Account
 * @typedef {{ readonly wabaId: string, readonly added: number, readonly changed: number, readonly removed: number, readonly unchanged: number }} Synced
 * @typedef {{ readonly cursor: string, readonly messages: boolean, readonly webhooks: boolean, readonly deadLetters: boolean, readonly templates: boolean, readonly numbers: boolean }} Changes
 */

/** @typedef {ReturnType<typeof createPageApi>} PageApi */

/** @param {string} base where the router is mounted */
export function createPageApi(base) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {{ query?: Filter, body?: object, signal?: AbortSignal | undefined }} [options]
   */
  async function ask(method, path, { query = {}, body, signal } = {}) {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value == null || value === "" ? [] : [[name, String(value)]],
    );
    const isForm = body instanceof FormData;
    const answer = await fetch(`${base}${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ""}`, {
      method,
      headers: {
        accept: "application/json",
        // With nothing to say too: another site's form cannot send this type.
        ...(method === "GET" || isForm ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause) => {
      throw signal?.aborted ? cause : new RouteError("unreachable");
    });
    if (answer.status === 204) return null;
    const json = await answer.json().catch(() => null);
    signal?.throwIfAborted();
    if (answer.ok && json !== null) return json;
    const { code, message, problems } = json?.error ?? {};
    throw new RouteError(
      String(code ?? guessed(answer)).toLowerCase(),
      String(message ?? ""),
      Array.isArray(problems) ? problems : [],
    );
  }

  /** @typedef {AbortSignal | undefined} Signal */
  return {
    base,
    /** @type {(signal?: Signal) => Promise<Status>} */
    status: (signal) => ask("GET", "/status", { signal }),
    /** @type {(signal?: Signal) => Promise<Diagnosis>} */
    doctor: (signal) => ask("GET", "/doctor", { signal }),
    /** @type {(since: string | null, signal?: Signal) => Promise<Changes>} */
    changes: (since, signal) => ask("GET", "/changes", { query: { since }, signal }),
    /** @type {(query: Filter, signal?: Signal) => Promise<{ messages: Message[], next: string | null }>} */
    messages: (query, signal) => ask("GET", "/messages", { query, signal }),
    /** @type {(id: string, signal?: Signal) => Promise<Message>} */
    message: async (id, signal) => ask("GET", `/messages/${segment(id)}`, { signal }),
    /** @type {(query: Filter, signal?: Signal) => Promise<{ webhooks: Webhook[], next: string | null }>} */
    webhooks: (query, signal) => ask("GET", "/webhooks", { query, signal }),
    /** @type {(id: string, signal?: Signal) => Promise<WebhookDetail>} */
    webhook: async (id, signal) => ask("GET", `/webhooks/${segment(id)}`, { signal }),
    /** @type {(id: string) => Promise<{ events: Replayed }>} */
    replay: async (id) => ask("POST", `/webhooks/${segment(id)}/replay`, { body: {} }),
    /** @type {(query: Filter, signal?: Signal) => Promise<{ dead_letters: DeadLetter[], next: string | null }>} */
    deadLetters: (query, signal) => ask("GET", "/dead-letters", { query, signal }),
    /** @type {(body: object) => Promise<{ redriven: number, left: number }>} */
    redrive: (body) => ask("POST", "/dead-letters/redrive", { body }),
    /** @type {(query: Filter, signal?: Signal) => Promise<{ templates: Template[], accounts: Account[], next: string | null }>} */
    templates: (query, signal) => ask("GET", "/templates", { query, signal }),
    /** @type {(id: string, signal?: Signal) => Promise<Template>} */
    template: async (id, signal) => ask("GET", `/templates/${segment(id)}`, { signal }),
    /** @type {(body: object) => Promise<Template>} */
    createTemplate: (body) => ask("POST", "/templates", { body }),
    /** @type {(id: string, body: object) => Promise<Template>} */
    editTemplate: async (id, body) => ask("PATCH", `/templates/${segment(id)}`, { body }),
    /** @type {(id: string) => Promise<null>} */
    deleteTemplate: async (id) => ask("DELETE", `/templates/${segment(id)}`),
    /** @type {(body: object) => Promise<{ accounts: Synced[] }>} */
    syncTemplates: (body) => ask("POST", "/templates/sync", { body }),
    /** @type {(file: File) => Promise<{ id: string }>} */
    upload: (file) => {
      const form = new FormData();
      form.append("file", file);
      return ask("POST", "/media/upload", { body: form });
    },
  };
}

/**
 * An id from the address may be anything; these two would lead to another route.
 * @param {string} id
 */
function segment(id) {
  if (id === "." || id === "..") throw new RouteError("not_found");
  return encodeURIComponent(id);
}

/**
 * A host that does not know the person may answer with its own page, or lead to one.
 * @param {Response} answer
 */
function guessed({ ok, status, redirected }) {
  if (status === 401 || status === 403 || (ok && redirected)) return "not_authenticated";
  return status === 404 ? "not_found" : "internal";
}

const GONE = "It was deleted, with age or by somebody, or belongs to another account.";

/** @param {unknown} error */
export function isGone(error) {
  return error instanceof RouteError && SENTENCES.get(error.code) === GONE;
}

const SENTENCES = new Map([
  ["not_authenticated", "You are not signed in any more. Sign in, then load this page again."],
  ["unreachable", "This platform did not answer. Check your internet connection and try again."],
  ["internal", "Something went wrong on this platform. Try again; if that does not help, tell its operator."],
  ["not_found", GONE],
  ["message_unknown", GONE],
  ["webhook_unknown", GONE],
  ["template_unknown", GONE],
]);

/**
 * What a person is told of a failure: our sentence, or the server's, which is made for people.
 * @param {unknown} error
 */
export function sentenceOf(error) {
  const { code, message } = error instanceof RouteError ? error : new RouteError("internal");
  return SENTENCES.get(code) ?? (message || /** @type {string} */ (SENTENCES.get("internal")));
}
