/** WhatsApp passes the contract that every channel must. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { type ChannelUnderTest, describeChannelPlugin } from "@omniops/whatsapp/testing";
import * as vitest from "vitest";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, startChannel, TENANT, until } from "../support/channel.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const PHONES: Readonly<Record<string, string>> = { ada: "447700900123", bob: "447700900456" };

describeChannelPlugin("WhatsApp", setup, vitest);

async function setup(): Promise<ChannelUnderTest> {
  // What the contract delivers by hand, Meta never saw: so its own window stays out of this.
  const channel = await startChannel({ reply: () => null, meta: { enforceWindow: false } });
  const { plugin, rows } = channel;
  await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
  let count = 0;
  let isBroken = false;

  const conversationOf = (person: string) =>
    until(async () => {
      const [row] = await rows<{ id: string }>(
        "select conversation_id as id from whatsapp_contacts where phone_number = ? and conversation_id is not null",
        [PHONES[person] ?? ""],
      );
      return row?.id;
    }, `the conversation of ${person}`);

  return {
    plugin,
    events: channel.events,
    delivery({ person, text }) {
      count += 1;
      const from = PHONES[person];
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const message = { from, id: `wamid.CONTRACT${count}`, timestamp, type: "text", text: { body: text } };
      const value = {
        messaging_product: "whatsapp",
        metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
        contacts: [{ profile: { name: person }, wa_id: from }],
        messages: [message],
      };
      const entry = [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }];
      const rawBody = Buffer.from(JSON.stringify({ object: "whatsapp_business_account", entry }));
      return { rawBody, signature: signatureOf(rawBody, APP_SECRET) };
    },
    conversationOf,
    received: (person) =>
      channel.meta.accepted.filter(({ recipient }) => recipient === PHONES[person]).map(({ text }) => text),
    async closeWindow(person) {
      await rows(
        "update whatsapp_sessions set session_expires = now() - interval '1 second' where conversation_id = ?",
        [await conversationOf(person)],
      );
    },
    receipt: (sendId) => plugin.receipt(sendId, TENANT),
    async stored() {
      const [row] = await rows<{ deliveries: number; sends: number }>(
        `select (select count(*)::int from whatsapp_webhooks) as deliveries, (select count(*)::int from whatsapp_sends) as sends`,
      );
      return row ?? { deliveries: 0, sends: 0 };
    },
    async breakStore() {
      isBroken = true;
      await plugin.stop();
      await channel.database.drop();
    },
    connect: ({ tenant }) =>
      plugin.connect({
        customerConfigId: tenant === "same" ? TENANT : OTHER_TENANT,
        accessToken: ACCESS_TOKEN,
        phoneNumberId: NUMBER.phoneNumberId,
        wabaId: NUMBER.wabaId,
      }),
    until: (look, what) => until(look, what),
    stop: () => (isBroken ? Promise.resolve() : channel.stop()),
  };
}
