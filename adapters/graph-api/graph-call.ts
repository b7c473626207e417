/** One call to Graph: the token in a header, proof that we know the app secret, and the JSON that came back. */
import { createHmac } from "node:crypto";
import { ChannelError } from "../../plugin/errors.ts";
import type { HttpOutcome, HttpRequest, HttpTransport, StreamedBody } from "./http-transport.ts";
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
  /** Bytes in place of JSON. */
  readonly file?: StreamedBody & { readonly contentType: string };
  readonly headers?: Readonly<Record<string, string>>;
}) => Promise<HttpOutcome>;

/** A call with a body is a POST, one without a GET, unless it says otherwise. */
export function createGraphCall({ graphUrl, graphVersion, appSecret, transport, usageGate }: GraphOptions): GraphCall {
  const base = new URL(`/${graphVersion}/`, graphUrl);
  return async ({ path, accessToken, query = {}, body, file, headers = {}, method }) => {
    const json = body === undefined ? null : JSON.stringify(body);
    const contentType = file?.contentType ?? (json === null ? null : "application/json");
    // Messages have a pace of their own: what is looked up or changed beside them must not hold them up.
    if (!isMessage(path)) usageGate?.pass(path);
    // Not as it stands: the id of an upload begins like a scheme.
    const url = new URL(`./${path}`, base);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    url.searchParams.set("appsecret_proof", createHmac("sha256", appSecret).update(accessToken).digest("hex"));
    const outcome = await transport.send({
      method: method ?? (contentType === null ? "GET" : "POST"),
      url,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: "application/json",
        ...(contentType === null ? {} : { "content-type": contentType }),
        ...headers,
      },
      body: file ?? json,
    });
    if (outcome.kind === "answer" && outcome.usage !== undefined) usageGate?.note(outcome.usage);
    return outcome;
  };
}

const isMessage = (path: string) => path.endsWith("messages") || path.endsWith("/media");

/** An id goes into a path: anything but digits would choose another one. */
export function digits(id: string): string {
  if (!/^\d{5,20}$/.test(id))
    throw new ChannelError("REQUEST_INVALID", "A phone number id or WhatsApp Business Account id is 5 to 20 digits.");
  return id;
}
