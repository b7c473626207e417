/** Connecting a number with a token: proven at Meta, sealed at rest, one tenant at a time. */
import type { ConnectRequest } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  APP_SECRET,
  allQuiet,
  NUMBER,
  TENANT,
  type TestChannel,
  type TestChannelOptions,
  TOKEN_KEYS,
} from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const REQUEST: ConnectRequest = {
  customerConfigId: TENANT,
  accessToken: ACCESS_TOKEN,
  phoneNumberId: NUMBER.phoneNumberId,
  wabaId: NUMBER.wabaId,
};
/** In another account, which the same token sees. */
const ELSEWHERE = { ...NUMBER, phoneNumberId: "301777000333888", wabaId: "201555000111888" };

async function startUnconnected(options: TestChannelOptions = {}): Promise<TestChannel> {
  const channel = await channelFor({ connect: false, ...options });
  await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
  return channel;
}

/** Every value of every column of every table, as text. */
async function dump(channel: TestChannel): Promise<string> {
  const tables = await channel.rows<{ name: string }>(
    "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'",
  );
  const texts = await Promise.all(
    tables.map(({ name }) => channel.rows<{ t: string }>(`select t::text as t from ${name} t`)),
  );
  return texts.flatMap((rows) => rows.map(({ t }) => t)).join("\n");
}

async function stored(channel: TestChannel): Promise<unknown> {
  const connections = await channel.rows("select * from whatsapp_connections order by phone_number_id");
  const tokens = await channel.rows("select * from whatsapp_oauth_tokens order by connection_id");
  return { connections, tokens };
}

const NOTHING = { connections: [], tokens: [] };

describe("connect", () => {
  it("binds a number to its tenant, as Meta shows it", async () => {
    const channel = await startUnconnected();

    const connection = await channel.plugin.connect(REQUEST);

    expect(connection).toEqual({
      connectionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      customerConfigId: TENANT,
      phoneNumberId: NUMBER.phoneNumberId,
      wabaId: NUMBER.wabaId,
      displayPhoneNumber: NUMBER.displayPhoneNumber,
      verifiedName: NUMBER.verifiedName,
      qualityRating: "GREEN",
      state: "connected",
      reason: null,
    });
    const [config] = await channel.rows("select * from customer_configs where id = ?", [TENANT]);
    expect(config).toMatchObject({
      whatsapp_enabled: true,
      whatsapp_phone_number: NUMBER.displayPhoneNumber,
      whatsapp_phone_number_id: NUMBER.phoneNumberId,
      whatsapp_business_account_id: NUMBER.wabaId,
      whatsapp_provider: "meta",
      whatsapp_connected_at: expect.any(Date),
    });
  });

  it("subscribes the account once the number is stored: a number that leaves meanwhile finds it in use", async () => {
    const stored: boolean[] = [];
    const channel = await startUnconnected({
      plugin: {
        async fetch(url, init) {
          if (init?.method === "POST" && new URL(String(url)).pathname.endsWith("/subscribed_apps"))
            stored.push(
              (await channel.rows("select 1 from whatsapp_connections where state = 'connected'")).length > 0,
            );
          return fetch(url, init);
        },
      },
    });

    await channel.plugin.connect(REQUEST);

    expect(stored).toEqual([true]);
  });

  it("leaves the token nowhere but sealed: not in the database, not in the logs, not in what it returns", async () => {
    const channel = await startUnconnected();
    const connection = await channel.plugin.connect(REQUEST);
    channel.meta.person({ name: "Ada" }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);

    const everything = `${await dump(channel)} ${JSON.stringify([connection, channel.logs, channel.events])}`;
    expect(everything).toContain(NUMBER.phoneNumberId);
    const [, key = ""] = TOKEN_KEYS.split(":");
    for (const secret of [ACCESS_TOKEN, Buffer.from(ACCESS_TOKEN).toString("base64").slice(0, 20), APP_SECRET, key])
      expect(everything).not.toContain(secret);
    expect(everything).toMatch(/v1\.k1\./);
  });

  it("sends whatever waited for the number: what people wrote before is answered after", async () => {
    const channel = await startUnconnected();
    const ada = channel.meta.person({ name: "Ada" });
    ada.says("anybody there?");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_events where state = 4"))[0],
      "the message to be stored for later",
    );
    expect(channel.events).toEqual([]);

    await channel.plugin.connect(REQUEST);

    await channel.meta.waitFor(() => ada.transcript().some(({ text }) => text === "You said: anybody there?"));
  });

  it("twice is a renewal: the same connection, the newer token", async () => {
    const channel = await startUnconnected({
      meta: { numbers: [NUMBER, { ...NUMBER, phoneNumberId: "301777000333999", accessToken: "EAAtheNewToken" }] },
    });
    const first = await channel.plugin.connect(REQUEST);
    channel.meta.revokeToken();

    const second = await channel.plugin.connect({ ...REQUEST, accessToken: "EAAtheNewToken" });
    channel.meta.person({ name: "Ada" }).says("hello");

    expect(second).toEqual(first);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    expect(await channel.rows("select 1 from whatsapp_oauth_tokens")).toHaveLength(1);
  });

  it("at once from many sides makes one connection", async () => {
    const channel = await startUnconnected();

    const connections = await Promise.all(Array.from({ length: 6 }, () => channel.plugin.connect(REQUEST)));

    expect(new Set(connections.map(({ connectionId }) => connectionId)).size).toBe(1);
  });
});

