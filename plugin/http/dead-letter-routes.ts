/** `GET /dead-letters`, `POST /dead-letters/redrive`: this tenant's, for somebody who may operate. */
import { z } from "zod";
import type { DeadLetterService } from "../dead-letters.ts";
import { sendJson } from "./error-response.ts";
import { readBody } from "./json-body.ts";
import { readQuery, TIME } from "./query.ts";
import type { TenantRoute } from "./session.ts";

const FILTER = {
  stage: z.enum(["in", "turn", "notify"]).optional(),
  conversation_id: z.guid().optional(),
  error: z.string().max(200).optional(),
  from: TIME.optional(),
  until: TIME.optional(),
};
export const DEAD_LETTER_SCHEMAS = {
  list: z.strictObject({ ...FILTER, limit: z.coerce.number().optional(), after: z.string().max(200).optional() }),
  redrive: z.strictObject({
    ...FILTER,
    ids: z.array(z.string().max(100)).max(1_000).optional(),
    limit: z.number().optional(),
  }),
};

export function createDeadLetterRoutes(deadLetters: DeadLetterService) {
  const list: TenantRoute = async (request, response, { customerConfigId }) => {
    const { conversation_id: conversationId, ...query } = readQuery(request, DEAD_LETTER_SCHEMAS.list);
    const { letters, next } = await deadLetters.list({ ...query, conversationId, customerConfigId });
    sendJson(response, 200, {
      dead_letters: letters.map(({ conversationId: id, ...letter }) => ({ ...letter, conversation_id: id })),
      next,
    });
  };

  const redrive: TenantRoute = async (request, response, { customerConfigId, userId: by }) => {
    const { conversation_id: conversationId, ...query } = await readBody(request, DEAD_LETTER_SCHEMAS.redrive, {});
    sendJson(response, 200, await deadLetters.redrive({ ...query, conversationId, customerConfigId, by }));
  };

  return { list, redrive };
}
