/** The integration guide's SQL, word for word, on a migrated database: what an operator pastes must answer sensibly. */
import type { Knex } from "knex";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

const TENANT = "00000000-0000-4000-8000-000000000001";
const CONVERSATION = "00000000-0000-4000-8000-0000000000c1";

const MESSAGE_PAYLOAD = {
  object: "whatsapp_business_account",
  entry: [
    {
      id: "102290129340398",
      changes: [{ field: "messages", value: { messages: [{ id: "wamid.1", text: { body: "Hello" } }] } }],
    },
  ],
};

let database: TestDatabase;
let knex: Knex;

describe("the guide's queries", () => {
  beforeAll(async () => {
    database = await createTestDatabase();
    knex = database.knex;
    await knex("customer_configs").insert({ id: TENANT, domain: "a.example", whatsapp_enabled: true });
    await knex.raw(
      `insert into whatsapp_webhooks (webhook_type, body, payload, processed, error, created_at) values
        ('message', '\\x7b7d', :payload, true, null, now() - interval '2 minutes'),
        ('status', '\\x7b7d', '{"entry": []}', false, null, now() - interval '1 minute'),
        ('unsupported', '\\xff', null, false, 'not JSON', now())`,
      { payload: JSON.stringify(MESSAGE_PAYLOAD) },
    );
    await knex.raw(
      `with connection as (
        insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number)
        values (:tenant, '106540352242922', '102290129340398', '+1 555-777-0100') returning id)
      insert into whatsapp_oauth_tokens (customer_config_id, connection_id, access_token_enc, expires_at, scopes, token_metadata)
      select :tenant, id, 'k1:sealed', '2027-01-01T00:00:00Z', '{whatsapp_business_messaging}', '{"type": "SYSTEM_USER"}'
      from connection`,
      { tenant: TENANT },
    );
    await knex("conversations").insert([
      {
        id: CONVERSATION,
        customer_config_id: TENANT,
        channel: "whatsapp",
        channel_metadata: { whatsapp: { phone_number_id: "1" } },
      },
      { id: TENANT, customer_config_id: TENANT },
    ]);
    await knex("messages").insert([
      { conversation_id: CONVERSATION, role: "user", content: "Hello", created_at: "2026-11-01T10:00:00Z" },
      {
        conversation_id: CONVERSATION,
        role: "user",
        content: "A photo",
        media_type: "image",
        created_at: "2026-11-01T10:00:01Z",
      },
      { conversation_id: TENANT, role: "user", content: "On the web" },
    ]);
    await knex.raw("select extend_whatsapp_session(?::uuid, '447700900123')", [CONVERSATION]);
    return database.drop;
  });

  test("Verify Migration: the four tables exist", async () => {
    const { rows } = await knex.raw(`
-- Check new tables exist
SELECT table_name
FROM information_schema.tables
WHERE table_name IN (
  'whatsapp_templates',
  'whatsapp_sessions',
  'whatsapp_webhooks',
  'whatsapp_oauth_tokens'
);`);

    expect(rows.map((row: { table_name: string }) => row.table_name).sort()).toEqual([
      "whatsapp_oauth_tokens",
      "whatsapp_sessions",
      "whatsapp_templates",
      "whatsapp_webhooks",
    ]);
  });

  test("Verify Migration: customer_configs has its WhatsApp columns", async () => {
    const { rows } = await knex.raw(`
-- Check new columns on customer_configs
SELECT column_name
FROM information_schema.columns
WHERE table_name = 'customer_configs'
  AND column_name LIKE 'whatsapp%';`);

    expect(rows.map((row: { column_name: string }) => row.column_name).sort()).toEqual([
      "whatsapp_business_account_id",
      "whatsapp_connected_at",
      "whatsapp_enabled",
      "whatsapp_oauth_metadata",
      "whatsapp_phone_number",
      "whatsapp_phone_number_id",
      "whatsapp_provider",
    ]);
  });

  test("Verify Migration: a conversation that does not exist has no active session", async () => {
    const { rows } = await knex.raw(`
-- Test session management function
SELECT is_whatsapp_session_active('00000000-0000-0000-0000-000000000000'::uuid);`);

    expect(rows).toEqual([{ is_whatsapp_session_active: false }]);
  });

  test("Monitor Webhooks: the recent ones, newest first, also one that was not JSON", async () => {
    const { rows } = await knex.raw(`
-- View recent webhooks
SELECT
  webhook_type,
  payload->>'entry' as entry,
  processed,
  created_at
FROM whatsapp_webhooks
ORDER BY created_at DESC
LIMIT 10;`);

    expect(rows).toEqual([
      { webhook_type: "unsupported", entry: null, processed: false, created_at: expect.any(Date) },
      { webhook_type: "status", entry: "[]", processed: false, created_at: expect.any(Date) },
      {
        webhook_type: "message",
        entry: expect.stringContaining("102290129340398"),
        processed: true,
        created_at: expect.any(Date),
      },
    ]);
  });

  test("Monitor Webhooks: the unprocessed ones, oldest first, with their error", async () => {
    const { rows } = await knex.raw(`
-- View unprocessed webhooks
SELECT *
FROM whatsapp_webhooks
WHERE processed = FALSE
ORDER BY created_at ASC;`);

    expect(rows).toMatchObject([
      { webhook_type: "status", error: null, body: Buffer.from("{}") },
      { webhook_type: "unsupported", error: "not JSON", body: Buffer.from([0xff]) },
    ]);
  });

  test("Test OAuth Flow: the newest token, described without the token", async () => {
    const { rows } = await knex.raw(`
SELECT
  customer_config_id,
  provider,
  expires_at,
  scopes,
  token_metadata
FROM whatsapp_oauth_tokens
ORDER BY created_at DESC
LIMIT 1;`);

    expect(rows).toEqual([
      {
        customer_config_id: TENANT,
        provider: "meta",
        expires_at: new Date("2027-01-01T00:00:00Z"),
        scopes: ["whatsapp_business_messaging"],
        token_metadata: { type: "SYSTEM_USER" },
      },
    ]);
  });

  test("Test Webhook Reception: the last message as Meta sent it", async () => {
    const { rows } = await knex.raw(`
SELECT
  webhook_type,
  payload->'entry'->0->'changes'->0->'value'->'messages'->0 as message,
  processed,
  created_at
FROM whatsapp_webhooks
WHERE webhook_type = 'message'
ORDER BY created_at DESC
LIMIT 1;`);

    expect(rows).toMatchObject([
      { webhook_type: "message", message: { id: "wamid.1", text: { body: "Hello" } }, processed: true },
    ]);
  });

  test("Test Webhook Reception: the messages saved from WhatsApp, newest first, none of another channel", async () => {
    const { rows } = await knex.raw(`
SELECT
  c.channel,
  c.channel_metadata->>'whatsapp' as whatsapp_data,
  m.content,
  m.media_type,
  m.created_at
FROM messages m
JOIN conversations c ON m.conversation_id = c.id
WHERE c.channel = 'whatsapp'
ORDER BY m.created_at DESC
LIMIT 5;`);

    expect(rows).toMatchObject([
      { channel: "whatsapp", whatsapp_data: '{"phone_number_id": "1"}', content: "A photo", media_type: "image" },
      { channel: "whatsapp", whatsapp_data: '{"phone_number_id": "1"}', content: "Hello", media_type: null },
    ]);
  });

  test("Test Session Management: the active sessions", async () => {
    const { rows } = await knex.raw(`
-- Check active sessions
SELECT
  phone_number,
  session_start,
  session_expires,
  is_active,
  session_expires > NOW() as still_valid
FROM whatsapp_sessions
WHERE is_active = TRUE
ORDER BY created_at DESC;`);

    expect(rows).toMatchObject([{ phone_number: "447700900123", is_active: true, still_valid: true }]);
    expect(rows[0].session_expires - rows[0].session_start).toBe(24 * 60 * 60 * 1000);
  });

  test("Test Session Management: the session of a conversation by its id", async () => {
    const { rows } = await knex.raw(
      `
-- Test session function
SELECT is_whatsapp_session_active('YOUR_CONVERSATION_ID'::uuid);`.replace("YOUR_CONVERSATION_ID", CONVERSATION),
    );

    expect(rows).toEqual([{ is_whatsapp_session_active: true }]);
  });
});

