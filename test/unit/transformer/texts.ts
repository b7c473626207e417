/** What a response becomes, where it becomes nothing but texts. */
import type { AiResponse, TextMessage } from "@omniops/whatsapp";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";

export function textsOf(response: AiResponse | string): readonly TextMessage[] {
  return transformResponse(response).messages.map((message) => {
    if (message.kind !== "text") throw new Error(`expected text, not ${message.kind}`);
    return message;
  });
}
