/** The command line as a person or a script meets it: a process with arguments, two streams and an exit code. */
import { createServer } from "node:net";
import { beforeEach, describe, expect, test } from "vitest";
import { createSecretBox } from "../../adapters/secret-box/secret-box.ts";
import { bundleCli, ROOT } from "../support/bundled-cli.ts";
import { type Run, runNode } from "../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

const CLI = bundleCli();

function cli(
  args: readonly string[],
  options: { readonly url?: string; readonly without?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Run> {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const env = { ...inherited, ...options.env };
  const imports = options.without === undefined ? [] : [hiding(options.without)];
  return runNode([...imports.flatMap((name) => ["--import", name]), CLI, ...args], {
    cwd: ROOT,
    env: { ...env, ...(options.url === undefined ? {} : { DATABASE_URL: options.url }) },
  });
}

/** Makes Node answer as it does when a package is not installed. */
function hiding(name: string): string {
  const hook = `export async function resolve(specifier, context, next) {
    if (specifier !== "${name}") return next(specifier, context);
    throw Object.assign(new Error("Cannot find package '${name}' imported from cli"), { code: "ERR_MODULE_NOT_FOUND" });
  }`;
  const register = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}")`;
  return `data:text/javascript,${encodeURIComponent(register)}`;
}

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
    expect(await json("down", "--yes")).toEqual({ undone: APPLIED });
    expect(await json("status")).toMatchObject({ applied: [], pending: APPLIED });
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

describe("the caller's mistakes", () => {
  const DATABASE = "postgres://u:s3cret@127.0.0.1:1/x";

  test.each([
    ["no command", [], "Say which command. See: whatsapp-channel --help"],
    ["an unknown command", ["migrat"], `There is no command "migrat". See: whatsapp-channel --help`],
    ["a name that every object has", ["toString"], `There is no command "toString". See: whatsapp-channel --help`],
    [
      "an unknown action",
      ["migrate", "sideways"],
      `There is no "migrate sideways". See: whatsapp-channel migrate --help`,
    ],
    ["an unknown option", ["migrate", "--force"], "Unknown option '--force'. See: whatsapp-channel migrate --help"],
    [
      "one argument too many",
      ["migrate", "up", "x"],
      `"x" is one argument too many. See: whatsapp-channel migrate --help`,
    ],
    [
      "an option without its value",
      ["migrate", "--schema"],
      "Option '--schema <value>' argument missing. See: whatsapp-channel migrate --help",
    ],
    ["an empty schema", ["migrate", "--schema="], "--schema is empty. See: whatsapp-channel migrate --help"],
    [
      "a URL in the wrong place",
      ["migrate", DATABASE],
      `There is no "migrate postgres://u:***@127.0.0.1:1/x". See: whatsapp-channel migrate --help`,
    ],
    [
      "a URL of something else",
      ["migrate", "--database-url", "mysql://u:s3cret@h/x"],
      "The database URL must start with postgres://, and hold user:password@host:port/database. See: whatsapp-channel migrate --help",
    ],
    [
      "no database",
      ["migrate"],
      "Say which database: set DATABASE_URL or give --database-url. See: whatsapp-channel migrate --help",
    ],
  ])("%s gets one line, no stack and exit code 2", async (_, args, line) => {
    const run = await cli(args);

    expect(run).toMatchObject({ code: 2, out: "" });
    expect(oneLine(run)).toBe(line);
  });

  test.each(["knex", "pg"])("a missing %s is named together with the command that installs it", async (name) => {
    const run = await cli(["migrate"], { url: DATABASE, without: name });

    expect(run.code).toBe(1);
    expect(oneLine(run)).toBe(`The package ${name} is not installed. Run: npm install ${name}`);
  });
});

describe("help", () => {
  test.each([
    ["the package", ["--help"], "whatsapp-channel <command>", "whatsapp-channel migrate"],
    ["migrate", ["migrate", "--help"], "whatsapp-channel migrate [up|status|down|unlock]", "migrate down --yes"],
    ["migrate up", ["migrate", "up", "-h"], "whatsapp-channel migrate up [options]", "--host-schema app"],
    ["migrate status", ["migrate", "status", "--help"], "whatsapp-channel migrate status [options]", "status --json"],
    ["migrate down", ["migrate", "--help", "down"], "whatsapp-channel migrate down [options]", "down --yes"],
    ["migrate unlock", ["migrate", "unlock", "--help"], "whatsapp-channel migrate unlock [options]", "migrate unlock"],
  ])("of %s shows its usage and examples, and needs no database", async (_, args, usage, example) => {
    const run = await cli(args);

    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out.split("\n")[0]).toContain(usage);
    expect(run.out.slice(run.out.indexOf("Examples:"))).toContain(example);
  });

  test("has the package's version", async () => {
    expect(await cli(["--version"])).toEqual({ code: 0, err: "", out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

/** What was said on stderr, which must be one line that holds neither a stack nor a password. */
function oneLine({ err, out }: Run): string {
  expect(out).toBe("");
  expect(err.trimEnd().split("\n")).toHaveLength(1);
  expect(err).not.toMatch(/s3cr|\n\s+at /);
  return err.trimEnd();
}

describe("replay-unknown", () => {
  test("says how much is understood now and what is still unknown, for people and for scripts", async () => {
    const { url, knex, drop } = await createTestDatabase();
    await knex.raw(
      `insert into whatsapp_events (dedupe_key, kind, payload, state, webhook_id, created_at)
       values ('a', 'unsupported', '{"type":"message:hologram"}', 1, 1, '2026-11-27T08:00:00Z')`,
    );

    const told = await cli(["replay-unknown"], { url });
    const json = await cli(["replay-unknown", "--json"], { url });
    await drop();

    expect(told).toEqual({
      code: 0,
      out: "Understood now, and queued: 0\nStill unknown:\n       1  message:hologram, last 2026-11-27T08:00:00.000Z\n",
      err: "",
    });
    expect(JSON.parse(json.out)).toEqual({
      understood: 0,
      failed: [],
      unknown: [{ type: "message:hologram", count: 1, last: "2026-11-27T08:00:00.000Z" }],
    });
  });

  test("refuses what it does not know, with a pointer to its help", async () => {
    const { code, err } = await cli(["replay-unknown", "now"]);

    expect(code).toBe(2);
    expect(err).toContain("replay-unknown --help");
    expect((await cli(["replay-unknown", "--help"])).out).toContain("Examples:");
  });
});

describe("dead-letters", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    await database.knex.raw(
      `with delivery as (
         insert into whatsapp_webhooks (webhook_type, body, error) values ('message', '{"text":"secret words"}', 'dead letter: error P0001') returning id)
       insert into whatsapp_events (lane_key, dedupe_key, kind, payload, state, last_error, webhook_id, created_at)
       select 'in:number:1', n::text, 'message', '{"text":"secret words","from":"447700900123"}', 2, error, id, at from delivery,
         (values (1, 'error P0001', timestamptz '2026-11-25T08:00:00Z'), (2, 'error P0001', '2026-11-26T08:00:00Z'),
           (3, 'Error\u001b[31m', '2026-11-27T08:00:00Z')) as e (n, error, at)`,
    );
    await database.knex.raw(
      `insert into whatsapp_host_events (lane_key, event, state, last_error, created_at)
       values ('notify:number:1', '{"kind":"account","conversationId":null}', 2, 'TypeError', '2026-11-24T08:00:00Z')`,
    );
    return database.drop;
  });

  const list = async (...args: string[]) => {
    const { out } = await cli(["dead-letters", "list", "--json", ...args], { url: database.url });
    const { deadLetters, next } = JSON.parse(out) as { deadLetters: { id: string }[]; next: string | null };
    return { ids: deadLetters.map(({ id }) => id), next, out };
  };

  test("lists what lies aside, newest first, with its reason and without what people said", async () => {
    const { url } = database;

    const told = await cli(["dead-letters", "list"], { url });
    const none = await cli(["dead-letters", "list", "--stage", "turn"], { url });

    expect(told).toMatchObject({ code: 0, err: "" });
    expect(told.out).toMatch(
      /^in:3 {2}message, 2026-11-27T08:00:00\.000000Z, no conversation\n {2}Error\ufffd\[31m\n {2}Every try/,
    );
    expect(told.out).toContain("notify:1  account, 2026-11-24T08:00:00.000000Z, no conversation\n  TypeError\n");
    expect(told.out).not.toMatch(/secret|447700|\u001b/);
    expect(none).toEqual({ code: 0, err: "", out: "None.\n" });
  });

  test.each([
    [
      ["--error", "error P0001"],
      ["in:2", "in:1"],
    ],
    [["--from", "2026-11-26", "--until", "2026-11-27T09:00:00+01:00"], ["in:2"]],
    [["--conversation", "00000000-0000-4000-8000-000000000009"], []],
    [["--tenant", "00000000-0000-4000-8000-000000000009"], []],
  ])("takes the filters of the API: %j", async (args, ids) => {
    expect((await list(...args)).ids).toEqual(ids);
  });

  test("goes on where a page has ended", async () => {
    const first = await list("--limit", "3");

    expect(first.ids).toEqual(["in:3", "in:2", "in:1"]);
    expect((await list("--after", first.next ?? "")).ids).toEqual(["notify:1"]);
    expect(first.out).not.toMatch(/secret|447700/);
  });

  test("puts back what is asked for, oldest first, and says what is left", async () => {
    const { url, knex } = database;
    const redrive = (...args: string[]) => cli(["dead-letters", "redrive", ...args], { url });

    const first = await redrive("--stage", "in", "--limit", "1");
    expect(first).toMatchObject({ code: 0, out: "Put back: 1. 2 more match: run this again.\n" });
    expect(JSON.parse(first.err)).toMatchObject({
      by: expect.stringMatching(/^cli/),
      stage: "in",
      limit: 1,
      redriven: 1,
      left: 2,
      message: "dead letters were put back",
    });
    expect(JSON.parse((await redrive("in:3", "in:77", "--json")).out)).toEqual({ redriven: 1, left: 0 });
    expect(await redrive("--all")).toMatchObject({ code: 0, out: "Put back: 2.\n" });

    const lanes = await knex.raw("select lane_key, pending, ready_at <= now() as ready from whatsapp_lanes order by 1");
    expect(lanes.rows).toEqual([
      { lane_key: "in:number:1", pending: 3, ready: true },
      { lane_key: "notify:number:1", pending: 1, ready: true },
    ]);
  });

  test.each([
    [[], "Say what: list or redrive."],
    [["show"], '"show" is neither list nor redrive.'],
    [["list", "in:1"], '"in:1" is one argument too many.'],
    [["list", "--all"], "--all is for redrive: list shows whatever there is."],
    [["list", "--stage", "out"], "stage is in, turn or notify."],
    [["list", "--conversation", "17"], "conversationId is a uuid."],
    [["list", "--from", "yesterday"], "--from is a time such as 2026-11-27 or 2026-11-27T08:00:00Z."],
    [["list", "--until", "2026-11-27T08:00:00"], "--until is a time such as 2026-11-27 or 2026-11-27T08:00:00Z."],
    [["list", "--limit", "many"], "--limit is a whole number."],
    [["list", "--limit", "101"], "limit is a whole number from 1 to 100."],
    [["list", "--after", "there"], "after is the next of the page before."],
    [["redrive"], "Say which: ids, a filter, or --all for whatever there is."],
    [["redrive", "--all", "--stage", "in"], "--all says that there is no filter and no id."],
    [["redrive", "17"], '"17" is no id: they look like in:17, as list shows them.'],
    [["redrive", "--all", "--after", "x"], "--after is for list: redrive begins with the oldest."],
  ])("refuses %j", async (args, line) => {
    const run = await cli(["dead-letters", ...args], { url: database.url });

    expect(run.code).toBe(2);
    expect(oneLine(run)).toBe(`${line} See: whatsapp-channel dead-letters --help`);
    expect((await database.knex.raw("select 1 from whatsapp_lanes")).rows).toEqual([]);
  });

  test("shows its help", async () => {
    expect((await cli(["dead-letters", "--help"])).out).toContain("Examples:");
  });
});

describe("erase", () => {
  const PERSON = ["--phone", "+44 7700 900123"];
  const NOTHING = {
    conversations: 0,
    messages: 0,
    media: 0,
    events: 0,
    deliveries: 0,
    turns: 0,
    sends: 0,
    hostEvents: 0,
  };

  test("counts what would go until it is told to do it", async () => {
    const { url, knex, drop } = await createTestDatabase();
    await knex.raw(
      `with number as (
         insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number)
         values (gen_random_uuid(), '301777000333444', '201555000111222', '15557770100') returning id, customer_config_id),
       contact as (
         insert into whatsapp_contacts (connection_id, customer_config_id, phone_number)
         select id, customer_config_id, '447700900123' from number returning id, connection_id)
       insert into whatsapp_contact_aliases select connection_id, 'phone:447700900123', id from contact`,
    );
    const left = async () => (await knex.raw("select 1 from whatsapp_contacts")).rows.length;

    const told = await cli(["erase", ...PERSON], { url });
    const json = await cli(["erase", ...PERSON, "--json"], { url });
    const elsewhere = await cli(["erase", ...PERSON, "--tenant", "00000000-0000-4000-8000-00000000000f", "--yes"], {
      url,
    });
    expect(await left()).toBe(1);
    const done = await cli(["erase", ...PERSON, "--yes"], { url });
    const again = await cli(["erase", ...PERSON, "--yes", "--json"], { url });
    const rest = await left();
    await drop();

    expect(told).toMatchObject({ code: 2, err: "" });
    expect(told.out).toMatch(
      /^Would be erased:\n {7}1 {2}contacts\n[\s\S]*\nNothing was changed\. To do it, add --yes\.\n$/,
    );
    expect(json.code).toBe(2);
    expect(JSON.parse(json.out)).toEqual({ wouldErase: { contacts: 1, ...NOTHING } });
    expect(elsewhere).toMatchObject({ code: 0, out: expect.stringContaining("0  contacts") });
    expect(done).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Erased:\n       1  contacts") });
    expect(JSON.parse(again.out)).toEqual({ erased: { contacts: 0, ...NOTHING } });
    expect(rest).toBe(0);
  });

  test.each([
    ["nobody", []],
    ["two at once", [...PERSON, "--user", "US.5512"]],
    ["a number that is none", ["--phone", "Ada"]],
    ["a tenant that is none", [...PERSON, "--tenant", "mine"]],
    ["an argument too many", [...PERSON, "now"]],
  ])("refuses %s in one line", async (_what, args) => {
    const run = await cli(["erase", ...args], { url: "postgres://u:s3cret@127.0.0.1:1/x" });

    expect(run.code).toBe(2);
    expect(oneLine(run)).toContain("See: whatsapp-channel erase --help");
  });

  test("shows its help", async () => {
    const help = await cli(["erase", "--help"]);

    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("whatsapp-channel erase --user US.5512");
  });
});

const KEY = (kid: string) => `${kid}:${Buffer.alloc(32, kid).toString("base64")}`;
const ENV = {
  META_APP_SECRET: "s3cr3t-of-the-app",
  WHATSAPP_VERIFY_TOKEN: "s3cr3t-verify-token",
  WHATSAPP_TOKEN_KEYS: `${KEY("k2")},${KEY("k1")}`,
};

describe("doctor", () => {
  test("lists every check with what it saw, says what to do, and exits 0 when there is no problem", async () => {
    const { url, drop } = await createTestDatabase();

    const told = await cli(["doctor", "--offline"], { url, env: ENV });
    const json = await cli(["doctor", "--offline", "--json"], { url, env: ENV });
    await drop();

    expect(told).toMatchObject({ code: 0, err: "" });
    expect(told.out).toMatch(/^! Configuration +Complete for numbers/);
    expect(told.out).toContain("→ Set META_APP_ID and NEXT_PUBLIC_APP_URL");
    expect(told.out).toMatch(/^✓ Migrations +All applied\.$/m);
    expect(told.out).toMatch(/^– Webhook address +Not looked at/m);
    expect(told.out).toMatch(/\n0 problems, 3 warnings, \d not looked at\. Mend from the top/);
    expect(told.out).not.toMatch(/\u001b|s3cr3t/);
    const { healthy, checks } = JSON.parse(json.out);
    expect(healthy).toBe(true);
    expect(checks[1]).toEqual({
      id: "database",
      title: "Database",
      state: "ok",
      seen: "Answers.",
      fix: null,
      phone_number_id: null,
    });
  });

  test("exits 1 when there is a problem, be it that nothing is configured or that the database is away", async () => {
    const { url, drop } = await createTestDatabase({ empty: true });

    const unconfigured = await cli(["doctor", "--offline"], { url });
    const away = await cli(["doctor", "--offline", "--json"], { url: "postgres://u:s3cret@127.0.0.1:1/x", env: ENV });
    await drop();

    expect(unconfigured).toMatchObject({ code: 1, err: "" });
    expect(unconfigured.out).toMatch(/^✗ Configuration +WHATSAPP_VERIFY_TOKEN/);
    expect(unconfigured.out).toMatch(/^✗ Migrations +Not applied: 20261122000001_host_tables, /m);
    expect(away).toMatchObject({ code: 1, err: "" });
    expect(away.out).not.toContain("s3cret");
    const problems = JSON.parse(away.out).checks.filter((check: { state: string }) => check.state === "problem");
    expect(problems.map((check: { id: string }) => check.id)).toEqual(["database"]);
  });

  test("refuses a tenant that is none, and has a help", async () => {
    expect(await cli(["doctor", "--tenant", "me"], { url: "postgres://u@127.0.0.1:1/x" })).toMatchObject({
      code: 2,
      err: "--tenant is a customer_configs.id (uuid). See: whatsapp-channel doctor --help\n",
    });
    expect((await cli(["doctor", "--help"])).out).toContain("Examples:");
  });
});

describe("rotate-keys", () => {
  test("counts, seals again, says which key may go, and exits 1 for what does not open", async () => {
    const { url, knex, drop } = await createTestDatabase();
    const add = async (phoneNumberId: string, kid: string) => {
      const tenant = "00000000-0000-4000-8000-000000000001";
      const [{ id }] = await knex("whatsapp_connections")
        .insert({
          customer_config_id: tenant,
          phone_number_id: phoneNumberId,
          waba_id: "1",
          display_phone_number: "+1",
        })
        .returning("id");
      const sealed = createSecretBox([{ kid, key: Buffer.alloc(32, kid) }]).seal("s3cr3t-token", {
        customerConfigId: tenant,
        rowId: id,
        field: "access_token",
      });
      await knex("whatsapp_oauth_tokens").insert({
        customer_config_id: tenant,
        connection_id: id,
        access_token_enc: sealed,
      });
    };
    await add("301", "k1");
    await add("302", "k1");

    const checked = await cli(["rotate-keys", "--check"], { url, env: ENV });
    const done = await cli(["rotate-keys"], { url, env: ENV });
    await add("303", "k0");
    const lost = await cli(["rotate-keys", "--json"], { url, env: ENV });
    const unconfigured = await cli(["rotate-keys"], { url });
    await drop();

    expect(checked).toEqual({ code: 0, out: "Sealed: 2 with k1\n", err: "" });
    expect(done).toEqual({
      code: 0,
      out: "Before: 2 with k1\nAfter:  2 with k2\nSealed again: 2\nMay be removed from WHATSAPP_TOKEN_KEYS, in every process: k1\n",
      err: "",
    });
    expect(lost.code).toBe(1);
    expect(JSON.parse(lost.out)).toMatchObject({ resealed: 0, unreadable: [{ kind: "token", kid: "k0" }] });
    expect(unconfigured.code).toBe(1);
    for (const run of [checked, done, lost, unconfigured]) expect(run.out + run.err).not.toContain("s3cr3t");
  });
});
