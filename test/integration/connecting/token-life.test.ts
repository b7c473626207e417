/** A token from its first day to its last: renewed where Meta allows it, missed where it does not, and never a reason to lose a send. */
import { describe, expect, it } from "vitest";
import { createSecretBox } from "../../../adapters/secret-box/secret-box.ts";
import { parseConfig } from "../../../plugin/config.ts";
import { NUMBER, quiet, TENANT, TOKEN_KEYS, until } from "../../support/channel.ts";
import { type Connecting, startConnecting } from "../../support/connecting.ts";

const DAY_S = 86_400;

async function tokenOf({ channel }: Connecting): Promise<string> {
  const [row] = await channel.rows<{ access_token_enc: string; customer_config_id: string; connection_id: string }>(
    "select * from whatsapp_oauth_tokens",
  );
  if (row === undefined) throw new Error("no token");
  const { tokenKeys } = parseConfig({ metaAppSecret: "12345678", verifyToken: "12345678", tokenKeys: TOKEN_KEYS });
  return createSecretBox(tokenKeys).open(row.access_token_enc, {
    customerConfigId: row.customer_config_id,
    rowId: row.connection_id,
    field: "access_token",
  });
}

/** The upkeep runs once a minute; a test does not wait for it. */
const EAGER = { plugin: { upkeepMs: 30 } };

describe("a token that ends", () => {
  it("is known by its end, and looked after ten days before", async () => {
    const connecting = await startConnecting({ meta: { login: { expiresInSeconds: 60 * DAY_S } } });
    await connecting.connect();

    const [row] = await connecting.channel.rows<{ life: number; look: number }>(
      "select round(extract(epoch from expires_at - now()) / 86400)::int as life, round(extract(epoch from renew_at - now()) / 86400)::int as look from whatsapp_oauth_tokens",
    );

    expect(row).toEqual({ life: 60, look: 50 });
  });

  it("never looks at one that does not", async () => {
    const connecting = await startConnecting();
    await connecting.connect();

    expect(await connecting.channel.rows("select expires_at, renew_at from whatsapp_oauth_tokens")).toEqual([
      { expires_at: null, renew_at: null },
    ]);
  });

  it("is renewed in its place, and sends go on with the new one", async () => {
    const connecting = await startConnecting({ ...EAGER, meta: { login: { expiresInSeconds: 60 * DAY_S } } });
    const { channel } = connecting;
    await connecting.connect();
    const before = await tokenOf(connecting);
    await channel.rows("update whatsapp_oauth_tokens set renew_at = now()");

    await until(async () => (await tokenOf(connecting)) !== before, "another token");

    const [row] = await channel.rows<{ look: number }>(
      "select round(extract(epoch from renew_at - now()) / 86400)::int as look from whatsapp_oauth_tokens",
    );
    expect(row?.look).toBe(50);
    channel.meta.revokeToken({ accessToken: before });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("Hello");
    await channel.meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
    await quiet(channel);
  });

  it("does not take the place of one that a reconnect has brought meanwhile", async () => {
    const connecting = await startConnecting({ ...EAGER, meta: { login: { expiresInSeconds: 60 * DAY_S } } });
    const { channel } = connecting;
    await connecting.connect();
    channel.meta.faults.next({ on: "oauth_access_token", do: "slow", ms: 500 });
    const before = channel.meta.requests["POST /oauth/access_token"] ?? 0;
    await channel.rows("update whatsapp_oauth_tokens set renew_at = now()");
    await channel.meta.waitFor(() => (channel.meta.requests["POST /oauth/access_token"] ?? 0) > before);

    const accessToken = channel.meta.issueToken();
    const { phoneNumberId, wabaId } = NUMBER;
    await channel.plugin.connect({ customerConfigId: TENANT, accessToken, phoneNumberId, wabaId });

    await until(() => channel.logs.some(({ message }) => message === "token renewed"), "the renewal to end");
    expect(await tokenOf(connecting)).toBe(accessToken);
  });

  it("stays when Meta does not renew it, and is tried again hours later", async () => {
    const connecting = await startConnecting({ ...EAGER, meta: { login: { expiresInSeconds: 60 * DAY_S } } });
    const { channel } = connecting;
    await connecting.connect();
    const before = await tokenOf(connecting);
    channel.meta.faults.next({ on: "oauth_access_token", do: { error: { code: 2 } } });
    await channel.rows("update whatsapp_oauth_tokens set renew_at = now()");

    await until(() => channel.logs.some(({ message }) => message.includes("could not be renewed")), "the log line");

    expect(await tokenOf(connecting)).toBe(before);
    const [row] = await channel.rows<{ hours: number }>(
      "select round(extract(epoch from renew_at - now()) / 3600)::int as hours from whatsapp_oauth_tokens",
    );
    expect(row?.hours).toBe(6);
    expect(await connecting.status()).toMatchObject({ state: "connected" });
  });

  it("that has ended asks for a reconnect, once, before a send finds out", async () => {
    const connecting = await startConnecting({ ...EAGER, meta: { login: { expiresInSeconds: 60 * DAY_S } } });
    const { channel } = connecting;
    await connecting.connect();
    await channel.rows("update whatsapp_oauth_tokens set renew_at = now(), expires_at = now()");

    await until(async () => (await connecting.status()).state === "reauth_required", "reauth_required");
    await quiet(channel);

    expect(await connecting.status()).toMatchObject({ reason: expect.stringContaining("expired") });
    const told = channel.events.filter(
      (event) => event.kind === "connection" && event.connection.state === "reauth_required",
    );
    expect(told).toHaveLength(1);
  });

  it("that Meta takes back holds what is sent, tells the host once, and lets it leave in order after the reconnect", async () => {
    const connecting = await startConnecting();
    const { channel } = connecting;
    await connecting.connect();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("Hello");
    await channel.meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
    await quiet(channel);
    const [conversation] = await channel.rows<{ id: string }>("select id from conversations");
    channel.meta.revokeToken({ accessToken: await tokenOf(connecting), subcode: 463 });

    for (const text of ["one", "two", "three"])
      await channel.plugin.send({ conversationId: conversation?.id ?? "", response: text });
    await until(async () => (await connecting.status()).state === "reauth_required", "reauth_required");
    await until(async () => {
      const held = await channel.rows("select 1 from whatsapp_outbox where state = 'queued' and error is not null");
      return held.length === 1;
    }, "the refused send to be held");
    expect(await channel.rows("select 1 from whatsapp_outbox where state = 'queued'")).toHaveLength(3);

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_connected: "true" });
    await channel.meta.waitFor(() => ada.transcript().length >= 5);
    await quiet(channel);

    const texts = ada.transcript().map(({ text }) => text);
    expect(texts.slice(-3)).toEqual(["one", "two", "three"]);
    const told = channel.events.flatMap((event) => (event.kind === "connection" ? [event.connection.state] : []));
    expect(told).toEqual(["connected", "reauth_required", "connected"]);
  });

  it("proves with every call that we know the app's secret", async () => {
    // The simulator refuses a call without the proof: connecting makes every kind of call there is.
    const connecting = await startConnecting({
      meta: { requireAppSecretProof: true, numbers: [{ ...NUMBER, isRegistered: false }] },
    });

    await connecting.connect();

    expect((await connecting.onboarding()).steps.every((one: { state: string }) => one.state !== "failed")).toBe(true);
  });
});
