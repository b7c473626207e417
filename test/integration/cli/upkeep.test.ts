/** The commands that keep a running host well: `doctor`, `rotate-keys`, `replay-unknown`, `erase`. */
import { describe, expect, test } from "vitest";
import { createSecretBox } from "../../../adapters/secret-box/secret-box.ts";
import { oneLine, openCli } from "../../support/cli.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const cli = openCli();
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

  test("refuses a tenant that is none", async () => {
    expect(await cli(["doctor", "--tenant", "me"], { url: "postgres://u@127.0.0.1:1/x" })).toMatchObject({
      code: 2,
      err: "--tenant is a customer_configs.id (uuid). See: whatsapp-channel doctor --help\n",
    });
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
});
