/** One call to Graph: the token in a header, proof that we know the app secret, and the JSON that came back. */
import { createHmac } from "node:crypto";
import { ChannelError } from "../../plugin/errors.ts";
import type { HttpOutcome, HttpRequest, HttpTransport } from "./http-transport.ts";
import type { Json } from "./read-answer.ts";
import type { UsageGate } from "./usage.ts";

export type GraphOptions = {
  /** Origin, e.g. `https://graph.facebook.com`. */
  readonly graphUrl: string;
  /** E.g. `v25.0`. */
  readonly graphVersion: string;
  /** Signs `appsecret_proof`, which Meta demands when "Require App Secret" is on. */
  readonly appSecret: string;
  readonly transport: HttpTransport;
  /** Default: none; then budgets that are spent show as refusals. */
  readonly usageGate?: UsageGate;
};

export type GraphCall = (request: {
  readonly method?: HttpRequest["method"];
  /** After the version: `301777000333444/messages`. */
  readonly path: string;
  readonly accessToken: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
}) => Promise<HttpOutcome>;

/** A call with a body is a POST, one without a GET, unless it says otherwise. */
export function createGraphCall({ graphUrl, graphVersion, appSecret, transport, usageGate }: GraphOptions): GraphCall {
  const base = new URL(`/${graphVersion}/`, graphUrl);
  return async ({ path, accessToken, query = {}, body, method = body === undefined ? "GET" : "POST" }) => {
    // Messages have a pace of their own: what is looked up or changed beside them must not hold them up.
    if (!isMessage(path)) usageGate?.pass(path);
    const url = new URL(path, base);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    url.searchParams.set("appsecret_proof", createHmac("sha256", appSecret).update(accessToken).digest("hex"));
    const outcome = await transport.send({
      method,
      url,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (outcome.kind === "answer" && outcome.usage !== undefined) usageGate?.note(outcome.usage);
    return outcome;
  };
}

const isMessage = (path: string) => path.endsWith("messages");

/** An id goes into a path: anything but digits would choose another one. */
export function digits(id: string): string {
  if (!/^\d{5,20}$/.test(id))
    throw new ChannelError("REQUEST_INVALID", "A phone number id or WhatsApp Business Account id is 5 to 20 digits.");
  return id;
}
