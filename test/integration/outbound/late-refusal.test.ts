/** A refused token that was renewed meanwhile says nothing about the connection, and a linked person keeps both conversations. */
import { expect, it } from "vitest";
import { createStore } from "../../../adapters/postgres/store.ts";
import { allQuiet } from "../../support/channel.ts";
import { channelFor } from "../engine/support.ts";

it("leaves a connection alone whose token was renewed while the old one was refused", async () => {
  const channel = await channelFor({ start: false });
  const store = createStore(channel.database.knex, {
    schema: "public",
    hostSchema: "public",
    leaseMs: 2_000,
    coalesceMs: 0,
    hasListener: true,
    advance: (state) => state,
    isPending: () => false,
  });
  const [row] = await channel.rows<{ connection_id: string; access_token_enc: string }>(
    "select connection_id, access_token_enc from whatsapp_oauth_tokens",
  );
  const refused = { connectionId: row!.connection_id, reason: "refused" };

  expect(await store.connections.requireReauth({ ...refused, accessTokenEnc: "v1.k1.the.old" })).toBeNull();
  expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "connected" }]);

  expect(await store.connections.requireReauth({ ...refused, accessTokenEnc: row!.access_token_enc })).not.toBeNull();
  expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "reauth_required" }]);
});

it("answers in either conversation of a person who was two contacts before", async () => {
  const channel = await channelFor({ reply: () => null });
  const byPhone = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
  const byUserId = channel.meta.person({ name: "Ada", userId: "GB.5512oQx81Zk09", hidesPhoneNumber: true });
  byPhone.says("one");
  await channel.meta.idle();
  byUserId.says("two");
  await allQuiet(channel);
  const conversations = await channel.rows<{ id: string }>("select id from conversations order by created_at");
  expect(conversations).toHaveLength(2);

  channel.meta.person({ name: "Ada", phoneNumber: "447700900123", userId: "GB.5512oQx81Zk09" }).says("three");
  await allQuiet(channel);

  for (const { id } of conversations) {
    expect(await channel.plugin.sessionStatus(id)).toMatchObject({ state: "open" });
    await channel.plugin.send({ conversationId: id, response: `to ${id}` });
  }
  await channel.meta.waitFor(() => channel.meta.accepted.length === 2, 5_000);
});
