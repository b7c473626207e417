/** A permission that Meta misses (10, 200–299, 131005) may be of one message only: a number stops when its token is dead. */
import { describe, expect, it } from "vitest";
import { quiet, type TestChannel } from "../../support/channel.ts";
import { APP_ID } from "../../support/connecting.ts";
import { attemptsOf, inState, meet, settled, startSilent, texts } from "./outbound.ts";

const start = () => startSilent({ config: { metaAppId: APP_ID } });
const states = async (channel: TestChannel) =>
  (await channel.rows<{ state: string }>("select state from whatsapp_connections")).map(({ state }) => state);

describe("a refusal that may be of one asset only", () => {
  it.each([10, 200, 131005])(
    "fails its message when Meta calls the token valid, and the number goes on (%i)",
    async (code) => {
      const channel = await start();
      const ada = await meet(channel, { name: "Ada" });
      channel.meta.faults.next({ do: { error: { code } } });

      const refused = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
      const done = await inState(channel, refused, "failed");
      await settled(channel, await channel.plugin.send({ conversationId: ada.conversationId, response: "two" }));
      await quiet(channel);

      expect(done.parts[0]!.error).toMatchObject({
        code: "GRAPH_REJECTED",
        message: expect.stringContaining("token is valid"),
        meta: { code },
      });
      expect(texts(channel)).toEqual(["two"]);
      expect(await states(channel)).toEqual(["connected"]);
    },
  );

  it("asks for a reconnect when Meta calls the token dead, and keeps the message", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 10 } } });
    channel.meta.revokeToken();

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(async () => (await states(channel))[0] === "reauth_required", "the number to ask for it");

    await inState(channel, receipt, "queued");
  });

  it("keeps the message, and leaves the number alone, while Meta does not say what the token is", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 10 } } });
    channel.meta.faults.next({ on: "debug_token", do: { error: { code: 2, httpStatus: 503 } } });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(async () => (await attemptsOf(channel, receipt))[0]?.state === "rejected", "the refusal");

    await inState(channel, receipt, "queued");
    expect(await states(channel)).toEqual(["connected"]);
    // The safety net, half a minute later.
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'out'");
    await inState(channel, receipt, "read");
  });
});
