/** T21: somebody with a stolen token leads a number's webhooks away. */
import { expect, it } from "vitest";
import { NUMBER } from "../../support/channel.ts";
import { channelFor } from "../engine/support.ts";

const FOREIGN = "https://elsewhere.example.net/in?secret=half";

it.each([
  ["the number", (uri: string | null) => ({ number: { overrideCallbackUri: uri } })],
  ["the account", (uri: string | null) => ({ account: { overrideCallbackUri: uri } })],
])("another address at %s raises an alarm within a day, which is over when it is gone", async (_, change) => {
  const channel = await channelFor({
    config: { metaAppId: "700700700700700", appUrl: "https://chat.example.com" },
    plugin: { alarms: {} },
  });
  const alarms = () =>
    channel.events.flatMap((event) =>
      event.kind === "alarm" && event.alarm.kind === "webhooks-elsewhere" ? [event.alarm] : [],
    );
  const set = (uri: string | null) => {
    const { number, account } = { number: undefined, account: undefined, ...change(uri) };
    if (number !== undefined) channel.meta.changeNumber(NUMBER.phoneNumberId, number);
    if (account !== undefined) channel.meta.changeAccount(NUMBER.wabaId, account);
  };
  const pass = (interval: string) =>
    channel.rows("update whatsapp_connections set throughput_read_at = throughput_read_at - ?::interval", [interval]);
  const [{ id }] = (await channel.rows("select id from whatsapp_connections")) as [{ id: string }];

  set(FOREIGN);
  await pass("25 hours");
  await channel.until(() => alarms().length === 1, "the alarm");
  expect(alarms()[0]).toMatchObject({ state: "raised", subject: id, value: 1 });
  expect(JSON.stringify([alarms(), channel.logs])).not.toContain("elsewhere.example.net");

  set(null);
  await pass("61 minutes");
  await channel.until(() => alarms().length === 2, "its end");
  expect(alarms()[1]).toMatchObject({ state: "cleared", subject: id });
});
