/** Meta's webhooks that take an account from us close its numbers, and no other, and none that was connected since. */
import { afterEach, describe, expect, it } from "vitest";
import { NUMBER, quiet, type TestChannel } from "../../support/channel.ts";
import { inState, keepBack, meet } from "../outbound/outbound.ts";
import { bytesOf, post } from "../receiving/deliveries.ts";
import {
  configOf,
  connectNumber,
  heard,
  OTHER_TENANT,
  SECOND_NUMBER,
  startLeaving,
  states,
  tokens,
  UNSUBSCRIBE,
} from "./leaving.ts";

const APP_ID = "700700700700700";
const running: TestChannel[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((channel) => channel.stop()));
});

async function start(options: Parameters<typeof startLeaving>[0] = {}): Promise<TestChannel> {
  const channel = await startLeaving(options);
  running.push(channel);
  return channel;
}

/** As Meta words it: the customer's account inside, a portfolio outside. */
async function told(channel: TestChannel, value: object, time = Math.floor(Date.now() / 1000)): Promise<void> {
  const entry = { id: "9001", time, changes: [{ field: "account_update", value }] };
  const answer = await post(channel, bytesOf({ object: "whatsapp_business_account", entry: [entry] }));
  expect(answer.status).toBe(200);
  await quiet(channel);
}

const waba_info = { waba_id: NUMBER.wabaId, owner_business_id: "9001" };

describe.each<[string, object]>([
  ["PARTNER_REMOVED", { event: "PARTNER_REMOVED", waba_info }],
  [
    "PARTNER_APP_UNINSTALLED of our app",
    { event: "PARTNER_APP_UNINSTALLED", waba_info: { ...waba_info, partner_app_id: APP_ID } },
  ],
  ["PARTNER_APP_UNINSTALLED that names no app", { event: "PARTNER_APP_UNINSTALLED", waba_info }],
  ["ACCOUNT_DELETED", { event: "ACCOUNT_DELETED", waba_info }],
  ["ACCOUNT_OFFBOARDED", { event: "ACCOUNT_OFFBOARDED", waba_info }],
  ["DISABLED_UPDATE", { event: "DISABLED_UPDATE", waba_info, ban_info: { waba_ban_state: "DISABLE" } }],
])("%s", (_event, value) => {
  it("closes every number of the account, whoever's, and says what to do", async () => {
    const channel = await start({ config: { metaAppId: APP_ID } });
    await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);

    await told(channel, value);

    expect(await states(channel)).toEqual(["disconnected", "disconnected"]);
    expect(await tokens(channel)).toBe(0);
    expect(channel.meta.requests[UNSUBSCRIBE]).toBeUndefined();
    expect(await configOf(channel)).toMatchObject({ whatsapp_enabled: false });
    expect(await configOf(channel, OTHER_TENANT)).toMatchObject({ whatsapp_enabled: false });
    expect(
      heard(channel).map(({ phoneNumberId, state, reason }) => [phoneNumberId, state, reason?.includes("onnect")]),
    ).toEqual(
      expect.arrayContaining([NUMBER, SECOND_NUMBER].map(({ phoneNumberId }) => [phoneNumberId, "disconnected", true])),
    );
    expect(heard(channel)).toHaveLength(2);
    expect(channel.events.filter(({ kind }) => kind === "account")).toHaveLength(1);
  });
});

describe.each<[string, object]>([
  [
    "an uninstalled app of somebody else",
    { event: "PARTNER_APP_UNINSTALLED", waba_info: { ...waba_info, partner_app_id: "777" } },
  ],
  ["another account", { event: "PARTNER_REMOVED", waba_info: { ...waba_info, waba_id: "201555000999999" } }],
  ["a date for the end", { event: "DISABLED_UPDATE", waba_info, ban_info: { waba_ban_state: "SCHEDULE_FOR_DISABLE" } }],
  ["the end of the ban", { event: "DISABLED_UPDATE", waba_info, ban_info: { waba_ban_state: "REINSTATE" } }],
  [
    "a restriction",
    {
      event: "ACCOUNT_RESTRICTION",
      waba_info,
      restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING" }],
    },
  ],
  ["a partner that was added", { event: "PARTNER_ADDED", waba_info }],
  ["a word that is a property of every object", { event: "constructor", waba_info }],
])("%s", (_event, value) => {
  it("closes nothing", async () => {
    const channel = await start({ config: { metaAppId: APP_ID } });

    await told(channel, value);

    expect(await states(channel)).toEqual(["connected"]);
    expect(await tokens(channel)).toBe(1);
    expect(heard(channel)).toEqual([]);
  });
});

describe("an account that is lost", () => {
  const removed = { event: "PARTNER_REMOVED", waba_info };

  it("ends what waits in the outbox", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    await keepBack(channel, ada);
    const waiting = await channel.plugin.send({ conversationId: ada.conversationId, response: "too late" });

    await told(channel, removed);

    const receipt = await inState(channel, waiting, "failed");
    expect(receipt.parts[0]?.error).toMatchObject({ code: "CONNECTION_MISSING" });
  });

  it("in a webhook that is older than the connection, stays connected", async () => {
    const channel = await start();

    await told(channel, removed, Math.floor(Date.now() / 1000) - 60);

    expect(await states(channel)).toEqual(["connected"]);
  });

  it("and was connected again since, is not lost once more when the webhook comes again", async () => {
    const channel = await start();
    const time = Math.floor(Date.now() / 1000);
    await told(channel, removed, time);
    await connectNumber(channel);
    await channel.rows("update whatsapp_oauth_tokens set updated_at = now() + interval '2 seconds'");

    await told(channel, { ...removed, again: true }, time);

    expect(await states(channel)).toEqual(["connected"]);
    expect(await tokens(channel)).toBe(1);
  });
});
