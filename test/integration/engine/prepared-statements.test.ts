/** Statements are prepared for speed; where that is no good, the channel goes on without them. */
import { expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createTestDatabase } from "../../support/postgres.ts";

async function oneConnection() {
  const database = await createTestDatabase({ empty: true });
  const knex = database.connect({ min: 1, max: 1 });
  return { knex, db: createDatabase(knex, { schema: "public", hostSchema: "public" }) };
}

it("prepares each statement once per connection", async () => {
  const { knex, db } = await oneConnection();

  for (let n = 0; n < 3; n++) await db.query("select $1::int as n", [n]);

  const { rows } = await knex.raw("select count(*)::int as prepared from pg_prepared_statements");
  expect(rows[0].prepared).toBe(1);
});

it("carries a transaction out when a pooler has handed it a server connection that knows none of its statements", async () => {
  const { knex, db } = await oneConnection();
  const insert = () => db.transaction((tx) => tx.query("insert into noted (n) values ($1) returning n", [1]));
  await knex.raw("create table noted (n int)");
  await insert();
  await knex.raw("deallocate all");

  expect(await insert()).toEqual([{ n: 1 }]);

  const { rows } = await knex.raw("select count(*)::int as noted from noted");
  expect(rows[0].noted).toBe(2);
});

it("survives a migration that adds a column to what a statement returns", async () => {
  const { knex, db } = await oneConnection();
  await knex.raw("create table noted (n int)");
  await db.query("insert into noted (n) values ($1) returning *", [1]);
  await knex.raw("alter table noted add column later text");

  expect(await db.query("insert into noted (n) values ($1) returning *", [2])).toEqual([{ n: 2, later: null }]);
});
