/** A host's tables that we may not use, or that have changed under us: said where it is looked for, and not found out by dead letters. */
import { runDoctor, type SendRequest } from "@omniops/whatsapp";
import { afterEach, describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  APP_SECRET,
  allQuiet,
  NUMBER,
  quiet,
  startChannel,
  TENANT,
  type TestChannel,
  TOKEN_KEYS,
  VERIFY_TOKEN,
} from "../support/channel.ts";
import { createHostRole, type HostRole } from "../support/host-role.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A host whose role is no superuser: connected, and not started. */
async function connected(
  options: Parameters<typeof startChannel>[0] = {},
): Promise<HostRole & { channel: TestChannel }> {
  const host = await createHostRole();
  const channel = await startChannel({
    database: host.database,
    plugin: { knex: host.knex },
    start: false,
    ...options,
  });
  stops.push(channel.stop, host.drop);
  return { ...host, channel };
}

async function examined({ knex }: HostRole) {
  const { checks } = await runDoctor(knex, {
    config: { metaAppSecret: APP_SECRET, verifyToken: VERIFY_TOKEN, tokenKeys: TOKEN_KEYS },
    offline: true,
  });
  return checks.find(({ id }) => id === "host-tables");
}

const connect = ({ plugin }: TestChannel) =>
  plugin.connect({
    customerConfigId: TENANT,
    accessToken: ACCESS_TOKEN,
    phoneNumberId: NUMBER.phoneNumberId,
    wabaId: NUMBER.wabaId,
  });

const guard = (table: string) =>
  `alter table ${table} enable row level security; alter table ${table} force row level security`;

describe("start and the doctor", () => {
  it.each<[string, string, string]>([
    [
      "a column of ours that the host has dropped",
      "alter table messages drop column media_url",
      `alter table "public"."messages" add column media_url text;`,
    ],
    ["a table that is gone", "drop table messages", "docs/reference/tables.md"],
  ])("name %s, and nothing is started", async (_what, sql, fix) => {
    const host = await connected();
    expect(await examined(host)).toMatchObject({ state: "ok" });

    await host.knex.raw(sql);

    await expect(host.channel.plugin.start()).rejects.toMatchObject({
      code: "HOST_TABLE_INCOMPATIBLE",
      message: expect.stringContaining(fix),
    });
    expect(await examined(host)).toMatchObject({ state: "problem", fix: expect.stringContaining(fix) });
  });

  it("name a right that is lacking, and a right to columns is one", async () => {
    const host = await connected();
    await host.knex.raw(
      `revoke insert on messages from ${host.role}; revoke select on conversations from ${host.role}`,
    );
    const fix = `grant insert on "public"."messages" to ${host.role};`;

    await expect(host.channel.plugin.start()).rejects.toMatchObject({ message: expect.stringContaining(fix) });
    expect(await examined(host)).toMatchObject({
      state: "problem",
      fix: expect.stringContaining(`grant select on "public"."conversations" to ${host.role};`),
    });

    await host.knex.raw(`grant select (id, channel_metadata, customer_config_id) on conversations to ${host.role};
      grant insert (conversation_id, role) on messages to ${host.role}`);
    expect(await examined(host)).toMatchObject({ state: "ok" });
  });

  it("warn of row level security that may hide rows, and say nothing of one that lets us", async () => {
    const host = await connected();
    await host.knex.raw(`${guard("messages")}; create policy s on messages for select using (true);
      create policy i on messages for insert with check (true);
      create policy u on messages for update using (current_setting('app.tenant', true) <> '')`);
    const fix = `create policy whatsapp on "public"."messages" to ${host.role} using (true) with check (true);`;

    await host.channel.plugin.start();

    expect(host.channel.logs.filter(({ message }) => message === "host tables: look")).toMatchObject([
      { level: "warn", fields: { seen: expect.stringContaining("(update)"), fix: expect.stringContaining(fix) } },
    ]);
    expect(await examined(host)).toMatchObject({ state: "warning", fix: expect.stringContaining(fix) });
    await host.knex.raw(fix);
    expect(await examined(host)).toMatchObject({ state: "ok" });
  });
});

describe("connecting", () => {
  it("says that row level security may hide the tenant, and not that there is none", async () => {
    const host = await connected({ connect: false });
    await host.knex.raw(guard("customer_configs"));

    await expect(connect(host.channel)).rejects.toMatchObject({
      code: "HOST_TABLE_INCOMPATIBLE",
      message: expect.stringContaining(`"public"."customer_configs"`),
    });
  });

  it("says which table it may not write to", async () => {
    const host = await connected({ connect: false });
    await host.knex.raw(`revoke update on customer_configs from ${host.role}`);

    await expect(connect(host.channel)).rejects.toMatchObject({
      code: "HOST_TABLE_INCOMPATIBLE",
      message: expect.stringContaining(`"public"."customer_configs"`),
    });
  });
});

describe("a send", () => {
  it.each<[string, string, string]>([
    ["hides the conversation", "conversations", "select 1"],
    ["refuses the message", "messages", "create policy s on messages for select using (true)"],
  ])("says which table's row level security %s", async (_what, table, policy) => {
    const host = await connected();
    await host.channel.plugin.start();
    host.channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await allQuiet(host.channel);
    const [contact] = await host.channel.rows<{ id: string }>("select conversation_id as id from whatsapp_contacts");
    await host.knex.raw(`${guard(table)}; ${policy}`);

    const sending = host.channel.plugin.send({ conversationId: contact?.id ?? "", response: "hi" });

    await expect(sending).rejects.toMatchObject({
      code: "HOST_TABLE_INCOMPATIBLE",
      message: expect.stringContaining(`"public"."${table}"`),
    });
  });

  it.each<[string, Pick<SendRequest, "response" | "template">]>([
    ["an answer", { response: "hi" }],
    ["a template", { template: { name: "hello_again", language: "en_GB" } }],
  ])(
    "that is repeated has its receipt, where row level security may be why the conversation is gone: %s",
    async (_what, said) => {
      const host = await connected();
      await host.channel.plugin.start();
      host.channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
      await allQuiet(host.channel);
      const [contact] = await host.channel.rows<{ id: string }>("select conversation_id as id from whatsapp_contacts");
      const request = { conversationId: contact?.id ?? "", idempotencyKey: "order-7", ...said };
      const { sendId } = await host.channel.plugin.send(request);
      await quiet(host.channel);

      await host.channel.rows("delete from messages");
      await host.channel.rows("delete from conversations");
      await host.knex.raw(`${guard("conversations")}; create policy s on conversations using (channel = 'whatsapp')`);

      expect((await host.channel.plugin.send(request)).sendId).toBe(sendId);
      await expect(host.channel.plugin.send({ ...request, idempotencyKey: "order-8" })).rejects.toMatchObject({
        code: "HOST_TABLE_INCOMPATIBLE",
      });
    },
  );
});
