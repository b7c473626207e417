/** Meta's Graph API as far as the channel uses it. */
import { createHmac } from "node:crypto";
import type { MetaError } from "../../plugin/contract.ts";
import { ChannelError, type Retry } from "../../plugin/errors.ts";
import type { GraphApi, PostOutcome } from "../../plugin/ports.ts";
import { toRejection } from "./graph-errors.ts";
import type { HttpOutcome, HttpTransport } from "./http-transport.ts";

export type GraphOptions = {
  /** Origin, e.g. `https://graph.facebook.com`. */
  readonly graphUrl: string;
  /** E.g. `v25.0`. */
  readonly graphVersion: string;
  /** Signs `appsecret_proof`, which Meta demands when "Require App Secret" is on. */
  readonly appSecret: string;
  readonly transport: HttpTransport;
};

/** Ours, because Meta's sentences may quote a number; and nobody sent anything. */
const NOT_SHOWN =
  "Meta does not show this number or account: check both ids, and that the token has both WhatsApp permissions.";
const LOOK_UP_REFUSED: Readonly<Record<Retry, string>> = {
  never: NOT_SHOWN,
  fix: NOT_SHOWN,
  template: NOT_SHOWN,
  backoff: "Meta is busy: try again.",
  after: "Meta throttles this account or app: try again later.",
  reauth: "Meta refuses the access token: use one that is valid and may use this number.",
};

type Json = Readonly<Record<string, unknown>>;

export function createGraphApi({ graphUrl, graphVersion, appSecret, transport }: GraphOptions): GraphApi {
  const base = new URL(`/${graphVersion}/`, graphUrl);

  async function call(
    accessToken: string,
    path: string,
    query: Readonly<Record<string, string>>,
    body: Json | null,
  ): Promise<HttpOutcome> {
    const url = new URL(path, base);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    url.searchParams.set("appsecret_proof", createHmac("sha256", appSecret).update(accessToken).digest("hex"));
    return transport.send({
      method: body === null ? "GET" : "POST",
      url,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: "application/json",
        ...(body === null ? {} : { "content-type": "application/json" }),
      },
      body: body === null ? null : JSON.stringify(body),
    });
  }

  async function get(accessToken: string, path: string, query: Readonly<Record<string, string>>): Promise<Json> {
    const outcome = await call(accessToken, path, query, null);
    if (outcome.kind !== "answer")
      throw new ChannelError("GRAPH_UNREACHABLE", `Graph could not be asked (${outcome.reason}): try again.`, {
        retry: "backoff",
      });
    const answer = readJson(outcome.text);
    const error = errorOf(answer);
    if (error !== null) {
      const { retry, retryAfterMs } = toRejection(error.meta, error.isTransient, null);
      throw new ChannelError("GRAPH_REJECTED", `${LOOK_UP_REFUSED[retry]} (Graph code ${error.meta.code})`, {
        retry,
        meta: error.meta,
        ...(retryAfterMs === null ? {} : { retryAfterMs }),
      });
    }
    if (answer === null || outcome.status !== 200)
      throw new ChannelError("GRAPH_UNREACHABLE", `Graph answered ${outcome.status} without JSON: try again.`, {
        retry: "backoff",
      });
    return answer;
  }

  return {
    async postMessage({ phoneNumberId, accessToken, endpoint, body }) {
      return toPostOutcome(await call(accessToken, `${digits(phoneNumberId)}/${endpoint}`, {}, body));
    },

    async markRead({ phoneNumberId, accessToken, messageId, typing }) {
      await call(
        accessToken,
        `${digits(phoneNumberId)}/messages`,
        {},
        {
          messaging_product: "whatsapp",
          status: "read",
          message_id: messageId,
          ...(typing ? { typing_indicator: { type: "text" } } : {}),
        },
      );
    },

    async phoneNumber({ phoneNumberId, accessToken }) {
      const found = await get(accessToken, digits(phoneNumberId), {
        fields: "id,display_phone_number,verified_name,quality_rating",
      });
      return {
        displayPhoneNumber: text(found.display_phone_number) ?? phoneNumberId,
        verifiedName: text(found.verified_name),
        qualityRating: text(found.quality_rating),
      };
    },

    async numbersOf({ wabaId, accessToken }) {
      const ids: string[] = [];
      let after: string | null = null;
      do {
        const page: Json = await get(accessToken, `${digits(wabaId)}/phone_numbers`, {
          fields: "id",
          limit: "100",
          ...(after === null ? {} : { after }),
        });
        for (const item of Array.isArray(page.data) ? page.data : []) {
          const id = text((item as Json | null)?.id);
          if (id !== null) ids.push(id);
        }
        const paging = page.paging as { next?: unknown; cursors?: { after?: unknown } } | undefined;
        const next: string | null = paging?.next === undefined ? null : text(paging.cursors?.after);
        after = next === after ? null : next;
      } while (after !== null);
      return ids;
    },

    close: () => transport.close(),
  };
}

/**
 * Accepted: 200 with a wamid. Rejected: a well-formed Graph error, or not a byte left. Anything else may have been
 * accepted: a 5xx, garbage, a broken socket.
 */
function toPostOutcome(outcome: HttpOutcome): PostOutcome {
  if (outcome.kind === "unsent") {
    const message = `Graph cannot be reached (${outcome.reason}).`;
    return {
      kind: "rejected",
      rejection: { meta: null, retry: "backoff", retryAfterMs: null, perRecipient: false, message },
    };
  }
  if (outcome.kind === "broken")
    return { kind: "ambiguous", reason: `The connection broke after the request had left (${outcome.reason}).` };
  const answer = readJson(outcome.text);
  const error = errorOf(answer);
  if (error !== null && outcome.status >= 400) {
    return {
      kind: "rejected",
      rejection: toRejection(error.meta, error.isTransient, readRetryAfter(outcome.retryAfter)),
    };
  }
  const messageId = text((answer?.messages as readonly Json[] | undefined)?.[0]?.id);
  if (outcome.status === 200 && messageId !== null) return { kind: "accepted", messageId };
  return { kind: "ambiguous", reason: `Graph answered ${outcome.status} without a usable body.` };
}

const LONGEST_WAIT_S = 86_400;

/** Whole seconds or nothing: Meta sends no dates here, and a fraction or a century would not fit the lane's clock. */
function readRetryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,20}$/.test(header) ? Math.min(Number(header), LONGEST_WAIT_S) * 1_000 : null;
}

function errorOf(answer: Json | null): { readonly meta: MetaError; readonly isTransient: boolean } | null {
  const error = answer?.error;
  if (typeof error !== "object" || error === null) return null;
  const {
    code,
    error_subcode: subcode,
    error_data: data,
    error_user_title: title,
    type,
    fbtrace_id: trace,
    is_transient: transient,
  } = error as Json;
  if (typeof code !== "number") return null;
  const details = typeof data === "object" && data !== null ? text((data as Json).details) : text(data);
  return {
    meta: {
      code,
      subcode: typeof subcode === "number" ? subcode : null,
      title: text(title) ?? text(type),
      details,
      fbtraceId: text(trace),
    },
    isTransient: transient === true,
  };
}

function readJson(body: string): Json | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** An id goes into a path: anything but digits would choose another one. */
function digits(id: string): string {
  if (!/^\d{5,20}$/.test(id))
    throw new ChannelError("REQUEST_INVALID", "A phone number id or WhatsApp Business Account id is 5 to 20 digits.");
  return id;
}
