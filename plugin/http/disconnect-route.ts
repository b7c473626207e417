/** `POST /disconnect`: the tenant gives up a number, or all of them. */
import { z } from "zod";
import type { Disconnect } from "../connect/disconnect.ts";
import type { Connections } from "../ports.ts";
import { isStorable } from "../storable.ts";
import { sendJson } from "./error-response.ts";
import { readBody } from "./json-body.ts";
import type { TenantRoute } from "./session.ts";
import { statusOf } from "./tenant-routes.ts";

export const DISCONNECT_REQUEST = z.strictObject({
  phone_number_id: z.string().min(1).max(100).refine(isStorable, "holds a NUL character").optional(),
});

export type DisconnectRouteDeps = { readonly disconnect: Disconnect; readonly connections: Connections };

export function createDisconnectRoute({ disconnect, connections }: DisconnectRouteDeps): TenantRoute {
  return async (request, response, session) => {
    const { phone_number_id: phoneNumberId = null } = await readBody(request, DISCONNECT_REQUEST, {});
    const { customerConfigId } = session;
    await disconnect({ customerConfigId, phoneNumberId });
    sendJson(response, 200, statusOf(await connections.ofTenant(customerConfigId)));
  };
}