/** Every test is one transaction, in which `now()` stands still: an edge of a second is exact. */
describe("a service window", () => {
  let trx: Knex.Transaction;
  beforeEach(async () => {
    database = await createTestDatabase();
    trx = await database.knex.transaction();
    return async () => {
      await trx.rollback();
      await database.drop();
    };
  });

  const extend = (age: string, phone: string | null = "447700900123") =>
    trx.raw("select extend_whatsapp_session(?::uuid, ?::text, now() - ?::interval)", [CONVERSATION, phone, age]);

  const window = async () => {
    const { rows } = await trx.raw(
      `select extract(epoch from now() - session_start)::int as started, extract(epoch from session_expires - now())::int as left,
        is_active, is_whatsapp_session_active(conversation_id) as active, phone_number as phone from whatsapp_sessions`,
    );
    return rows[0];
  };

  const HOUR = 60 * 60;

  test("is 24 hours from a message without a time, and says when it ends", async () => {
    const { rows } = await trx.raw(
      "select extend_whatsapp_session(?::uuid, '447700900123') - now() = interval '24 hours' as a_day",
      [CONVERSATION],
    );

    expect(rows).toEqual([{ a_day: true }]);
    expect(await window()).toEqual({
      started: 0,
      left: 24 * HOUR,
      is_active: true,
      active: true,
      phone: "447700900123",
    });
  });

  test("is 24 hours from now for a message from the future", async () => {
    await extend("-2 hours");

    expect(await window()).toMatchObject({ started: 0, left: 24 * HOUR, active: true });
  });

  test("is open one second before its end, and closed one second after", async () => {
    await extend("24 hours -1 second");
    expect(await window()).toMatchObject({ left: 1, is_active: true, active: true });

    await trx("whatsapp_sessions").delete();
    await extend("24 hours 1 second");
    expect(await window()).toMatchObject({ left: -1, is_active: false, active: false });
  });

  test("is closed at its very end", async () => {
    await extend("24 hours");

    expect(await window()).toMatchObject({ left: 0, is_active: false, active: false });
  });

  test("is closed the moment it has expired, whatever is_active says", async () => {
    await extend("1 hour");
    await trx.raw("update whatsapp_sessions set session_expires = now()");

    expect(await window()).toMatchObject({ is_active: true, active: false });
  });

  test("is closed when is_active was taken away, and opened again by the next message", async () => {
    await extend("1 hour");
    await trx("whatsapp_sessions").update({ is_active: false });
    expect(await window()).toMatchObject({ active: false });

    await extend("0 seconds");
    expect(await window()).toMatchObject({ is_active: true, active: true });
  });

  test("grows with a newer message and keeps its start", async () => {
    await extend("5 hours");
    await extend("1 hour");

    expect(await window()).toMatchObject({ started: 5 * HOUR, left: 23 * HOUR });
  });

  test("is never shortened by an older message that comes late", async () => {
    await extend("1 hour");
    await extend("5 hours");

    expect(await window()).toMatchObject({ started: 5 * HOUR, left: 23 * HOUR, active: true });
  });

  test("is not stretched back to a message of an earlier window", async () => {
    await extend("1 hour");
    await extend("3 days");

    expect(await window()).toMatchObject({ started: HOUR, left: 23 * HOUR, active: true });
  });

  test("starts anew with a message after the last one has ended", async () => {
    await extend("3 days");
    await extend("2 hours");

    expect(await window()).toMatchObject({ started: 2 * HOUR, left: 22 * HOUR, is_active: true, active: true });
  });

  test("keeps the number when Meta withholds it, and takes a new one", async () => {
    await extend("3 hours");
    await extend("2 hours", null);
    expect(await window()).toMatchObject({ phone: "447700900123" });

    await extend("1 hour", "447700900124");
    expect(await window()).toMatchObject({ phone: "447700900124" });
  });
});
