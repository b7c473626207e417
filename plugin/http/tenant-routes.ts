/** The contract over HTTP, for the tenant that the host's `authenticate` names and nobody else. */
import { z } from "zod";
import { AI_RESPONSE, TEMPLATE_CHOICE, TEMPLATE_PARAMS } from "../ai-response.ts";
import type { ChannelPlugin, Connection, SendRequest } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { Store } from "../ports.ts";
import { readUuid } from "../uuid.ts";
import { sendJson } from "./error-response.ts";
import { readBody } from "./json-body.ts";
import type { TenantRoute } from "./session.ts";

export const SEND_REQUEST = z
  .strictObject({
    // Whatever Postgres takes for one: a host's ids need not be of a version that RFC 9562 knows.
    conversationId: z.guid(),
    response: z.union([z.string(), AI_RESPONSE]).optional(),
    message: z.looseObject({ kind: z.string() }).optional(),
    template: TEMPLATE_CHOICE.optional(),
    idempotencyKey: z.string().min(1).max(255).optional(),
    replyTo: z.string().min(1).max(512).optional(),
    onWindowClosed: z
      .union([
        // First: what is no object at all is then told the two words.
        z.strictObject({ template: z.string(), language: z.string(), params: TEMPLATE_PARAMS.optional() }),
        z.enum(["fail", "hold"]),
      ])
      .optional(),
    onAmbiguous: z.enum(["resend", "hold"]).optional(),
  })
  .refine(({ response, message, template }) => [response, message, template].filter(isGiven).length === 1, {
    path: ["response"],
    error: "give exactly one of response, message and template",
  });

export type TenantDeps = {
  readonly store: Store;
  readonly send: ChannelPlugin["send"];
  readonly sessionStatus: ChannelPlugin["sessionStatus"];
};

export function createTenantRoutes({ store, send, sessionStatus }: TenantDeps) {
  /** The same answer for another tenant's conversation as for none. */
  async function requireOwn(conversationId: string, customerConfigId: string): Promise<void> {
    if ((await store.sessions.tenantOf(conversationId)) !== customerConfigId)
      throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
  }

  const status: TenantRoute = async (_request, response, { customerConfigId }) => {
    sendJson(response, 200, statusOf(await store.connections.ofTenant(customerConfigId)));
  };

  const sendRoute: TenantRoute = async (request, response, { customerConfigId }) => {
    const wanted = await readBody(request, SEND_REQUEST);
    await requireOwn(wanted.conversationId, customerConfigId);
    sendJson(response, 202, await send(withoutUndefined(wanted)));
  };

  const receipt: TenantRoute = async (request, response, { customerConfigId }) => {
    const id = readUuid(request.params.id);
    const found = id === null ? null : await store.outbox.receipt(id, customerConfigId);
    if (found === null) throw new ChannelError("SEND_UNKNOWN", "There is no send with this id.");
    sendJson(response, 200, found);
  };

  const session: TenantRoute = async (request, response, { customerConfigId }) => {
    const id = readUuid(request.params.conversationId);
    if (id === null) throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
    await requireOwn(id, customerConfigId);
    sendJson(response, 200, await sessionStatus(id));
  };

  return { status, send: sendRoute, receipt, session };
}

/** The guide's two fields first, for a page that shows one number; all of them after that. */
export function statusOf(connections: readonly Connection[]): object {
  const numbers = connections.filter(({ state }) => state !== "disconnected");
  const [first] = numbers;
  return {
    enabled: first !== undefined,
    phone_number: first?.displayPhoneNumber ?? null,
    state: first?.state ?? "disconnected",
    reason: first?.reason ?? null,
    numbers: numbers.map((number) => ({
      phone_number_id: number.phoneNumberId,
      phone_number: number.displayPhoneNumber,
      verified_name: number.verifiedName,
      quality_rating: number.qualityRating,
      state: number.state,
      reason: number.reason,
    })),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined;
}

/** Under exactOptionalPropertyTypes an absent member and an undefined one differ; on the wire they do not. */
function withoutUndefined(request: z.infer<typeof SEND_REQUEST>): SendRequest {
  return JSON.parse(JSON.stringify(request)) as SendRequest;
}
