/** A customer leaves: closed at once, Meta told, nothing of anybody else touched. */
import { afterEach, describe, expect, it } from "vitest";
import { NUMBER, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { type Connecting, FRESH, SECOND, startConnecting } from "../../support/connecting.ts";
import { inState, keepBack, meet } from "../outbound/outbound.ts";
import {
  configOf,
  connectNumber,
  disconnect,
  heard,
  OTHER_TENANT,
  SECOND_NUMBER,
  SUBSCRIBE,
  startLeaving,
  states,
  tokens,
  UNSUBSCRIBE,
} from "./leaving.ts";

const running: TestChannel[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((channel) => channel.stop()));
});

async function start(options: Parameters<typeof startLeaving>[0] = {}): Promise<TestChannel> {
  const channel = await startLeaving(options);
  running.push(channel);
  return channel;
}

describe("POST /disconnect", () => {
  it("closes the number, tells Meta and then loses the token, hides it from the host and keeps the history", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });

    const answer = await disconnect(channel);

    expect(answer).toEqual({
      status: 200,
      body: { enabled: false, phone_number: null, state: "disconnected", reason: null, numbers: [] },
    });
    expect(await states(channel)).toEqual(["disconnected"]);
    expect(await channel.rows("select 1 from whatsapp_connections where disconnected_at is not null")).toHaveLength(1);
    expect(channel.meta.requests[UNSUBSCRIBE]).toBe(1);
    expect(Object.keys(channel.meta.requests).filter((call) => call.includes("deregister"))).toEqual([]);
    expect(await tokens(channel)).toBe(0);
    expect(await configOf(channel)).toMatchObject({
      whatsapp_enabled: false,
      whatsapp_phone_number: null,
      whatsapp_phone_number_id: null,
      whatsapp_business_account_id: null,
      whatsapp_connected_at: null,
    });
    await channel.until(() => heard(channel).length > 0, "the host to hear of it");
    expect(heard(channel)).toEqual([
      expect.objectContaining({ state: "disconnected", reason: expect.stringContaining("connect") }),
    ]);
    expect(await channel.rows("select content from messages")).toEqual([{ content: "hello" }]);
    await expect(channel.plugin.send({ conversationId: ada.conversationId, response: "hi" })).rejects.toMatchObject({
      code: "CONNECTION_MISSING",
    });
  });

  it("fails what waits in the outbox, and says why", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    await keepBack(channel, ada);
    const waiting = await channel.plugin.send({ conversationId: ada.conversationId, response: "too late" });

    await disconnect(channel);

    const receipt = await inState(channel, waiting, "failed");
    expect(receipt.parts[0]?.error).toMatchObject({ code: "CONNECTION_MISSING" });
    expect(channel.meta.accepted).toEqual([]);
    await channel.until(
      () => channel.events.some((event) => event.kind === "status" && event.state === "failed"),
      "the host to hear of the failed send",
    );
  });

  it("of one of two numbers leaves the other alone: account, token, and what the host shows", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER);
    expect(await configOf(channel)).toMatchObject({ whatsapp_phone_number_id: SECOND_NUMBER.phoneNumberId });

    const answer = await disconnect(channel, { phone_number_id: SECOND_NUMBER.phoneNumberId });

    expect(answer.body).toMatchObject({ enabled: true, numbers: [{ phone_number_id: NUMBER.phoneNumberId }] });
    expect(await states(channel)).toEqual(["connected", "disconnected"]);
    expect(channel.meta.requests[UNSUBSCRIBE]).toBeUndefined();
    expect(await tokens(channel)).toBe(1);
    expect(await configOf(channel)).toMatchObject({
      whatsapp_enabled: true,
      whatsapp_phone_number: NUMBER.displayPhoneNumber,
      whatsapp_phone_number_id: NUMBER.phoneNumberId,
      whatsapp_connected_at: expect.any(Date),
    });

    await disconnect(channel, { phone_number_id: NUMBER.phoneNumberId });

    expect(channel.meta.requests[UNSUBSCRIBE]).toBe(1);
    expect(await tokens(channel)).toBe(0);
  });

  it("leaves the account subscribed while another tenant has a number of it", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);

    await disconnect(channel);

    expect(channel.meta.requests[UNSUBSCRIBE]).toBeUndefined();
    expect(await tokens(channel)).toBe(1);
    expect(await configOf(channel, OTHER_TENANT)).toMatchObject({ whatsapp_enabled: true });
  });

  it("twice is harmless, and tells nobody twice", async () => {
    const channel = await start();
    const [first, second] = await Promise.all([disconnect(channel), disconnect(channel)]);
    const third = await disconnect(channel, { phone_number_id: NUMBER.phoneNumberId });

    expect([first.status, second.status, third.status]).toEqual([200, 200, 200]);
    expect(third.body).toEqual(first.body);
    await channel.until(() => heard(channel).length > 0, "the host to hear of it");
    expect(heard(channel)).toHaveLength(1);
  });

  it("then connecting again works, for another tenant too, and old conversations stay whose they were", async () => {
    const channel = await start();
    const old = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await disconnect(channel);

    await connectNumber(channel, NUMBER, OTHER_TENANT);
    old.person.says("hello again");
    await channel.until(
      async () => (await channel.rows("select 1 from messages where content = 'hello again'"))[0],
      "the message to arrive",
    );

    const conversations = await channel.rows<{ tenant: string; content: string }>(
      `select v.customer_config_id as tenant, m.content from messages m join conversations v on v.id = m.conversation_id order by m.created_at`,
    );
    expect(conversations).toEqual([
      { tenant: TENANT, content: "hello" },
      { tenant: OTHER_TENANT, content: "hello again" },
    ]);
  });

  it("of one of two numbers ends what people write to it: nobody keeps it, and no other tenant gets it", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER);
    await disconnect(channel, { phone_number_id: SECOND_NUMBER.phoneNumberId });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    ada.says("private words", { to: SECOND_NUMBER.phoneNumberId });
    await channel.meta.idle();
    await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);
    await quiet(channel);

    expect(await channel.rows("select 1 from messages")).toEqual([]);
    expect(
      await channel.rows(
        "select convert_from(body, 'UTF8') as text from whatsapp_webhooks union all select payload::text from whatsapp_events",
      ),
    ).toEqual([{ text: "" }, { text: "{}" }]);
  });

  it("then connecting again goes on with the conversations of the tenant, whose sends leave again", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    await disconnect(channel);

    const { connectionId } = await connectNumber(channel);
    const sent = await channel.plugin.send({ conversationId: ada.conversationId, response: "we are back" });

    await inState(channel, sent, "read");
    expect(await channel.rows("select id, state, reason, disconnected_at from whatsapp_connections")).toEqual([
      { id: connectionId, state: "connected", reason: null, disconnected_at: null },
    ]);
    expect(await tokens(channel)).toBe(1);
    expect(await configOf(channel)).toMatchObject({ whatsapp_enabled: true, whatsapp_connected_at: expect.any(Date) });
  });

  it("and back and forth between two tenants, each has its own conversation", async () => {
    const channel = await start();
    const ids = [];
    for (const tenant of [TENANT, OTHER_TENANT, TENANT, OTHER_TENANT]) {
      await disconnect(channel, undefined, { "x-tenant": tenant === TENANT ? OTHER_TENANT : TENANT });
      ids.push((await connectNumber(channel, NUMBER, tenant)).connectionId);
    }

    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
    expect(await states(channel)).toEqual(["disconnected", "connected"]);
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ["nobody", undefined, {}, 403, "NOT_AUTHENTICATED"],
    ["somebody who may not", undefined, { "x-tenant": TENANT, "x-may": "read" }, 403, "NOT_PERMITTED"],
    [
      "a number of another tenant",
      { phone_number_id: NUMBER.phoneNumberId },
      { "x-tenant": OTHER_TENANT },
      404,
      "NUMBER_UNKNOWN",
    ],
    ["a number that nobody has", { phone_number_id: "1" }, { "x-tenant": OTHER_TENANT }, 404, "NUMBER_UNKNOWN"],
    ["what it does not know", { phoneNumberId: "1" }, { "x-tenant": TENANT }, 400, "REQUEST_INVALID"],
  ])("refuses %s and changes nothing", async (_who, body, headers, status, code) => {
    const channel = await start();

    const answer = await disconnect(channel, body, headers);

    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(await states(channel)).toEqual(["connected"]);
    expect(await tokens(channel)).toBe(1);
  });
});

