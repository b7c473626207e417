/** Our migrations in somebody else's database, on both majors of Postgres that we promise. */

import {
  type MigrateOptions,
  migrate,
  migrateDown,
  migrationStatus,
  planMigrations,
  unlockMigrations,
  whatDownDeletes,
} from "@omniops/whatsapp/migrations";
import knexFactory, { type Knex } from "knex";
import { beforeEach, describe, expect, test } from "vitest";
import { hostTablesClosed } from "../../migrations/20261128000005-host-tables-closed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { everythingIn } from "../support/schema-objects.ts";

const NAMES = [
  "20261122000001_host_tables",
  "20261122000002_connections",
  "20261122000003_inbox",
  "20261122000004_turns_and_outbox",
  "20261122000005_sessions",
  "20261122000006_media",
  "20261122000007_row_level_security",
  "20261128000001_what_meta_said_last",
  "20261128000002_when_it_died",
  "20261128000003_one_person",
  "20261128000005_host_tables_closed",
  "20261128000006_very_many",
  "20261129000001_media_of_attempts",
  "20261129000002_plan_of_record",
];

/** By name. */
const HOSTS = ["conversations", "customer_configs", "messages"];

describe.each([15, 18] as const)("on Postgres %i", (major) => {
  let database: TestDatabase;
  let knex: Knex;
  beforeEach(async () => {
    database = await createTestDatabase({ empty: true, major });
    knex = database.knex;
    return database.drop;
  });

  describe("a fresh database", () => {
    test("runs on the major that it says", async () => {
      const { rows } = await knex.raw("show server_version_num");

      expect(rows[0].server_version_num).toMatch(new RegExp(`^${major}`));
    });

    test("goes up, up again for nothing, down to nothing, and up once more", async () => {
      const before = await everythingIn(knex);

      expect(await migrationStatus(knex)).toEqual({ applied: [], pending: NAMES, unknown: [] });
      expect(await migrate(knex)).toEqual(NAMES);
      const migrated = await everythingIn(knex);
      expect(await migrate(knex)).toEqual([]);
      expect(await everythingIn(knex)).toEqual(migrated);
      expect(await migrationStatus(knex)).toEqual({ applied: NAMES, pending: [], unknown: [] });
      expect(await migrateDown(knex)).toEqual([...NAMES].reverse());
      expect(await everythingIn(knex)).toEqual(before);
      expect(await migrateDown(knex)).toEqual([]);
      expect(await migrate(knex)).toEqual(NAMES);
      expect(await everythingIn(knex)).toEqual(migrated);
    });

    test("takes twenty installers at once: one does the work, the others find it done", async () => {
      const installers = Array.from({ length: 20 }, () => database.connect({ min: 0, max: 1 }));

      const applied = await Promise.all(installers.map((installer) => migrate(installer)));

      expect(applied.map((names) => names.length).sort()).toEqual([...Array(19).fill(0), NAMES.length]);
    });

    test("is enough with a pool of one connection", async () => {
      const single = database.connect({ min: 0, max: 1, acquireTimeoutMillis: 2_000 });

      expect(await migrate(single)).toEqual(NAMES);
      expect((await migrationStatus(single)).pending).toEqual([]);
      await unlockMigrations(single);
      expect(await migrateDown(single)).toHaveLength(NAMES.length);
    });

    test("needs no right on the database where the schema is there already", async ({ skip }) => {
      skip(!(await mayCreateRoles(knex)), "needs a user that may create roles");
      const role = `omniops_limited_${process.pid}_${major}`;
      await knex.raw(`create role ${role}; grant create on schema public to ${role}`);

      const applied = await knex.transaction(async (trx) => {
        await trx.raw(`set local role ${role}`);
        return migrate(trx);
      });

      expect(applied).toEqual(NAMES);
      await knex.raw(`drop owned by ${role}; drop role ${role}`);
    });
  });

  describe("a host with its own knex migrations", () => {
    const source = (names: readonly string[]): Knex.MigrationSource<string> => ({
      getMigrations: async () => [...names],
      getMigrationName: (name) => name,
      getMigration: async (name) => ({
        up: (inner) => inner.schema.createTable(name, (table) => table.increments()),
        down: (inner) => inner.schema.dropTable(name),
      }),
    });

    test("keeps its ledger, and its own next run works", async () => {
      await knex.migrate.latest({ migrationSource: source(["20250101_shops"]) });

      await migrate(knex);
      const [, next] = await knex.migrate.latest({ migrationSource: source(["20250101_shops", "20250102_orders"]) });
      await migrateDown(knex);

      expect(next).toEqual(["20250102_orders"]);
      expect(await knex("knex_migrations").pluck("name")).toEqual(["20250101_shops", "20250102_orders"]);
    });
  });

  describe("a host with tables of its own", () => {
    beforeEach(async () => {
      await knex.raw(`
        create table customer_configs (id uuid primary key, domain text not null unique, plan text not null default 'free');
        create table conversations (
          id uuid primary key,
          domain_id uuid references customer_configs (id) on delete cascade,
          session_id text not null,
          channel text check (channel in ('web', 'email', 'whatsapp')),
          created_at timestamptz default now());
        create table messages (
          id uuid primary key default gen_random_uuid(),
          conversation_id uuid not null references conversations (id) on delete cascade,
          role text not null check (role in ('user', 'assistant', 'system')),
          content text not null,
          status text,
          metadata jsonb,
          created_at timestamptz default now());
        create index messages_conversation on messages (conversation_id);
        insert into customer_configs (id, domain, plan) values ('00000000-0000-4000-8000-000000000001', 'a.example', 'pro');
        insert into conversations values
          ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 's-1', 'email', '2025-01-01');
        insert into messages values ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000002',
          'user', 'Hello', 'read', '{"a": 1}', '2025-01-01')`);
    });

    test("keeps every row, and gets back exactly what it had when we leave", async () => {
      const objects = await everythingIn(knex);
      const rows = await hostRows(knex);

      await migrate(knex);
      const [config] = await knex("customer_configs").select();
      const [conversation] = await knex("conversations").select();
      const [message] = await knex("messages").select();
      await migrateDown(knex);

      expect(config).toMatchObject({ domain: "a.example", plan: "pro", whatsapp_enabled: false });
      expect(conversation).toMatchObject({ session_id: "s-1", channel: "email", channel_metadata: {} });
      expect(message).toMatchObject({ content: "Hello", status: "read", metadata: { a: 1 }, external_id: null });
      expect(await everythingIn(knex)).toEqual(objects);
      expect(await hostRows(knex)).toEqual(rows);
    });

    test("lets us write a conversation and a message as the pipeline does", async () => {
      await migrate(knex);

      const [conversation] = await knex("conversations")
        .insert({ session_id: "x", channel: "whatsapp", channel_metadata: { whatsapp: {} } })
        .returning("id");
      const inserted = knex("messages").insert({
        conversation_id: conversation.id,
        role: "user",
        content: "Hi",
        media_type: null,
        external_id: "wamid.1",
        created_at: new Date(),
      });

      await expect(inserted).resolves.toBeDefined();
    });

    test("keeps an id's default that it set itself, and loses the one that we set", async () => {
      const defaults = () =>
        knex("information_schema.columns")
          .where({ column_name: "id" })
          .whereIn("table_name", ["conversations", "messages"])
          .orderBy("table_name")
          .pluck("column_default");

      await migrate(knex);
      const during = await defaults();
      await migrateDown(knex);

      expect(during).toEqual(["gen_random_uuid()", "gen_random_uuid()"]);
      expect(await defaults()).toEqual([null, "gen_random_uuid()"]);
    });

    test("keeps an index that has our name", async () => {
      await knex.raw(`alter table messages add external_id text;
        create index whatsapp_messages_external_id on messages (external_id)`);
      const objects = await everythingIn(knex);

      await migrate(knex);
      await migrateDown(knex);

      expect(await everythingIn(knex)).toEqual(objects);
    });

    test("still lets us leave after the host has dropped a column and a table of those we extended", async () => {
      await migrate(knex);
      await knex.raw("alter table conversations drop column channel_metadata; drop table messages");

      await expect(migrateDown(knex)).resolves.toHaveLength(NAMES.length);
    });

    test("does not give up a column that a view of the host stands on: nothing is undone", async () => {
      await migrate(knex);
      await knex.raw("create view by_number as select whatsapp_phone_number from customer_configs");
      const objects = await everythingIn(knex);

      await expect(migrateDown(knex)).rejects.toThrow("other objects depend on it");

      expect(await everythingIn(knex)).toEqual(objects);
    });

    test("does not wait forever for a table that a long transaction holds", async () => {
      const busy = await database.connect().transaction();
      await busy.raw("lock table messages in access share mode");

      await expect(migrate(knex)).rejects.toMatchObject({ code: "55P03" });

      await busy.rollback();
      expect(await migrate(knex)).toEqual(NAMES);
    });
  });

  describe("what an earlier version has left", () => {
    const ONE_PERSON = "20261128000003_one_person";
    const options = { schema: "wa" };
    const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

    /** As if that migration were still to come. */
    async function startEarlier(): Promise<void> {
      await migrate(knex, options);
      await knex.raw("drop index wa.whatsapp_contacts_merged");
      await knex.raw("delete from wa.whatsapp_migrations where name = ?", [ONE_PERSON]);
      await knex.raw(`insert into wa.whatsapp_connections (id, customer_config_id, phone_number_id, waba_id, display_phone_number)
        values ('${uuid(1)}', '${uuid(1)}', '1', '1', '1')`);
    }

    /** An elder, with two who turned out to be the same person. */
    async function meet(n: number): Promise<{ elder: string; younger: readonly [string, string] }> {
      const { rows } = await knex.raw(
        `insert into wa.whatsapp_contacts (connection_id, customer_config_id, conversation_id)
         select '${uuid(1)}', '${uuid(1)}', id::uuid from unnest(?::text[]) as c (id) order by id returning id`,
        [[uuid(100 * n), uuid(100 * n + 1), uuid(100 * n + 2)]],
      );
      const [elder, ...younger] = rows.map((row: { id: string }) => row.id);
      await knex.raw("update wa.whatsapp_contacts set merged_into = ? where id = any(?)", [elder, younger]);
      return { elder, younger: younger as [string, string] };
    }

    test.each([
      ["a younger name's stop", [null, ["stop", "keyword", 1], null], ["stop", "keyword"]],
      ["the latest typed word", [["stop", "keyword", 1], ["resume", "keyword", 2], null], ["resume", "keyword"]],
      [
        "Meta's stop, whatever was typed since",
        [["resume", "keyword", 3], ["stop", "meta", 1], null],
        ["stop", "meta"],
      ],
      [
        "what Meta said last",
        [
          ["stop", "meta", 1],
          ["resume", "meta", 2],
          ["stop", "keyword", 1],
        ],
        ["resume", "meta"],
      ],
      [
        "the elder's own, where it is the latest",
        [["stop", "keyword", 3], ["resume", "keyword", 2], null],
        ["stop", "keyword"],
      ],
    ] as const)("of the words of one person one counts: %s", async (_which, said, [value, source]) => {
      await startEarlier();
      const { elder, younger } = await meet(1);
      for (const [i, word] of said.entries())
        if (word !== null)
          await knex.raw(
            "insert into wa.whatsapp_preferences values (?, 'marketing_messages', ?, ?, now() - interval '1 day' + ? * interval '1 hour')",
            [[elder, ...younger][i] as string, ...word],
          );

      expect(await migrate(knex, options)).toEqual([ONE_PERSON]);

      const { rows } = await knex.raw("select contact_id, value, source from wa.whatsapp_preferences");
      expect(rows).toEqual([{ contact_id: elder, value, source }]);
    });

    test("the window that is open longest is the person's, and so are an ad and a pause; others keep what they had", async () => {
      await startEarlier();
      await meet(1);
      const other = uuid(7);
      await knex.raw(`insert into wa.whatsapp_sessions (conversation_id, session_start, session_expires, is_active, ad_message_at)
        values ('${uuid(100)}', '2020-01-01', '2020-01-02', false, null),
          ('${uuid(101)}', now(), now() + interval '5 hours', true, null),
          ('${uuid(102)}', now(), now() + interval '2 hours', true, '2020-01-03'), ('${other}', now(), now(), true, null)`);
      await knex.raw(
        "update wa.whatsapp_contacts set ai_paused_until = now() + interval '1 hour' where conversation_id = ?",
        [uuid(102)],
      );

      await migrate(knex, options);

      const { rows } = await knex.raw(`select wa.is_whatsapp_session_active('${uuid(100)}') as open,
        session_expires > now() + interval '4 hours' as longest, ad_message_at is not null as ad, ai_paused_until > now() as paused
        from wa.whatsapp_sessions join wa.whatsapp_contacts using (conversation_id) where merged_into is null`);
      expect(rows).toEqual([{ open: true, longest: true, ad: true, paused: true }]);
      const untouched = await knex.raw("select 1 from wa.whatsapp_sessions where created_at = updated_at");
      expect(untouched.rows).toHaveLength(3);
    });

    test("the first window of a person whose elder name has none is theirs, also on a second run", async () => {
      await startEarlier();
      await meet(1);
      await knex.raw(`insert into wa.whatsapp_sessions (conversation_id, session_start, session_expires)
        values ('${uuid(101)}', now(), now() + interval '5 hours')`);

      for (let run = 1; run <= 2; run++) {
        await migrate(knex, options);
        await knex.raw("drop index wa.whatsapp_contacts_merged");
        await knex.raw("delete from wa.whatsapp_migrations where name = ?", [ONE_PERSON]);
      }

      const { rows } = await knex.raw("select conversation_id from wa.whatsapp_sessions order by 1");
      expect(rows).toEqual([{ conversation_id: uuid(100) }, { conversation_id: uuid(101) }]);
    });

    test("a status of another app's message that waited for its number is settled; what people wrote waits on", async () => {
      await startEarlier();
      await knex.raw(
        `insert into wa.whatsapp_webhooks (webhook_type, body, error) select 'messages', '{}', 'unrouted: …' from generate_series(1, 2)`,
      );
      await knex.raw(`insert into wa.whatsapp_events (dedupe_key, kind, external_id, payload, state, webhook_id)
        values ('a', 'status', 'theirs', '{}', 4, 1), ('b', 'message', 'm', '{}', 4, 2), ('c', 'status', 'theirs', '{}', 4, 2)`);

      await migrate(knex, options);

      const events = await knex.raw("select state from wa.whatsapp_events order by id");
      expect(events.rows).toEqual([{ state: 1 }, { state: 4 }, { state: 1 }]);
      const webhooks = await knex.raw("select processed, error from wa.whatsapp_webhooks order by id");
      expect(webhooks.rows).toEqual([
        { processed: true, error: null },
        { processed: false, error: "unrouted: …" },
      ]);
    });
  });

  describe("host tables that we could not write to", () => {
    const refusal = async (sql: string, options?: MigrateOptions): Promise<string> => {
      await knex.raw(sql);
      const objects = await everythingIn(knex);
      const error = await migrate(knex, options).then(
        () => expect.fail("migrate accepted it"),
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
      expect(await everythingIn(knex)).toEqual(objects);
      return (error as Error).message;
    };
    const conversations = (columns: string) => `create table conversations (id uuid primary key, ${columns})`;
    const messages = (columns: string) => `create table messages (id uuid primary key, conversation_id uuid,
      role text, content text, created_at timestamptz${columns === "" ? "" : `, ${columns}`})`;

    test("are refused with every column that must be filled and the fix for each", async () => {
      const message = await refusal(`
        ${conversations("tenant text not null, session_id text not null, kind text not null default 'chat'")};
        ${messages("seq int not null, n int not null generated always as identity, extra text")}`);

      expect(message.split("\n").slice(1)).toEqual([
        `- "public"."conversations"."tenant" is NOT NULL without a default, and WhatsApp does not fill it. Fix: alter table "public"."conversations" alter column "tenant" set default …;`,
        `- "public"."messages"."seq" is NOT NULL without a default, and WhatsApp does not fill it. Fix: alter table "public"."messages" alter column "seq" set default …;`,
      ]);
    });

    test("that have the names of ours are all named before anything is made, and a schema of ours goes round them", async () => {
      const message =
        await refusal(`create table whatsapp_webhooks (id uuid primary key); create table whatsapp_sessions (id uuid primary key);
        create function extend_whatsapp_session(uuid, text) returns void language sql as 'select null::void'`);

      expect(message).toMatch(
        /^Already there .*: "public"."extend_whatsapp_session", "public"."whatsapp_sessions", "public"."whatsapp_webhooks"\. .*--schema whatsapp/,
      );
      await expect(planMigrations(knex)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
      expect(await migrate(knex, { schema: "whatsapp" })).toEqual(NAMES);
    });

    test("are accepted once the fix is applied", async () => {
      await refusal(conversations("tenant text not null"));
      await knex.raw(`alter table conversations alter column "tenant" set default 'none'`);

      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are refused when a conversation's id is not a uuid", async () => {
      const message = await refusal("create table conversations (id bigint primary key generated always as identity)");

      expect(message).toContain(`"public"."conversations"."id" is bigint, and WhatsApp writes uuid.`);
    });

    test("are refused when a message's id is no uuid and has no default", async () => {
      const message = await refusal(messages("").replace("id uuid", "id text"));

      expect(message).toContain(`"public"."messages"."id" is NOT NULL without a default`);
    });

    test("are accepted when a message's id counts by itself", async () => {
      await knex.raw(messages("").replace("id uuid primary key", "id bigserial primary key"));

      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are refused when a column that we need is missing", async () => {
      const message = await refusal("create table messages (id uuid primary key, conversation_id uuid, body text)");

      expect(message).toMatch(/no column "role".*\n.*no column "content".*\n.*no column "created_at"/);
    });

    test("are refused when an enum does not know our channel, and accepted when it does", async () => {
      const message = await refusal(`create type channel as enum ('web'); ${conversations("channel channel")}`);
      await knex.raw("alter type channel add value 'whatsapp'");

      expect(message).toContain(`"channel" is channel, and WhatsApp writes 'whatsapp'.`);
      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are refused when a column of ours is there and must not be null", async () => {
      const message = await refusal(messages("media_type text not null default 'text'"));

      expect(message).toContain(`alter column "media_type" drop not null;`);
    });

    test("are refused where a text of theirs is too short for what comes, and accepted where it is just long enough", async () => {
      const message = await refusal(`
        create domain short as varchar(20);
        create table customer_configs (id uuid primary key, whatsapp_phone_number varchar(10), whatsapp_provider varchar(3));
        ${conversations("session_id short not null, channel varchar(7)")};
        create table messages (id uuid primary key, conversation_id uuid, role varchar(8), content varchar(4096),
          created_at timestamptz, media_url varchar(64), external_id varchar(36), status varchar(8))`);

      expect(message.split("\n").slice(1)).toEqual(
        [
          ["customer_configs", "whatsapp_phone_number", "character varying(10)", 32],
          ["customer_configs", "whatsapp_provider", "character varying(3)", 4],
          ["conversations", "session_id", "character varying(20)", 36],
          ["conversations", "channel", "character varying(7)", 8],
          ["messages", "role", "character varying(8)", 9],
          ["messages", "content", "character varying(4096)", 65_536],
          ["messages", "media_url", "character varying(64)", 128],
          ["messages", "external_id", "character varying(36)", 128],
          ["messages", "status", "character varying(8)", 9],
        ].map(
          ([table, column, type, length]) =>
            `- "public"."${table}"."${column}" is ${type}, and WhatsApp writes up to ${length} characters. Fix: alter table "public"."${table}" alter column "${column}" type text;`,
        ),
      );
      await knex.raw(`drop table customer_configs, conversations, messages;
        create table customer_configs (id uuid primary key, whatsapp_phone_number varchar(32), whatsapp_provider varchar(4));
        ${conversations("session_id varchar(36) not null, channel varchar(8)")};
        create table messages (id uuid primary key, conversation_id uuid, role varchar(9), content varchar(65536),
          created_at timestamptz, media_url varchar(128), external_id varchar(128), status varchar(9))`);
      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are refused where connecting could not write to the tenant's row", async () => {
      const message = await refusal(`create table customer_configs (id uuid primary key, whatsapp_enabled text,
        whatsapp_phone_number text not null default '', whatsapp_connected_at text, whatsapp_oauth_metadata json,
        plan text not null)`);

      expect(message.split("\n").slice(1)).toEqual([
        expect.stringContaining(`"whatsapp_enabled" is text, and WhatsApp writes boolean.`),
        expect.stringContaining(
          `"whatsapp_phone_number" is NOT NULL, and WhatsApp writes null for a tenant without a number.`,
        ),
        expect.stringContaining(`"whatsapp_connected_at" is text, and WhatsApp writes timestamp with time zone.`),
      ]);
    });

    test("are refused where a check of one column does not let our words in, and accepted once it does", async () => {
      const message = await refusal(`
        ${conversations("channel text check (channel in ('web', 'email?'))")};
        ${messages("status text constraint known check (status in ('sent', 'delivered', 'read', 'failed')), media_type text check (media_type <> 'sticker')")};
        alter table messages add check (role in ('user', 'bot')) not valid, add check (length(content) > 0),
          add check (role <> 'user' or status <> 'read')`);

      expect(message.split("\n").slice(1)).toEqual([
        expect.stringContaining(
          `"public"."conversations"."channel" has a check, "conversations_channel_check", that does not take 'whatsapp'. Fix: alter table "public"."conversations" drop constraint "conversations_channel_check", and add one that does.`,
        ),
        expect.stringContaining(`"messages_media_type_check", that does not take 'sticker'.`),
        expect.stringContaining(`"messages_role_check", that does not take 'assistant'.`),
        expect.stringContaining(
          `"public"."messages"."status" has a check, "known", that does not take 'received', 'queued', 'held', 'accepted', 'played', 'expired', 'unknown'.`,
        ),
      ]);
      await knex.raw(`alter table conversations drop constraint conversations_channel_check,
          add check (channel in ('web', 'whatsapp'));
        alter table messages drop constraint known, drop constraint messages_media_type_check, drop constraint messages_role_check`);
      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are refused where a check cannot be carried out for our words, and where a column is generated", async () => {
      const message = await refusal(`create function only_web(way text) returns boolean language plpgsql as
          $$ begin if way <> 'web' then raise exception 'no'; end if; return true; end $$;
        ${conversations("channel text check (only_web(channel))")};
        ${messages("status text generated always as (lower(role)) stored")}`);

      expect(message.split("\n").slice(1)).toEqual([
        expect.stringContaining(`"messages"."status" is generated, and WhatsApp writes it.`),
        expect.stringContaining(`"conversations_channel_check", that does not take 'whatsapp'.`),
      ]);
    });

    test("are refused where one is a view, or their schema is not there: by a plan as well", async () => {
      const message = await refusal(`${messages("").replace("messages", "letters")};
        create view messages as select * from letters; create materialized view conversations as select 1`);
      await expect(planMigrations(knex)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE", message });
      const absent = await refusal("select 1", { hostSchema: "nope", schema: "wa" });
      await expect(planMigrations(knex, { hostSchema: "nope", schema: "wa" })).rejects.toMatchObject({
        message: absent,
      });

      expect(message.split("\n").slice(1)).toEqual([
        expect.stringMatching(/^- "public"."conversations" is a view,/),
        expect.stringMatching(/^- "public"."messages" is a view, .* Fix: .*--host-schema/),
      ]);
      expect(absent).toContain(`The schema "nope" does not exist, so nothing was changed. Fix: `);
      expect(await migrate(knex, { hostSchema: "both", schema: "both" })).toEqual(NAMES);
    });

    test("are accepted wherever the extension of their types is, and where everything is quoted", async () => {
      const [{ name }] = (await knex.raw("select current_database() as name")).rows;
      await knex.raw(`create schema extensions; create extension citext schema extensions;
        ${conversations("session_id extensions.citext not null")};
        ${messages("external_id extensions.citext").replace("content text", "content extensions.citext")};
        alter database "${name}" set quote_all_identifiers = on`);
      const quoting = database.connect();

      expect(await migrate(quoting)).toEqual(NAMES);
      await quoting.raw("insert into messages (role) values ('user')");
      expect(await migrate(quoting)).toEqual([]);
    });

    test("are refused while an index that was to be built before is not whole, and accepted once it is", async () => {
      await knex.raw(messages("external_id text").replace("id uuid", "id uuid default gen_random_uuid()"));
      await knex.raw("insert into messages (external_id) values ('wamid.1'), ('wamid.1')");
      const build = (kind: string) =>
        knex.raw(`create ${kind} concurrently whatsapp_messages_external_id on messages (external_id)`);
      await expect(build("unique index")).rejects.toThrow("could not create unique index");

      const message = await refusal("select 1");
      await expect(planMigrations(knex)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
      await knex.raw("drop index concurrently whatsapp_messages_external_id");
      await build("index");

      expect(message).toContain(
        `"public"."whatsapp_messages_external_id" is still being built, or was given up. Nothing was changed. Fix: wait, or drop index concurrently "public"."whatsapp_messages_external_id"; and build it again or leave that to migrate.`,
      );
      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("are looked at again on every migrate, and in the host's own schema", async () => {
      await knex.raw("create schema app");
      await migrate(knex, { hostSchema: "app" });

      const message = await refusal(`alter table app.messages add tenant text not null`, { hostSchema: "app" });

      expect(message).toContain(`alter table "app"."messages" alter column "tenant" set default …;`);
    });
  });

  describe("what was added to the host's tables", () => {
    test("is missed by migrate once it is lost, column by column and with its fix", async () => {
      await migrate(knex);
      await knex.raw(`alter table messages drop column media_url; alter table conversations drop column channel_metadata;
        drop table customer_configs`);

      const error = await migrate(knex).catch((reason: Error) => reason);
      const lines = (error as Error).message.split("\n").slice(1);

      expect(error).toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
      await expect(planMigrations(knex)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
      expect(lines).toEqual([
        `- "public"."customer_configs" is not there any more. Fix: make it again (docs/reference/tables.md).`,
        `- "public"."conversations" has lost the column "channel_metadata", which we had added. Fix: alter table "public"."conversations" add column "channel_metadata" jsonb not null default '{}'::jsonb;`,
        `- "public"."messages" has lost the column "media_url", which we had added. Fix: alter table "public"."messages" add column "media_url" text;`,
      ]);
      for (const line of lines.slice(1)) await knex.raw(line.replace(/.* Fix: /, ""));
      await knex.raw(`create table customer_configs (id uuid primary key, whatsapp_enabled boolean not null default false,
        whatsapp_phone_number text, whatsapp_phone_number_id text, whatsapp_business_account_id text, whatsapp_provider text,
        whatsapp_connected_at timestamptz, whatsapp_oauth_metadata jsonb)`);
      expect(await migrate(knex)).toEqual([]);
    });

    test("stays while we are installed in another schema too, and whoever asks is told", async () => {
      await knex.raw(
        "create table messages (id uuid, conversation_id uuid, role text, content text, created_at timestamptz)",
      );
      await migrate(knex);
      await migrate(knex, { schema: "wa" });

      const plan = await whatDownDeletes(knex);
      const { sql } = await planMigrations(knex, { direction: "down" });
      await migrateDown(knex);

      expect(plan.columns).toEqual([]);
      expect(plan.keptFor).toEqual(["wa"]);
      expect(plan.tables.map(({ name }) => name)).not.toContain("public.conversations");
      expect(sql).toContain("-- What was added to the host's tables stays: we are installed in schema wa too.");
      expect(sql).not.toContain(`"public"."messages" drop column`);
      expect(await migrate(knex, { schema: "wa" })).toEqual([]);
      expect((await tablesIn(knex)).filter((table) => table.startsWith("public."))).toEqual([
        "public.conversations",
        "public.customer_configs",
        "public.messages",
      ]);
      expect((await whatDownDeletes(knex, { schema: "wa" })).keptFor).toEqual([]);
    });
  });

  describe("a schema of our own", () => {
    test("holds all our tables and functions; the host's tables stay in public", async () => {
      await migrate(knex, { schema: "wa" });

      const tables = await tablesIn(knex);
      expect(tables.filter((table) => table.startsWith("public."))).toEqual([
        "public.conversations",
        "public.customer_configs",
        "public.messages",
      ]);
      expect(tables.filter((table) => table.startsWith("wa."))).toHaveLength(tables.length - 3);
      const functions = await knex.raw("select count(*)::int from pg_proc where pronamespace = 'wa'::regnamespace");
      expect(functions.rows[0].count).toBe(3);
      expect((await migrationStatus(knex, { schema: "wa" })).pending).toEqual([]);
    });

    test("goes when we leave, but stays when it was there before or somebody else lives in it", async () => {
      const schemas = () => knex("pg_namespace").whereIn("nspname", ["wa", "shared", "theirs"]).pluck("nspname");
      await knex.raw("create schema theirs");

      for (const schema of ["wa", "shared", "theirs"]) {
        await migrate(knex, { schema });
        if (schema === "shared") await knex.raw("create table shared.guest (id int)");
        await migrateDown(knex, { schema });
      }

      expect((await schemas()).sort()).toEqual(["shared", "theirs"]);
    });

    test("may have a name that needs quotes", async () => {
      const schema = `Chat "Wa"`;

      await migrate(knex, { schema });
      const { rows } = await knex.raw(`select "Chat ""Wa""".is_whatsapp_session_active(gen_random_uuid()) as active`);

      expect(rows[0].active).toBe(false);
      expect(await migrateDown(knex, { schema })).toHaveLength(NAMES.length);
    });
  });

  describe("a host whose knex rewrites rows and names", () => {
    const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const renamed = (row: unknown) =>
      typeof row === "object" && row !== null && !(row instanceof Date)
        ? Object.fromEntries(Object.entries(row).map(([key, value]) => [camel(key), value]))
        : row;
    const rowsOf = (answer: unknown) => (answer as { rows?: unknown[] } | null)?.rows;
    const HOOKS: Readonly<Record<string, Pick<Knex.Config, "wrapIdentifier" | "postProcessResponse">>> = {
      "in camel case": {
        wrapIdentifier: (name, quote) => (name === "*" ? name : quote(snake(name))),
        postProcessResponse: (answer) => {
          if (Array.isArray(answer)) return answer.map(renamed);
          return rowsOf(answer) === undefined ? answer : { ...answer, rows: rowsOf(answer)?.map(renamed) };
        },
      },
      unwrapped: { postProcessResponse: (answer) => rowsOf(answer) ?? answer },
    };

    test.each(Object.keys(HOOKS))("%s is served as every other, and keeps its hooks", async (name) => {
      const host = knexFactory({ client: "pg", connection: database.url, pool: { min: 0, max: 2 }, ...HOOKS[name] });
      const asked = async () => JSON.stringify(await host.raw("select 1 as a_b"));
      const before = await asked();
      const both = async <T>(run: (on: Knex) => Promise<T>) => expect(await run(host)).toEqual(await run(knex));
      try {
        await knex.raw(`create table messages (id uuid primary key, conversation_id uuid, role varchar(4), content text,
          created_at timestamptz)`);
        await expect(migrate(host)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
        await knex.raw("alter table messages alter column role type text");

        await both((on) => planMigrations(on));
        expect(await migrate(host, { schema: "waData" })).toEqual(NAMES);
        await both((on) => migrationStatus(on, { schema: "waData" }));
        await both((on) => whatDownDeletes(on, { schema: "waData" }));
        await both((on) => planMigrations(on, { schema: "waData", direction: "down" }));
        await knex.withSchema("waData").table("whatsapp_migrations_lock").update({ is_locked: 1 });
        await unlockMigrations(host, { schema: "waData" });
        expect(await migrate(host, { schema: "waData" })).toEqual([]);
        expect(await migrateDown(host, { schema: "waData" })).toEqual([...NAMES].reverse());
        expect((await tablesIn(knex)).filter((table) => table.includes("whatsapp"))).toEqual([]);
        expect(await asked()).toBe(before);
      } finally {
        await host.destroy();
      }
    });
  });

  describe("a database whose transactions are serializable unless they say otherwise", () => {
    test("takes several installers at once", async () => {
      const [{ name }] = (await knex.raw("select current_database() as name")).rows;
      await knex.raw(`alter database "${name}" set default_transaction_isolation = 'serializable'`);
      const installers = Array.from({ length: 5 }, () => database.connect({ min: 0, max: 1 }));

      const applied = await Promise.all(installers.map((installer) => migrate(installer)));

      expect(applied.map((names) => names.length).sort()).toEqual([0, 0, 0, 0, NAMES.length]);
    });
  });

  describe("a newer version of this package", () => {
    beforeEach(async () => {
      await migrate(knex);
      await knex("whatsapp_migrations").insert({ name: "20301231000001_future", batch: 2, migration_time: new Date() });
    });

    test("is reported as unknown, and its database is left in peace", async () => {
      expect(await migrate(knex)).toEqual([]);
      expect(await migrationStatus(knex)).toEqual({ applied: NAMES, pending: [], unknown: ["20301231000001_future"] });
    });

    test("must go down by itself: its tables are unknown to us", async () => {
      const objects = await everythingIn(knex);

      await expect(migrateDown(knex)).rejects.toMatchObject({ code: "MIGRATION_UNKNOWN" });

      expect(await everythingIn(knex)).toEqual(objects);
    });
  });

  describe("a crash in the middle", () => {
    test("of a migration leaves nothing half done and no lock", async () => {
      await knex.raw("create domain whatsapp_outbox as text");
      const objects = await everythingIn(knex);

      await expect(migrate(knex)).rejects.toThrow(`type "whatsapp_outbox" already exists`);

      expect(await everythingIn(knex)).toEqual(objects);
      await knex.raw("drop domain whatsapp_outbox");
      expect(await migrate(knex)).toEqual(NAMES);
    });

    test("of the connection leaves nothing half done and no lock", async () => {
      await knex.raw("create table customer_configs (id uuid primary key, domain text)");
      await knex.raw(
        "create table messages (id uuid, conversation_id uuid, role text, content text, created_at timestamptz)",
      );
      const objects = await everythingIn(knex);
      const busy = await database.connect().transaction();
      await busy.raw("lock table messages in access exclusive mode");
      const installer = database.connect({ min: 0, max: 1 });
      const outcome = migrate(installer).catch((error: Error) => error);

      await expect.poll(() => waitingFor(knex, "alter table"), { interval: 20, timeout: 15_000 }).toHaveLength(1);
      const [pid] = await waitingFor(knex, "alter table");
      await knex.raw("select pg_terminate_backend(?)", [pid ?? null]);

      expect(await outcome).toBeInstanceOf(Error);
      await busy.rollback();
      expect(await everythingIn(knex)).toEqual(objects);
      expect(await migrate(installer)).toEqual(NAMES);
    });

    test("under a host's own knex, which left our lock row set, is healed by unlock", async () => {
      await migrate(knex);
      await knex("whatsapp_migrations_lock").update({ is_locked: 1 });
      await expect(migrate(knex)).rejects.toThrow();

      await unlockMigrations(knex);

      expect(await migrate(knex)).toEqual([]);
    });

    test("needs no unlock where nothing is installed: unlock changes nothing", async () => {
      const objects = await everythingIn(knex);

      await unlockMigrations(knex);

      expect(await everythingIn(knex)).toEqual(objects);
    });
  });

  describe("row level security", () => {
    const policies = async () =>
      (await knex.raw("select tablename from pg_policies where policyname = 'whatsapp_service_role' order by 1")).rows;
    const secured = async () =>
      (
        await knex.raw(`select relname from pg_class where relkind = 'r' and relrowsecurity
          and relnamespace = 'public'::regnamespace order by 1`)
      ).rows;
    const ours = async () =>
      (
        await knex.raw(`select table_name from information_schema.tables
          where table_schema = 'public' and table_name like 'whatsapp\\_%' order by 1`)
      ).rows;

    test("is on for every table of ours, the ledger and its lock included, and for none that the host has made", async () => {
      await knex.raw(`create table customer_configs (id uuid primary key);
        create table conversations (id uuid primary key default gen_random_uuid())`);

      await migrate(knex);

      const expected = (await ours()).map((row: { table_name: string }) => ({ relname: row.table_name }));
      expect(expected.length).toBeGreaterThan(10);
      expect(await secured()).toEqual([{ relname: "messages" }, ...expected]);
    });

    test("has a policy for service_role on every table where that role exists, and needs no such role", async ({
      skip,
    }) => {
      skip(!(await mayCreateRoles(knex)), "needs a user that may create roles");
      await withRole(knex, "service_role", async () => {
        await migrate(knex);

        const expected = (await ours()).map((row: { table_name: string }) => ({ tablename: row.table_name }));
        expect(await policies()).toEqual([...HOSTS.map((tablename) => ({ tablename })), ...expected]);
        await knex.raw("grant all on all tables in schema public to service_role");
        await knex.transaction(async (trx) => {
          await trx.raw("set local role service_role");
          await trx("whatsapp_webhooks").insert({ webhook_type: "message", body: Buffer.from("{}") });
        });
        await migrateDown(knex);
      });

      expect(await migrate(knex)).toEqual(NAMES);
      expect(await policies()).toEqual([]);
    });

    describe("of the host's tables that we had to create", () => {
      const HOSTS_CLOSED = "20261128000005_host_tables_closed";
      /** As an older version left them. */
      const migrateAsBefore = async () => {
        await migrate(knex);
        await hostTablesClosed.down(knex, { schema: "public", hostSchema: "public" });
        await knex("whatsapp_migrations").where({ name: HOSTS_CLOSED }).delete();
      };
      const securedHosts = async () =>
        (await secured())
          .map(({ relname }: { relname: string }) => relname)
          .filter((name: string) => HOSTS.includes(name));
      const remembered = () => knex("whatsapp_host_changes").where({ kind: "row security" }).pluck("table_name");
      /** How many conversations a role sees, and whether it may add one. */
      const as = (role: string) =>
        knex.transaction(async (trx) => {
          await trx.raw(`set local role ${role}`);
          const seen = (await trx("conversations").select()).length;
          const added = await trx.raw("insert into conversations default values").then(
            () => true,
            () => false,
          );
          return { seen, added };
        });

      test("is on after an upgrade, and the owner goes on as before", async () => {
        await migrateAsBefore();
        expect(await securedHosts()).toEqual([]);

        expect(await migrate(knex)).toEqual([HOSTS_CLOSED]);

        expect([await securedHosts(), await remembered()]).toEqual([
          HOSTS,
          ["customer_configs", "conversations", "messages"],
        ]);
        await knex.raw("insert into conversations default values");
        expect(await knex("conversations").select()).toHaveLength(1);
      });

      test("leaves whoever was granted them what they have, and shuts out Supabase's anybody", async ({ skip }) => {
        skip(!(await mayCreateRoles(knex)), "needs a user that may create roles");
        await withRole(knex, "anon", () =>
          withRole(knex, "authenticated", async () => {
            const app = `app_${process.pid}_${Date.now()}`;
            await withRole(knex, app, async () => {
              await migrateAsBefore();
              await knex.raw(`insert into conversations default values;
                grant select, insert on customer_configs, conversations, messages to ${app}, anon, authenticated`);

              await migrate(knex);

              expect(await as(app)).toEqual({ seen: 1, added: true });
              for (const role of ["anon", "authenticated"])
                expect([role, await as(role)]).toEqual([role, { seen: 0, added: false }]);
              await migrateDown(knex);
            });
          }),
        );
      });

      test("is the host's own affair where it has seen to it, or has granted them to everybody", async () => {
        await migrateAsBefore();
        await knex.raw(`alter table customer_configs enable row level security;
          create policy own on conversations using (true);
          grant select on messages to public`);
        const before = await everythingIn(knex);

        await migrate(knex);

        expect([await securedHosts(), await remembered()]).toEqual([["customer_configs"], []]);
        await hostTablesClosed.down(knex, { schema: "public", hostSchema: "public" });
        expect(await everythingIn(knex)).toEqual(before);
      });

      test("is taken back where we did it, but where the host has policies on it since", async () => {
        await migrate(knex);
        await knex.raw("create policy own on messages using (true)");

        await hostTablesClosed.down(knex, { schema: "public", hostSchema: "public" });

        expect([await securedHosts(), await remembered()]).toEqual([["messages"], []]);
      });

      test("stands in the plan", async () => {
        const { sql } = await planMigrations(knex);

        expect(sql).toContain("alter table %s enable row level security");
        expect((await planMigrations(knex, { direction: "down" })).sql).toBe("");
      });
    });

    test("that hides our ledger from a role is told to it, and never that our tables are somebody else's", async ({
      skip,
    }) => {
      skip(!(await mayCreateRoles(knex)), "needs a user that may create roles");
      await migrate(knex);
      const role = `app_${process.pid}_${Date.now()}`;
      await knex.raw(`create role ${role}; grant all on schema public to ${role};
        grant all on all tables in schema public to ${role}`);
      const asRole = (run: (trx: Knex) => Promise<unknown>) =>
        knex.transaction(async (trx) => {
          await trx.raw(`set local role ${role}`);
          return run(trx).catch((error: unknown) => error);
        });
      try {
        for (const run of [
          migrationStatus,
          migrate,
          planMigrations,
          migrateDown,
          whatDownDeletes,
          (trx: Knex) => planMigrations(trx, { direction: "down" }),
        ])
          expect(await asRole((trx) => run(trx))).toMatchObject({
            code: "MIGRATIONS_HIDDEN",
            message: expect.stringContaining(`"${role}"`),
          });

        await knex.raw(`create policy app on whatsapp_migrations for all to ${role} using (true)`);
        expect(await asRole((trx) => migrationStatus(trx))).toEqual({ applied: NAMES, pending: [], unknown: [] });
      } finally {
        await knex.raw(`drop owned by ${role}; drop role ${role}`);
      }
    });
  });
});

async function hostRows(knex: Knex) {
  return {
    configs: await knex("customer_configs").select(),
    conversations: await knex("conversations").select(),
    messages: await knex("messages").select(),
  };
}

async function tablesIn(knex: Knex): Promise<readonly string[]> {
  const { rows } = await knex.raw(`select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') order by 1`);
  return rows.map((row: { name: string }) => row.name);
}

async function waitingFor(knex: Knex, statement: string): Promise<readonly number[]> {
  const { rows } = await knex.raw(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like ?`,
    [`${statement}%`],
  );
  return rows.map((row: { pid: number }) => row.pid);
}

async function mayCreateRoles(knex: Knex): Promise<boolean> {
  const { rows } = await knex.raw("select rolcreaterole or rolsuper as may from pg_roles where rolname = current_user");
  return rows[0].may;
}

/** Roles belong to the server, so only one test may make it, and only when it is not there already. */
async function withRole(knex: Knex, role: string, run: () => Promise<void>): Promise<void> {
  const found = await knex.raw("select 1 from pg_roles where rolname = ?", [role]);
  if (found.rows.length > 0) return run();
  await knex.raw(`create role ${role}`);
  try {
    await run();
  } finally {
    await knex.raw(`drop owned by ${role}; drop role ${role}`);
  }
}
