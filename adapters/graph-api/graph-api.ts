/** Meta's Graph API as far as the channel uses it. */
import { ChannelError } from "../../plugin/errors.ts";
import type { GraphApi } from "../../plugin/ports.ts";
import { createGraphCall, digits, type GraphOptions } from "./graph-call.ts";
import { listAll } from "./list-all.ts";
import { readListedTemplate, TEMPLATE_FIELDS } from "./listed-template.ts";
import { multipartOf } from "./multipart.ts";
import { toPostOutcome } from "./post-outcome.ts";
import { type Json, readText, readThroughput } from "./read-answer.ts";
import { LOOK_UP_REFUSED, RECEIPT_REFUSED, requireAnswer, UPLOAD_REFUSED } from "./require-answer.ts";
import { createTemplateManagement } from "./template-management.ts";
import { createUploadSample } from "./upload-sample.ts";

export function createGraphApi(options: GraphOptions): GraphApi {
  const call = createGraphCall(options);

  async function get(accessToken: string, path: string, query: Readonly<Record<string, string>>): Promise<Json> {
    return requireAnswer(await call({ path, accessToken, query }), LOOK_UP_REFUSED);
  }

  return {
    async postMessage({ phoneNumberId, accessToken, endpoint, body }) {
      return toPostOutcome(await call({ path: `${digits(phoneNumberId)}/${endpoint}`, accessToken, body }));
    },

    async markRead({ phoneNumberId, accessToken, messageId, typing }) {
      const body = {
        messaging_product: "whatsapp",
        status: "read",
        message_id: messageId,
        ...(typing ? { typing_indicator: { type: "text" } } : {}),
      };
      requireAnswer(await call({ path: `${digits(phoneNumberId)}/messages`, accessToken, body }), RECEIPT_REFUSED);
    },

    async uploadMedia({ phoneNumberId, accessToken, mime, size, bytes }) {
      const file = multipartOf({ messaging_product: "whatsapp", type: mime }, { mime, size, bytes });
      const outcome = await call({ path: `${digits(phoneNumberId)}/media`, accessToken, file });
      const id = readText(requireAnswer(outcome, UPLOAD_REFUSED).id);
      if (id === null)
        throw new ChannelError("GRAPH_UNREACHABLE", "Graph answered an upload without an id: try again.", {
          retry: "backoff",
        });
      return id;
    },

    uploadSample: createUploadSample(call),

    async phoneNumber({ phoneNumberId, accessToken }) {
      const found = await get(accessToken, digits(phoneNumberId), {
        fields: "id,display_phone_number,verified_name,quality_rating,is_on_biz_app,throughput",
      });
      return {
        displayPhoneNumber: readText(found.display_phone_number) ?? phoneNumberId,
        verifiedName: readText(found.verified_name),
        qualityRating: readText(found.quality_rating),
        throughputLevel: readThroughput(found.throughput),
        isOnBusinessApp: typeof found.is_on_biz_app === "boolean" ? found.is_on_biz_app : null,
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

    ...createTemplateManagement(call),

    close: () => options.transport.close(),
  };
}