describe("what was granted", () => {
  const begun = async ({ onboarding }: Connecting) => (await onboarding())?.state;
  const kept = async ({ channel }: Connecting) =>
    (await channel.rows("select 1 from whatsapp_onboardings where access_token_enc is not null")).length;

  it("is forgotten with the number, also where a step was still to be tried again", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    await connecting.connect();
    connecting.channel.meta.faults.next({ on: "profile", do: { error: { code: 2 } } });
    await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] });
    expect(await kept(connecting)).toBe(1);

    await connecting.post("/disconnect", { phone_number_id: FRESH.phoneNumberId });
    await connecting.goOn({ phone_number_ids: [SECOND.phoneNumberId] });

    expect(await kept(connecting)).toBe(0);
    expect((await connecting.status()).numbers).toEqual([]);
  });

  it("stays for another number that is still being connected with it, until that one leaves", async () => {
    const waits = { ...SECOND, pin: "271828" };
    const connecting = await startConnecting({ meta: { numbers: [FRESH, waits] } });
    await connecting.connect();
    await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId, waits.phoneNumberId] });
    expect(await begun(connecting)).toBe("pin");

    await connecting.post("/disconnect", { phone_number_id: FRESH.phoneNumberId });
    expect(await kept(connecting)).toBe(1);
    connecting.channel.meta.faults.next({ on: "profile", do: { error: { code: 2 } } });
    const { body } = await connecting.goOn({ pins: { [waits.phoneNumberId]: "271828" } });
    expect(body.onboarding.state).toBe("done");
    expect(await kept(connecting)).toBe(1);
    await connecting.post("/disconnect", { phone_number_id: waits.phoneNumberId });

    expect(await kept(connecting)).toBe(0);
  });

  it("is forgotten when all numbers leave, whatever was being connected; another tenant's is not", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    await connecting.connect();
    await connecting.connect(undefined, { tenant: OTHER_TENANT });

    await connecting.post("/disconnect", {});

    expect(await kept(connecting)).toBe(1);
    expect((await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] })).body.error.code).toBe(
      "ONBOARDING_MISSING",
    );
    const other = await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] }, { tenant: OTHER_TENANT });
    expect(other.body.onboarding.state).toBe("done");
  });
});

