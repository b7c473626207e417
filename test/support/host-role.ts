/** A database in which the host is no superuser, so that row level security and rights hold for it as they do in production. */
import { randomBytes } from "node:crypto";
import { migrate } from "@omniops/whatsapp/migrations";
import knexFactory, { type Knex } from "knex";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";

export type HostRole = {
  readonly database: TestDatabase;
  readonly role: string;
  /** Every connection has taken the role on. */
  readonly knex: Knex;
  /** Leaves the server as it was. */
  drop(): Promise<void>;
};

/** @param hostTables what the role makes before `migrate`: none where `migrate` is to make them. */
export async function createHostRole(hostTables = "select 1"): Promise<HostRole> {
  const database = await createTestDatabase({ empty: true });
  const role = `host_${randomBytes(6).toString("hex")}`;
  await database.knex.raw(`create role ${role} nosuperuser nobypassrls; grant all on schema public to ${role}`);
  const knex = knexFactory({
    client: "pg",
    connection: database.url,
    pool: {
      min: 0,
      max: 10,
      afterCreate: (
        connection: { query(sql: string, done: (error: unknown) => void): void },
        done: (error: unknown, made: unknown) => void,
      ) => connection.query(`set role ${role}`, (error) => done(error, connection)),
    },
    log: { error: () => {}, warn: () => {} },
  });
  await knex.raw(hostTables);
  await migrate(knex);
  return {
    database,
    role,
    knex,
    async drop() {
      await knex.destroy();
      await database.knex.raw(`drop owned by ${role}; drop role ${role}`);
      await database.drop();
    },
  };
}
