/** An id in capitals is the same id, wherever a host gives one: it is never sealed, compared or remembered as somebody has typed it. */
import { readTraffic } from "@omniops/whatsapp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCESS_TOKEN, NUMBER, quiet, startChannel, type TestChannel } from "../../support/channel.ts";
import { APP_ID } from "../../support/connecting.ts";
import { meet } from "../outbound/outbound.ts";

const TENANT = "abcdef00-0000-4000-8000-00000000000a";
const IN_CAPITALS = TENANT.toUpperCase();
const { phoneNumberId, wabaId } = NUMBER;
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

let channel: TestChannel;
let conversationId: string;

beforeAll(async () => {
  channel = await startChannel({
    connect: false,
    config: { metaAppId: APP_ID },
    plugin: { authenticate: () => ({ customerConfigId: IN_CAPITALS, permissions: ["connect", "operate"] }) },
  });
  await channel.rows("insert into customer_configs (id) values (?)", [TENANT]);
});
afterAll(() => channel.stop());

async function upload(): Promise<string> {
  const form = new FormData();
  form.set("file", new Blob([PNG], { type: "image/png" }), "dot.png");
  const answer = await fetch(`${channel.url}/media/upload`, { method: "POST", body: form });
  return ((await answer.json()) as { id: string }).id;
}

function settled(sendId: string) {
  return channel.until(async () => {
    const receipt = await channel.plugin.receipt(sendId, TENANT);
    return receipt?.parts.every(({ state }) => ["read", "failed"].includes(state)) === true && receipt;
  }, "the send to be settled");
}

describe("a tenant whose id is given in capitals", () => {
  it("is connected, and what the AI answers leaves", async () => {
    const connected = await channel.plugin.connect({
      customerConfigId: IN_CAPITALS,
      accessToken: ACCESS_TOKEN,
      phoneNumberId,
      wabaId,
    });
    ({ conversationId } = await meet(channel, { name: "Ada", phoneNumber: "447700900123" }));
    await channel.until(() => channel.meta.accepted.length > 0, "the answer at Meta");
    await quiet(channel);

    expect(connected.customerConfigId).toBe(TENANT);
    expect(await channel.rows("select distinct customer_config_id as tenant from whatsapp_sends")).toEqual([
      { tenant: TENANT },
    ]);
  });

  it("has its templates read, shown, made, changed and deleted", async () => {
    const { templates } = channel.plugin;
    const draft = { name: "in_capitals", language: "en", category: "UTILITY" };
    const components = [{ type: "BODY", text: "Hello there." }];

    expect((await templates.sync({ customerConfigId: IN_CAPITALS })).accounts).toHaveLength(1);
    const { id } = await templates.create({ customerConfigId: IN_CAPITALS, ...draft, components });
    const which = { customerConfigId: IN_CAPITALS, id: id.toUpperCase() };
    await channel.until(async () => (await templates.get(which)).status === "APPROVED", "its approval");
    expect(await templates.list({ customerConfigId: IN_CAPITALS })).toEqual(
      await templates.list({ customerConfigId: TENANT }),
    );
    expect(await templates.edit({ ...which, components: [{ type: "BODY", text: "Goodbye then." }] })).toMatchObject({
      id,
    });
    await templates.remove(which);
    await expect(templates.get(which)).rejects.toMatchObject({ code: "TEMPLATE_UNKNOWN" });
  });

  it("has a sample of its file at Meta", async () => {
    const mediaId = (await upload()).toUpperCase();

    expect(await channel.plugin.uploadTemplateSample({ customerConfigId: IN_CAPITALS, mediaId })).toMatchObject({
      handle: expect.any(String),
    });
  });

  it("is the same one to whoever asks for its numbers, sends, dead letters and traffic", async () => {
    const { plugin, database } = channel;
    const { sendId } = await plugin.send({ conversationId, response: "once" });
    const receipt = await settled(sendId);

    expect(await plugin.connections(IN_CAPITALS)).toEqual(await plugin.connections(TENANT));
    expect(await plugin.receipt(sendId.toUpperCase(), IN_CAPITALS)).toEqual(receipt);
    expect(await (await fetch(`${channel.url}/sends/${sendId.toUpperCase()}`)).json()).toEqual(receipt);
    expect(await plugin.deadLetters.list({ customerConfigId: IN_CAPITALS })).toEqual({ letters: [], next: null });
    // One is asked after the other, and a second may begin between them.
    const checks = async (customerConfigId: string) => {
      const { checks } = await plugin.doctor({ customerConfigId, offline: true });
      return checks.map((one) => ({ ...one, seen: one.seen.replaceAll(/\d+ seconds? ago|just now/g, "lately") }));
    };
    expect(await checks(IN_CAPITALS)).toEqual(await checks(TENANT));
    const { deliveries } = await readTraffic(database.knex, { customerConfigId: IN_CAPITALS });
    expect(deliveries.length).toBeGreaterThan(0);
  });
});

describe("an id of a conversation or a file in capitals", () => {
  it("is where the message goes, under the same idempotency key too", async () => {
    const { plugin } = channel;
    const once = { response: "only once", idempotencyKey: "in capitals" };

    const first = await plugin.send({ conversationId, ...once });
    const again = await plugin.send({ conversationId: conversationId.toUpperCase(), ...once });

    expect([again.sendId, again.conversationId]).toEqual([first.sendId, conversationId]);
    expect(await plugin.sessionStatus(conversationId.toUpperCase())).toMatchObject({ state: "open" });
  });

  it("is what the person gets", async () => {
    const mediaId = (await upload()).toUpperCase();

    const { sendId } = await channel.plugin.send({ conversationId, message: { kind: "image", mediaId } });

    expect((await settled(sendId)).parts).toMatchObject([{ messageId: expect.any(String), error: null }]);
  });
});

it("what is no id at all is refused with words, and never by the database", async () => {
  const { plugin, database } = channel;
  const of = { customerConfigId: `${TENANT}'` };
  const draft = { name: "no", language: "en", category: "UTILITY", components: [] };
  const id = "7";
  const asked: readonly (() => Promise<unknown>)[] = [
    () => plugin.connect({ ...of, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId }),
    () => plugin.disconnect(of),
    () => plugin.erase({ phoneNumber: "+447700900123" }, of),
    () => plugin.doctor(of),
    () => plugin.deadLetters.list(of),
    () => plugin.deadLetters.redrive(of),
    () => plugin.templates.list(of),
    () => plugin.templates.get({ ...of, id }),
    () => plugin.templates.create({ ...of, ...draft }),
    () => plugin.templates.edit({ ...of, id, components: [] }),
    () => plugin.templates.remove({ ...of, id }),
    () => plugin.templates.sync(of),
    () => plugin.uploadTemplateSample({ ...of, mediaId: id }),
    () => readTraffic(database.knex, of),
  ];

  for (const ask of asked)
    await expect(ask(), String(ask)).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: "customerConfigId is a customer_configs.id (uuid).",
    });
  expect([await plugin.connections(of.customerConfigId), await plugin.receipt(id, TENANT)]).toEqual([[], null]);
});

it("a tenant whose id is given in capitals is left by whom it gives up", async () => {
  const { plugin } = channel;
  expect(await plugin.erase({ phoneNumber: "447700900123" }, { customerConfigId: IN_CAPITALS })).toMatchObject({
    contacts: 1,
  });

  await plugin.disconnect({ customerConfigId: IN_CAPITALS });

  expect(await plugin.connections(TENANT)).toMatchObject([{ state: "disconnected" }]);
});
