/** Meta's Graph API as far as the channel uses it. */
import { createHmac } from "node:crypto";
import { ChannelError } from "../../plugin/errors.ts";
import type { GraphApi } from "../../plugin/ports.ts";
import type { HttpOutcome, HttpTransport } from "./http-transport.ts";
import { listAll } from "./list-all.ts";
import { readListedTemplate, TEMPLATE_FIELDS } from "./listed-template.ts";
import { toPostOutcome } from "./post-outcome.ts";
import { type Json, readText } from "./read-answer.ts";
import { LOOK_UP_REFUSED, RECEIPT_REFUSED, requireAnswer } from "./require-answer.ts";

export type GraphOptions = {
  /** Origin, e.g. `https://graph.facebook.com`. */
  readonly graphUrl: string;
  /** E.g. `v25.0`. */
  readonly graphVersion: string;
  /** Signs `appsecret_proof`, which Meta demands when "Require App Secret" is on. */
  readonly appSecret: string;
  readonly transport: HttpTransport;
};

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
    return requireAnswer(await call(accessToken, path, query, null), LOOK_UP_REFUSED);
  }

  return {
    async postMessage({ phoneNumberId, accessToken, endpoint, body }) {
      return toPostOutcome(await call(accessToken, `${digits(phoneNumberId)}/${endpoint}`, {}, body));
    },

    async markRead({ phoneNumberId, accessToken, messageId, typing }) {
      const body = {
        messaging_product: "whatsapp",
        status: "read",
        message_id: messageId,
        ...(typing ? { typing_indicator: { type: "text" } } : {}),
      };
      requireAnswer(await call(accessToken, `${digits(phoneNumberId)}/messages`, {}, body), RECEIPT_REFUSED);
    },

    async phoneNumber({ phoneNumberId, accessToken }) {
      const found = await get(accessToken, digits(phoneNumberId), {
        fields: "id,display_phone_number,verified_name,quality_rating",
      });
      return {
        displayPhoneNumber: readText(found.display_phone_number) ?? phoneNumberId,
        verifiedName: readText(found.verified_name),
        qualityRating: readText(found.quality_rating),
      };
    },

    async numbersOf({ wabaId, accessToken }) {
      const path = `${digits(wabaId)}/phone_numbers`;
      const numbers = await listAll((cursor) => get(accessToken, path, { fields: "id", limit: "100", ...cursor }));
      return numbers.map(({ id }) => readText(id)).filter((id) => id !== null);
    },

    async templatesOf({ wabaId, accessToken }) {
      const path = `${digits(wabaId)}/message_templates`;
      // Carousels list ten cards with a long address of a picture each: a hundred of them would be no answer any more.
      const query = { fields: TEMPLATE_FIELDS, limit: "50" };
      const templates = await listAll((cursor) => get(accessToken, path, { ...query, ...cursor }));
      return templates.map(readListedTemplate).filter((template) => template !== null);
    },

    close: () => transport.close(),
  };
}

/** An id goes into a path: anything but digits would choose another one. */
function digits(id: string): string {
  if (!/^\d{5,20}$/.test(id))
    throw new ChannelError("REQUEST_INVALID", "A phone number id or WhatsApp Business Account id is 5 to 20 digits.");
  return id;
}
