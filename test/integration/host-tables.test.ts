/** Host tables that `migrate` accepts are written to: a message comes in and is answered in whatever shape a host's tables have. */
import { migrate } from "@omniops/whatsapp/migrations";
import { describe, expect, it } from "vitest";
import { allQuiet, startChannel, TENANT } from "../support/channel.ts";
import { createTestDatabase } from "../support/postgres.ts";

const SHAPES: Readonly<Record<string, string>> = {
  "a role that is an enum":
    "create type speaker as enum ('user', 'assistant', 'system'); alter table messages alter role type speaker using role::speaker",
  "a role of a domain over an enum": `create type speaker as enum ('user', 'assistant'); create domain who as speaker;
    alter table messages alter role type who using role::speaker`,
  "a channel that is an enum":
    "create type way as enum ('web', 'whatsapp'); alter table conversations add channel way not null default 'web'",
  "a session id of type citext": "create extension citext; alter table conversations add session_id citext not null",
  "a session id of a domain over text":
    "create domain sid as text check (length(value) < 100); alter table conversations add session_id sid not null",
  "a session id just long enough": "alter table conversations add session_id varchar(36) not null",
  "an optional session id that is too short": "alter table conversations add session_id varchar(20)",
  "texts of types of their own": `create domain words as text; create extension citext;
    alter table messages alter content type words, alter role type citext, add status words, add external_id citext, add media_url words`,
};

it("schemas whose names need quotes is written to", async () => {
  const database = await createTestDatabase({ empty: true });
  const [schema, hostSchema] = [`Chat "Wa"`, `The "Host"`];
  await database.knex.raw(`create schema "The ""Host"""`);
  await migrate(database.knex, { schema, hostSchema });
  await database.knex.raw(`insert into "The ""Host""".customer_configs (id) values (?)`, [TENANT]);
  // Where the test's own channel puts its tenant.
  await database.knex.raw("create table customer_configs (id uuid primary key)");
  const channel = await startChannel({ database, plugin: { schema, hostSchema } });
  const ada = channel.meta.person({ name: "Ada" });

  ada.says("hello");
  await channel.until(() => ada.transcript().some(({ text }) => text === "You said: hello"), "the answer");

  expect(await channel.rows(`select content from "The ""Host""".messages order by created_at`)).toEqual([
    { content: "hello" },
    { content: "You said: hello" },
  ]);
  await channel.stop();
  await database.drop();
});

describe("a host with", () => {
  it.each(Object.entries(SHAPES))("%s", async (_, sql) => {
    const database = await createTestDatabase({ empty: true });
    await database.knex.raw(`
      create table customer_configs (id uuid primary key);
      create table conversations (id uuid primary key default gen_random_uuid());
      create table messages (id uuid primary key default gen_random_uuid(), conversation_id uuid not null, role text not null,
        content text not null, created_at timestamptz default now());
      ${sql}`);
    await migrate(database.knex);
    await database.knex.raw("insert into customer_configs (id) values (?)", [TENANT]);
    const channel = await startChannel({ database });
    const ada = channel.meta.person({ name: "Ada" });

    ada.says("hello");
    await allQuiet(channel);

    expect(await channel.rows("select last_error from whatsapp_events where last_error is not null")).toEqual([]);
    expect(await channel.rows("select role::text, content::text from messages order by created_at")).toEqual([
      { role: "user", content: "hello" },
      { role: "assistant", content: "You said: hello" },
    ]);
    const [conversation] = await channel.rows<{ id: string; channel: string; session_id?: string | null }>(
      "select * from conversations",
    );
    expect(conversation?.channel).toBe("whatsapp");
    if (sql.includes("session_id"))
      expect(conversation?.session_id).toBe(sql.includes("varchar(20)") ? null : conversation?.id);
    await channel.stop();
    await database.drop();
  });
});