describe("when Meta cannot be told", () => {
  const again = (channel: TestChannel, age = "0 seconds") =>
    channel.rows(
      `update whatsapp_oauth_tokens set leaving_try_at = now() - interval '1 second', leaving_since = leaving_since - interval '${age}'`,
    );

  it("the customer leaves all the same, and a later try tells Meta, once, however many try", async () => {
    const channel = await start({ start: false });
    channel.meta.faults.next({ on: "subscribed_apps", do: "reset-before-accept", times: 1 });

    const answer = await disconnect(channel);

    expect(answer.status).toBe(200);
    expect(await states(channel)).toEqual(["disconnected"]);
    expect(await tokens(channel)).toBe(1);
    const calls = channel.meta.requests[UNSUBSCRIBE] ?? 0;

    await again(channel);
    await channel.plugin.start();
    await channel.until(async () => (await tokens(channel)) === 0, "the token to go");

    expect(channel.meta.requests[UNSUBSCRIBE]).toBe(calls + 1);
  });

  it.each<[string, (channel: TestChannel) => void]>([
    ["a token that Meta refuses", ({ meta }) => meta.revokeToken()],
    [
      "an account that is gone",
      ({ meta }) => meta.faults.next({ on: "subscribed_apps", do: { error: { code: 100, subcode: 33 } } }),
    ],
  ])("because of %s, there is nothing to try again", async (_why, break_) => {
    const channel = await start({ start: false });
    break_(channel);

    const answer = await disconnect(channel);

    expect(answer.status).toBe(200);
    expect(await tokens(channel)).toBe(0);
  });

  it.each([{ code: 104 }, { code: 100, message: "Invalid appsecret_proof provided in the API argument" }])(
    "because our app secret is wrong, the token stays until Meta was told (%o)",
    async (error) => {
      const channel = await start({ start: false });
      channel.meta.faults.next({ on: "subscribed_apps", do: { error } });
      await disconnect(channel);
      expect(await tokens(channel)).toBe(1);
      const calls = channel.meta.requests[UNSUBSCRIBE] ?? 0;

      await again(channel);
      await channel.plugin.start();
      await channel.until(async () => (await tokens(channel)) === 0, "the token to go");

      expect(channel.meta.requests[UNSUBSCRIBE]).toBe(calls + 1);
    },
  );

  it("for a week, the token goes without it", async () => {
    const channel = await start({ start: false });
    channel.meta.faults.next({ on: "subscribed_apps", do: "reset-before-accept", times: 100 });
    await disconnect(channel);
    const calls = channel.meta.requests[UNSUBSCRIBE] ?? 0;

    await again(channel, "8 days");
    await channel.plugin.start();
    await channel.until(async () => (await tokens(channel)) === 0, "the token to go");

    expect(channel.meta.requests[UNSUBSCRIBE]).toBe(calls);
  });

  it("until the number is connected again, its account stays subscribed and its new token stays", async () => {
    const channel = await start({ start: false });
    channel.meta.faults.next({ on: "subscribed_apps", do: "reset-before-accept", times: 1 });
    await disconnect(channel);
    const calls = channel.meta.requests[UNSUBSCRIBE] ?? 0;
    await connectNumber(channel);

    await again(channel);
    await channel.plugin.start();
    await channel.until(
      async () =>
        (await channel.rows("select 1 from whatsapp_oauth_tokens where leaving_since is not null")).length === 0,
      "the old token to go",
    );

    expect(channel.meta.requests[UNSUBSCRIBE]).toBe(calls);
    expect(await tokens(channel)).toBe(1);
    await meet(channel, { name: "Ada" });
  });

  it("and the number is connected while Meta is told, the account is subscribed again", async () => {
    const channel = await start({ start: false });
    const before = channel.meta.requests[SUBSCRIBE] ?? 0;
    channel.meta.faults.next({ on: "subscribed_apps", do: "slow", ms: 3_000 });
    const leaving = disconnect(channel);
    await channel.until(() => channel.meta.requests[UNSUBSCRIBE] === 1, "Meta to be asked");
    await connectNumber(channel);
    await leaving;

    // By connecting it, and once more after that.
    expect(channel.meta.requests[SUBSCRIBE]).toBe(before + 2);
    expect(await tokens(channel)).toBe(1);
  });
});

