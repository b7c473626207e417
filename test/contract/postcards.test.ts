/** The example of another channel keeps the contract too: the suite asks for nothing that only WhatsApp has. */
import { createHmac } from "node:crypto";
import type { HostEvent } from "@omniops/whatsapp";
import { type ChannelUnderTest, describeChannelPlugin } from "@omniops/whatsapp/testing";
import * as vitest from "vitest";
import { createPostcardPlugin } from "../../examples/postcards/postcards.ts";
import { until } from "../support/channel.ts";

const SECRET = "a-seal";
const TENANTS = { same: "00000000-0000-4000-8000-000000000001", other: "00000000-0000-4000-8000-000000000002" };

describeChannelPlugin("Postcards", setup, vitest);

async function setup(): Promise<ChannelUnderTest> {
  const events: HostEvent[] = [];
  const received: { readonly address: string; readonly text: string }[] = [];
  let count = 0;
  let canStore = true;
  const postcards = createPostcardPlugin({
    secret: SECRET,
    post: async (address, text) => void received.push({ address, text }),
    onEvent: (event) => void events.push(event),
    canStore: () => canStore,
  });
  const connect = (tenant: keyof typeof TENANTS) =>
    postcards.plugin.connect({
      customerConfigId: TENANTS[tenant],
      accessToken: "a-token",
      phoneNumberId: "box-1",
      wabaId: "office-1",
    });
  await connect("same");
  return {
    plugin: postcards.plugin,
    events,
    delivery({ person, text }) {
      const rawBody = Buffer.from(JSON.stringify({ id: `card-${++count}`, from: person, text }));
      return { rawBody, signature: createHmac("sha256", SECRET).update(rawBody).digest("hex") };
    },
    conversationOf: async (person) => postcards.conversationOf(person),
    received: (person) => received.filter(({ address }) => address === person).map(({ text }) => text),
    closeWindow: async (person) => postcards.closeWindow(person),
    receipt: async (sendId) => postcards.receipt(sendId),
    stored: async () => postcards.stored(),
    async breakStore() {
      canStore = false;
    },
    connect: ({ tenant }) => connect(tenant),
    until,
    stop: async () => {},
  };
}
