/** `migrate`: up, down, written down as SQL, and on databases that it cannot use. */
import { createServer } from "node:net";
import { beforeEach, describe, expect, test } from "vitest";
import { oneLine, openCli } from "../../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

const cli = openCli();
const APPLIED = expect.arrayContaining(["20261122000001_host_tables", "20261122000007_row_level_security"]);

describe("migrate", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase({ empty: true });
    return database.drop;
  });

  test("brings the database up, says so, and has nothing to do the second time", async () => {
    const { url } = database;

    const first = await cli(["migrate"], { url });
    const second = await cli(["migrate", "up"], { url });

    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(/^Applied:\n {2}20261122000001_host_tables\n/);
    expect(second).toEqual({ code: 0, err: "", out: "Nothing to do: the database is up to date.\n" });
  });

  test("answers in JSON, up, status and down", async () => {
    const { url } = database;
    const json = async (...args: string[]) => JSON.parse((await cli(["migrate", ...args, "--json"], { url })).out);

    expect(await json("status")).toEqual({ applied: [], pending: APPLIED, unknown: [] });
    expect(await json()).toEqual({ applied: APPLIED });
    expect(await json("status")).toEqual({ applied: APPLIED, pending: [], unknown: [] });
    expect(await json("unlock")).toEqual({ unlocked: true });
    expect(await json("down", "--yes")).toEqual({ undone: APPLIED, keptFor: [] });
    expect(await json("status")).toMatchObject({ applied: [], pending: APPLIED });
  });

  test("prints with --plan the SQL that would run, changes nothing, and that SQL is the migration", async () => {
    const { url, knex } = database;

    const plan = await cli(["migrate", "--plan"], { url });
    const json = await cli(["migrate", "up", "--plan", "--json"], { url });
    const before = await knex("pg_tables").where({ schemaname: "public" });
    await knex.raw(plan.out.replaceAll("?", "\\?"));
    const done = await cli(["migrate", "--plan"], { url });
    const down = await cli(["migrate", "down", "--plan"], { url });

    expect(plan).toMatchObject({ code: 0, err: "" });
    expect(plan.out).toMatch(/^-- @omniops\/whatsapp, migrations up: 20261122000001_host_tables, /);
    expect(JSON.parse(json.out)).toEqual({ migrations: APPLIED, sql: plan.out });
    expect(before).toEqual([]);
    expect(done).toEqual({ code: 0, err: "", out: "-- Nothing to do: the database is up to date.\n" });
    expect(down.out).toContain(`drop table "public"."whatsapp_host_changes";`);
    expect(await cli(["migrate", "status", "--plan"], { url })).toMatchObject({ code: 2, out: "" });
    expect(await cli(["migrate", "down", "--plan", "--yes"], { url })).toMatchObject({ code: 2, out: "" });
  });

  test("goes down only with --yes: without, it says what would be deleted and exits 2", async () => {
    const { url, knex } = database;
    await knex.raw("create table customer_configs (id uuid primary key)");
    await cli(["migrate"], { url });
    await knex("whatsapp_webhooks").insert({ webhook_type: "message", body: Buffer.from("{}") });

    const asked = await cli(["migrate", "down"], { url });
    const rows = await knex("whatsapp_webhooks").select("id");
    const json = await cli(["migrate", "down", "--json"], { url });
    const done = await cli(["migrate", "down", "--yes"], { url });

    expect(asked).toMatchObject({ code: 2, err: "" });
    expect(asked.out).toContain("\n  public.whatsapp_webhooks (1 row)\n");
    expect(asked.out).toContain("\n  public.conversations (0 rows)\n");
    expect(asked.out).toContain("\n  customer_configs.whatsapp_enabled\n");
    expect(asked.out).not.toContain("public.customer_configs");
    expect(asked.out).toContain("whatsapp-channel migrate down --yes");
    expect(rows).toHaveLength(1);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.out).wouldDelete.tables).toContainEqual({ name: "public.whatsapp_webhooks", rows: 1 });
    expect(done.code).toBe(0);
    expect(await knex("pg_tables").where({ schemaname: "public" }).pluck("tablename")).toEqual(["customer_configs"]);
  });

  test("takes the database and both schemas from options, which win over DATABASE_URL", async () => {
    await database.knex.raw("create schema app");

    const run = await cli(
      ["migrate", "--database-url", database.url, "--schema", "wa", "--host-schema=app", "--json"],
      { url: "postgres://u:p@127.0.0.1:1/nowhere" },
    );

    expect(run.code).toBe(0);
    const schemas = await database
      .knex("pg_tables")
      .whereIn("tablename", ["messages", "whatsapp_lanes"])
      .orderBy("tablename");
    expect(schemas).toMatchObject([{ schemaname: "app" }, { schemaname: "wa" }]);
  });

  test("names every column of the host that it could not write to, and exits 1", async () => {
    await database.knex.raw(
      "create table conversations (id uuid primary key, tenant text not null, kind text not null)",
    );

    const run = await cli(["migrate"], { url: database.url });

    expect(run).toMatchObject({ code: 1, out: "" });
    expect(run.err.trim().split("\n")).toEqual([
      expect.stringContaining("nothing was changed"),
      expect.stringContaining(`alter column "tenant" set default`),
      expect.stringContaining(`alter column "kind" set default`),
    ]);
  });

  test("says what to do about a lock that was left set, and does it", async () => {
    const { url, knex } = database;
    await cli(["migrate"], { url });
    await knex("whatsapp_migrations_lock").update({ is_locked: 1 });

    const locked = await cli(["migrate"], { url });
    const unlocked = await cli(["migrate", "unlock"], { url });

    expect(oneLine(locked)).toMatch(/whatsapp-channel migrate unlock$/);
    expect(unlocked.code).toBe(0);
    expect((await cli(["migrate"], { url })).code).toBe(0);
  });

  describe("on a database that it cannot use", () => {
    const changed = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      url.username ||= "postgres";
      url.password = "s3cr%40t/x";
      change(url);
      return url.toString();
    };

    test("says that nothing answers, without the password", async () => {
      const run = await cli(["migrate"], { url: changed((url) => (url.port = "1")) });

      expect(run.code).toBe(1);
      expect(oneLine(run)).toMatch(/^Nothing answers at the database's address/);
    });

    test("says that the password is refused, without the password", async () => {
      const run = await cli(["migrate"], { url: changed(() => {}) });

      expect(run.code).toBe(1);
      expect(oneLine(run)).toBe("The database refuses the user name or the password.");
    });

    test("says that the database does not exist", async () => {
      const url = new URL(database.url);
      url.pathname = "/omniops_nowhere";

      const run = await cli(["migrate"], { url: url.toString() });

      expect(run.code).toBe(1);
      expect(oneLine(run)).toContain(`"omniops_nowhere" does not exist`);
    });

    test("gives up after five seconds on a server that accepts and says nothing", async () => {
      const silent = createServer();
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };

      const run = await cli(["migrate"], { url: `postgres://u:s3cret@127.0.0.1:${port}/x` });

      silent.close();
      expect(run.code).toBe(1);
      expect(oneLine(run)).toMatch(/^The database did not answer in time/);
    });

    test("says so in JSON when JSON was asked for", async () => {
      const run = await cli(["migrate", "--json"], { url: changed((url) => (url.port = "1")) });

      expect(run).toMatchObject({ code: 1, out: "" });
      expect(JSON.parse(run.err)).toEqual({
        error: { code: "ECONNREFUSED", message: expect.stringContaining("Nothing answers") },
      });
    });

    test("says that the host's schema is missing", async () => {
      const run = await cli(["migrate", "--host-schema", "typo"], { url: database.url });

      expect(run.code).toBe(1);
      expect(oneLine(run)).toMatch(/^Is --host-schema right\?.*"typo" does not exist/);
    });
  });
});
