/** `GET /webhooks`, `/webhooks/:id`, `/messages`, `/messages/:id`, `/changes`, `POST /webhooks/:id/replay`: what came and went, for its tenant. */
import { z } from "zod";
import type { LookForChanges } from "../audit/changes.ts";
import type { MessageAudit } from "../audit/messages.ts";
import type { WebhookAudit } from "../audit/webhooks.ts";
import { ChannelError } from "../errors.ts";
import { MESSAGE_STATES } from "./answers.ts";
import { sendJson } from "./error-response.ts";
import { PAGE, readQuery, SEARCH, TIME } from "./query.ts";
import type { TenantRoute } from "./session.ts";

const WEBHOOKS = z.strictObject({
  ...PAGE,
  type: z.string().max(100).optional(),
  state: z.enum(["processed", "waiting", "failed"]).optional(),
  since: TIME.optional(),
  until: TIME.optional(),
  q: SEARCH,
});
const MESSAGES = z.strictObject({
  ...PAGE,
  state: z.enum(MESSAGE_STATES).optional(),
  direction: z.enum(["in", "out"]).optional(),
  conversation_id: z.guid().optional(),
  phone_number_id: z.string().min(1).max(100).optional(),
  q: SEARCH,
});
const CHANGES = z.strictObject({ since: z.string().max(200).optional() });
export const AUDIT_SCHEMAS = { webhooks: WEBHOOKS, messages: MESSAGES, changes: CHANGES };

export type AuditDeps = {
  readonly webhooks: WebhookAudit;
  readonly messages: MessageAudit;
  readonly changes: LookForChanges;
};

export function createAuditRoutes({ webhooks, messages, changes }: AuditDeps) {
  const list: TenantRoute = async (request, response, { customerConfigId }) => {
    const { limit, before, ...filter } = readQuery(request, WEBHOOKS);
    if (before !== undefined && !/^\d{1,18}$/.test(before))
      throw new ChannelError("REQUEST_INVALID", "before is the next of the page before.");
    const { deliveries, next } = await webhooks.list(
      { ...filter, customerConfigId },
      { limit, before: before ?? null },
    );
    sendJson(response, 200, { webhooks: deliveries, next });
  };

  const one: TenantRoute = async (request, response, { customerConfigId }) => {
    const { ownEvents, ...webhook } = await webhooks.get({ customerConfigId }, String(request.params.id));
    sendJson(response, 200, {
      ...webhook,
      events: ownEvents.map(({ id, kind, state, error, occurredAt, attempts, phoneNumberId }) => ({
        id,
        kind,
        state,
        error,
        occurredAt,
        attempts,
        phoneNumberId,
      })),
    });
  };

  const replay: TenantRoute = async (request, response, { customerConfigId, userId }) => {
    const events = await webhooks.replay({ customerConfigId, by: userId ?? null }, String(request.params.id));
    sendJson(response, 202, { events });
  };

  const listMessages: TenantRoute = async (request, response, { customerConfigId }) => {
    const { limit, before, state, direction, q, ...of } = readQuery(request, MESSAGES);
    const states = state === undefined ? undefined : [state];
    const { conversation_id: conversationId, phone_number_id: phoneNumberId } = of;
    const query = { customerConfigId, states, direction, conversationId, phoneNumberId, q };
    sendJson(response, 200, await messages.list(query, { limit, before: before ?? null }));
  };

  const message: TenantRoute = async (request, response, { customerConfigId }) => {
    sendJson(response, 200, await messages.get({ customerConfigId }, String(request.params.id)));
  };

  const look: TenantRoute = async (request, response, { customerConfigId }) => {
    sendJson(response, 200, await changes({ customerConfigId }, readQuery(request, CHANGES).since));
  };

  return { list, one, replay, messages: listMessages, message, changes: look };
}
