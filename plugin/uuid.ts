/** Ids of ours and of the host's as callers give them: in capitals an id is the same one, and from here on it is spelled one way. */
import { ChannelError } from "./errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * An id of a tenant, a conversation, a send, a template or media. Ids are compared, sealed and hashed as texts: what comes from outside passes here first.
 * @returns it as Postgres spells it; null for anything else, which names nobody and would be an error of the database's.
 */
export function readUuid(given: unknown): string | null {
  return typeof given === "string" && UUID.test(given) ? given.toLowerCase() : null;
}

/** The tenant whom a call is for. @throws ChannelError REQUEST_INVALID. */
export function readTenant(customerConfigId: unknown): string {
  const tenant = readUuid(customerConfigId);
  if (tenant === null) throw new ChannelError("REQUEST_INVALID", "customerConfigId is a customer_configs.id (uuid).");
  return tenant;
}
