/** Ids of tenants, conversations and sends, as Postgres spells them. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Anything else names nobody, and would be an error of the database's. */
export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}
