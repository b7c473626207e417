/** People who have another user id, because they have another number that Meta keeps to itself. */
import type { ChannelEvent, Person } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER } from "../../support/channel.ts";
import { ADA, applyAll, channelFor, delivery, type Engine, eventsOf, message, startEngine } from "./support.ts";

const OLD: Person = { phoneNumber: null, userId: "GB.old", parentUserId: null, username: null, name: "Ada" };

const changed = (over: Partial<Person> = {}): ChannelEvent => ({
  dedupeKey: "test/moved",
  wabaId: NUMBER.wabaId,
  phoneNumberId: NUMBER.phoneNumberId,
  occurredAt: new Date(),
  raw: {},
  kind: "contact-changed",
  change: "user-id",
  before: OLD,
  person: { ...OLD, userId: "GB.new", ...over },
});

const store = (engine: Engine, ...events: ChannelEvent[]) => engine.store.inbox.record([eventsOf(events)]);
const contacts = ({ rows }: Engine) => rows("select phone_number, user_id from whatsapp_contacts order by id");
const phoneAliases = ({ rows }: Engine) =>
  rows("select alias from whatsapp_contact_aliases where alias like 'phone:%' order by alias");

describe("a person whose user id is another, and whose number Meta keeps to itself", () => {
  it.each([
    ["at once", false],
    ["later", true],
  ])("has left the number, told %s, and whoever gets it is somebody else", async (_when, isLater) => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    if (isLater) await applyAll(engine.store);
    await store(engine, changed());
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: null, userId: "GB.new" }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: null, user_id: "GB.new" }]);
    expect(await phoneAliases(engine)).toEqual([]);
    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(1);

    await engine.store.inbox.record([delivery(message({ id: "wamid.3", userId: "GB.stranger" }))]);
    await applyAll(engine.store);

    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(2);
  });

  it("is known by the number that Meta names next, also when it does so at once", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await applyAll(engine.store);
    await store(engine, changed());
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: "447700900888", userId: "GB.new" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3", phone: null, userId: "GB.new" }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: "447700900888", user_id: "GB.new" }]);
    expect(await phoneAliases(engine)).toEqual([{ alias: "phone:447700900888" }]);
  });

  it("keeps the number where Meta names it again", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, changed({ phoneNumber: ADA }));
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: ADA, user_id: "GB.new" }]);
    expect(await phoneAliases(engine)).toEqual([{ alias: `phone:${ADA}` }]);
  });

  it("is written to by the new user id", async () => {
    const channel = await channelFor({ reply: () => null });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA, userId: "GB.old" });
    ada.says("hello");
    ada.sends({
      type: "system",
      system: { type: "user_changed_user_id", previous_user_id: "GB.old", user_id: "GB.new" },
    });
    const conversation = await channel.until(
      async () =>
        (
          await channel.rows<{ id: string }>(
            "select conversation_id as id from whatsapp_contacts where user_id = 'GB.new'",
          )
        )[0],
      "the change",
    );

    await channel.plugin.send({ conversationId: conversation.id, response: "hello again" });
    await channel.until(async () => channel.meta.accepted[0], "the answer");

    expect(channel.meta.accepted[0]?.body).toMatchObject({ recipient: "GB.new" });
    expect(channel.meta.accepted[0]?.body).not.toHaveProperty("to");
  });
});
