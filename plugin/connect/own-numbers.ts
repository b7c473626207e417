/** A tenant's numbers for the host itself: listed, and given up, as on the routes. */
import type { Connection } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { Connections } from "../ports.ts";
import { isStorable } from "../storable.ts";
import { readTenant, readUuid } from "../uuid.ts";
import type { Disconnect } from "./disconnect.ts";

/** Which number leaves; without one all of the tenant's do. */
export type DisconnectRequest = {
  /** The tenant: a `customer_configs.id` (uuid). */
  readonly customerConfigId: string;
  /** Meta's phone number id (digits). */
  readonly phoneNumberId?: string;
};

export type OwnNumbers = {
  disconnect(request: DisconnectRequest): Promise<void>;
  connections(customerConfigId: string): Promise<readonly Connection[]>;
};

export function createOwnNumbers(deps: {
  readonly disconnect: Disconnect;
  readonly connections: Pick<Connections, "ofTenant">;
}): OwnNumbers {
  return {
    async disconnect({ customerConfigId, phoneNumberId = null }) {
      const tenant = readTenant(customerConfigId);
      if (phoneNumberId !== null && !isStorable(phoneNumberId))
        throw new ChannelError("NUMBER_UNKNOWN", "This tenant has no number with this phoneNumberId.");
      await deps.disconnect({ customerConfigId: tenant, phoneNumberId });
    },

    async connections(customerConfigId) {
      const tenant = readUuid(customerConfigId);
      return tenant === null ? [] : deps.connections.ofTenant(tenant);
    },
  };
}
