/** A Graph API client with invented ids, and the message that the tests post. */
import { createHmac } from "node:crypto";
import { createGraphApi } from "../../../adapters/graph-api/graph-api.ts";
import { createHttpTransport, type HttpTimeouts } from "../../../adapters/graph-api/http-transport.ts";
import type { GraphApi, PostOutcome } from "../../../plugin/ports.ts";

export const ORIGIN = "https://graph.facebook.com";
export const APP_SECRET = "an-invented-app-secret";
export const TOKEN = "EAAinventedAccessToken";
export const PROOF = createHmac("sha256", APP_SECRET).update(TOKEN).digest("hex");
export const NUMBER_ID = "301777000333444";
export const WABA_ID = "201555000111222";
export const MESSAGES = `/v25.0/${NUMBER_ID}/messages`;
export const BODY = { messaging_product: "whatsapp", to: "+447700900123", type: "text", text: { body: "hello" } };
export const ACCEPTED = { messaging_product: "whatsapp", messages: [{ id: "wamid.OUT9" }] };

export function graphAt(graphUrl = ORIGIN, timeouts?: HttpTimeouts): GraphApi {
  return createGraphApi({
    graphUrl,
    graphVersion: "v25.0",
    appSecret: APP_SECRET,
    transport: createHttpTransport(timeouts),
  });
}

/** One message, as the dispatcher posts it. */
export function post(graph: GraphApi): Promise<PostOutcome> {
  return graph.postMessage({ phoneNumberId: NUMBER_ID, accessToken: TOKEN, endpoint: "messages", body: BODY });
}