describe("in the process", () => {
  const whereTheyAre = async ({ plugin }: TestChannel, tenant = TENANT) =>
    (await plugin.connections(tenant)).map(({ phoneNumberId, state }) => [phoneNumberId, state]);

  it("a tenant's numbers are listed, and closed as by the route: one, then all that are left", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER);
    expect(await channel.plugin.connections(TENANT)).toEqual([
      expect.objectContaining({ customerConfigId: TENANT, phoneNumberId: NUMBER.phoneNumberId, reason: null }),
      expect.objectContaining({ customerConfigId: TENANT, phoneNumberId: SECOND_NUMBER.phoneNumberId }),
    ]);

    await channel.plugin.disconnect({ customerConfigId: TENANT, phoneNumberId: NUMBER.phoneNumberId });
    expect(await whereTheyAre(channel)).toEqual([
      [NUMBER.phoneNumberId, "disconnected"],
      [SECOND_NUMBER.phoneNumberId, "connected"],
    ]);
    await channel.plugin.disconnect({ customerConfigId: TENANT });
    await channel.plugin.disconnect({ customerConfigId: TENANT });

    expect(await states(channel)).toEqual(["disconnected", "disconnected"]);
    expect(await tokens(channel)).toBe(0);
    await channel.until(() => heard(channel).length === 2, "the host to hear of both, once each");
  });

  it("nobody's numbers are none, and another's cannot be closed", async () => {
    const channel = await start();
    const { phoneNumberId } = NUMBER;

    for (const tenant of [OTHER_TENANT, "nobody", "' or true --"])
      expect(await channel.plugin.connections(tenant)).toEqual([]);
    for (const wish of [
      { customerConfigId: OTHER_TENANT, phoneNumberId },
      { customerConfigId: TENANT, phoneNumberId: "309999999999999" },
      { customerConfigId: TENANT, phoneNumberId: "\0" },
    ])
      await expect(channel.plugin.disconnect(wish)).rejects.toMatchObject({ code: "NUMBER_UNKNOWN" });
    await expect(channel.plugin.disconnect({ customerConfigId: "nobody" })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
    await channel.plugin.disconnect({ customerConfigId: OTHER_TENANT });

    expect(await states(channel)).toEqual(["connected"]);
  });
});
