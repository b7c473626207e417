/** A database whose statements may take their time. */
import type { Knex } from "knex";
import { createDatabase } from "../../adapters/postgres/database.ts";

export type SchemaOptions = {
  /** Of our tables (default `public`), and of the host's three (default `public`). */
  readonly schema?: string;
  readonly hostSchema?: string;
};

/** Whoever looks for a person reads tables from end to end. */
export function patientDatabase(knex: Knex, { schema = "public", hostSchema = "public" }: SchemaOptions) {
  return createDatabase(knex, { schema, hostSchema, statementTimeoutMs: 300_000, readsWholeTables: true });
}
