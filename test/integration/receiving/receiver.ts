/** The channel under test, its URL, deliveries that it has never seen, and the watch over what it says. */
import { afterEach, beforeAll, beforeEach, expect } from "vitest";
import { quiet, startChannel, type TestChannel } from "../../support/channel.ts";
import { answeredBodies, textOf } from "./deliveries.ts";

/** Must be found in the host's inbox and nowhere else. */
export const CANARY = { text: "canary-text-5f1e9c2a", phone: "447700900987" };

export type Receiver = {
  readonly channel: TestChannel;
  /** Where Meta posts. */
  readonly hook: string;
  /** A signed-to-be delivery that was never seen before. */
  fresh(): Buffer;
};

/** To be called inside a describe: one channel for all of it, an empty record of webhooks for each test. */
export function useReceiver(options: { readonly inFront?: boolean } = {}): Receiver {
  let channel: TestChannel;
  let count = 0;
  beforeAll(async () => {
    channel = await startChannel({ reply: () => null, ...options });
  });
  beforeEach(async () => {
    await quiet(channel);
    await channel.rows("truncate whatsapp_webhooks");
    channel.logs.length = 0;
  });
  afterEach(() => {
    const said = JSON.stringify(channel.logs) + answeredBodies.join();
    expect(said).not.toContain(CANARY.text);
    expect(said).not.toContain(CANARY.phone);
  });
  return {
    get channel() {
      return channel;
    },
    get hook() {
      return `${channel.url}/webhook`;
    },
    fresh: () => textOf({ id: `wamid.fresh${++count}`, text: CANARY.text, from: CANARY.phone }),
  };
}