describe("connect refuses, and stores nothing", () => {
  it.each<[string, Partial<ConnectRequest>, object]>([
    ["a tenant that is no uuid", { customerConfigId: "1" }, { code: "REQUEST_INVALID" }],
    [
      "a tenant that the host does not have",
      { customerConfigId: "99999999-9999-4999-8999-999999999999" },
      { code: "REQUEST_INVALID" },
    ],
    ["no token", { accessToken: "" }, { code: "REQUEST_INVALID" }],
    ["a token with a line break", { accessToken: `${ACCESS_TOKEN}\n` }, { code: "REQUEST_INVALID" }],
    ["a token with what no header may hold", { accessToken: "EAA🙂" }, { code: "REQUEST_INVALID" }],
    ["a wrong token", { accessToken: "EAAwrong" }, { code: "GRAPH_REJECTED", retry: "reauth", meta: { code: 190 } }],
    ["a phone number id that is no id", { phoneNumberId: "../me" }, { code: "REQUEST_INVALID" }],
    ["an account id that is no id", { wabaId: "me" }, { code: "REQUEST_INVALID" }],
    [
      "a number that Meta does not show",
      { phoneNumberId: "301777000000000" },
      { code: "GRAPH_REJECTED", retry: "fix", meta: { code: 100, subcode: 33 } },
    ],
    ["an account that Meta does not show", { wabaId: "201555000000000" }, { code: "GRAPH_REJECTED", retry: "fix" }],
    ["a number of another account", { phoneNumberId: ELSEWHERE.phoneNumberId }, { code: "NUMBER_NOT_IN_WABA" }],
  ])("%s", async (_what, request, error) => {
    const channel = await startUnconnected({ start: false, meta: { numbers: [NUMBER, ELSEWHERE] } });

    const refusal = channel.plugin.connect({ ...REQUEST, ...request });

    await expect(refusal).rejects.toMatchObject({ name: "ChannelError", ...error });
    await expect(refusal).rejects.not.toThrow(ACCESS_TOKEN);
    expect(await stored(channel)).toEqual(NOTHING);
    await channel.stop();
  });

  it("when Graph cannot be reached", async () => {
    const channel = await startUnconnected({ start: false });
    await channel.meta.stop();

    await expect(channel.plugin.connect(REQUEST)).rejects.toMatchObject({
      code: "GRAPH_UNREACHABLE",
      retry: "backoff",
    });
    expect(await stored(channel)).toEqual(NOTHING);
  });

  it("with an app secret that is not the app's, which it names", async () => {
    const channel = await startUnconnected({ start: false, config: { metaAppSecret: "secret-of-another-app" } });

    await expect(channel.plugin.connect(REQUEST)).rejects.toMatchObject({
      code: "GRAPH_REJECTED",
      retry: "fix",
      message: expect.stringContaining("META_APP_SECRET"),
    });
    expect(await stored(channel)).toEqual(NOTHING);
  });

  it("a number that another tenant holds, whom it leaves unharmed", async () => {
    const channel = await startUnconnected();
    await channel.plugin.connect(REQUEST);
    const before = await stored(channel);

    await expect(channel.plugin.connect({ ...REQUEST, customerConfigId: OTHER_TENANT })).rejects.toMatchObject({
      code: "CONNECTION_CONFLICT",
    });

    expect(await stored(channel)).toEqual(before);
    const [other] = await channel.rows("select * from customer_configs where id = ?", [OTHER_TENANT]);
    expect(other).toMatchObject({ whatsapp_phone_number_id: null });
    channel.meta.person({ name: "Ada" }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
  });

  it("connects a number whose token may not subscribe the account, and says so: somebody may have done it by hand", async () => {
    const channel = await startUnconnected();
    channel.meta.faults.next({ on: "subscribed_apps", do: { error: { code: 200 } } });

    const connection = await channel.plugin.connect(REQUEST);

    expect(connection.state).toBe("connected");
    expect(channel.logs).toContainEqual(
      expect.objectContaining({ level: "warn", message: expect.stringContaining("could not be subscribed") }),
    );
  });
});
