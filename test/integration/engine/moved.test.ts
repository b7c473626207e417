/** People who have another user id, because they have another number that Meta keeps to itself. */
import type { ChannelEvent, ContactChangedEvent, Person } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER, TENANT } from "../../support/channel.ts";
import {
  ADA,
  applyAll,
  BEN,
  channelFor,
  claimed,
  delivery,
  type Engine,
  eventsOf,
  hold,
  message,
  startEngine,
  status,
  waiters,
} from "./support.ts";

const OLD: Person = { phoneNumber: null, userId: "GB.old", parentUserId: null, username: null, name: "Ada" };

const changed = (
  over: Partial<Person> = {},
  change: ContactChangedEvent["change"] = "user-id",
): ContactChangedEvent => ({
  dedupeKey: "test/moved",
  wabaId: NUMBER.wabaId,
  phoneNumberId: NUMBER.phoneNumberId,
  occurredAt: new Date(),
  raw: {},
  kind: "contact-changed",
  change,
  before: { ...OLD, phoneNumber: change === "phone-number" ? ADA : null },
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

describe("what comes late, from before a person moved", () => {
  const MOVED = [
    ["the new number is not told", changed()],
    ["the new number is told", changed({ phoneNumber: "447700900888" }, "phone-number")],
  ] as const;

  it.each(MOVED)("does not take the number back from whoever gets it: a status, where %s", async (_what, move) => {
    const engine = await startEngine();
    const { rows } = engine;
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, move);
    await applyAll(engine.store);

    await engine.store.inbox.record([delivery(status({ wamid: "wamid.out", status: "read", userId: "GB.old" }))]);
    await applyAll(engine.store);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", userId: "GB.stranger" }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([
      { phone_number: move.person.phoneNumber, user_id: "GB.new" },
      { phone_number: ADA, user_id: "GB.stranger" },
    ]);
    expect(await rows("select distinct conversation_id from messages")).toHaveLength(2);
  });

  it.each(MOVED)("does not make one of them and whoever has the number by then, where %s", async (_what, move) => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, move);
    await applyAll(engine.store);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", userId: "GB.stranger" }))]);
    await applyAll(engine.store);

    await engine.store.inbox.record([delivery(status({ wamid: "wamid.out", status: "read", userId: "GB.old" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3", userId: "GB.old" }))]);
    await applyAll(engine.store);

    expect(await engine.rows("select 1 from whatsapp_contacts where merged_into is not null")).toEqual([]);
    expect(
      await engine.rows(
        `select c.user_id, m.external_id from messages m join whatsapp_contacts c using (conversation_id) order by m.external_id`,
      ),
    ).toEqual([
      { user_id: "GB.new", external_id: "wamid.1" },
      { user_id: "GB.stranger", external_id: "wamid.2" },
      { user_id: "GB.new", external_id: "wamid.3" },
    ]);
  });

  it.each([
    ["in one go with the move", false],
    ["afterwards", true],
  ])("is theirs, and answers go to where they are now: a message that is applied %s", async (_when, isLater) => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, changed({ phoneNumber: "447700900888" }, "phone-number"));
    if (isLater) await applyAll(engine.store);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", userId: "GB.old" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3", userId: "GB.old", phone: null }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: "447700900888", user_id: "GB.new" }]);
    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(1);
  });

  it.each([
    ["in one go with the move after it", false],
    ["afterwards", true],
  ])("leaves them where they are now: an earlier move that is applied %s", async (_when, isLater) => {
    const engine = await startEngine();
    const [SECOND, THIRD] = ["447700900888", "447700900999"];
    const move = (from: Partial<Person>, to: Partial<Person>): ChannelEvent => ({
      ...changed(to, "phone-number"),
      dedupeKey: `test/to ${to.userId}`,
      before: { ...OLD, ...from },
    });
    const [first, second, third] = [
      { phoneNumber: ADA, userId: "GB.first" },
      { phoneNumber: SECOND, userId: "GB.second" },
      { phoneNumber: THIRD, userId: "GB.third" },
    ];
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.first" }))]);
    await applyAll(engine.store);
    // What links the three names is there first, and is applied last.
    await store(engine, move(first, second));
    const [lane] = await claimed(engine.store);
    const [head] = lane === undefined ? [] : await engine.store.inbox.load([lane], 1);
    if (lane === undefined || head === undefined) expect.fail("there is no move");
    await engine.store.inbox.bury(lane, head.eventId, "poison");
    await store(engine, move(second, third));
    if (isLater) await applyAll(engine.store);
    await engine.rows("update whatsapp_events set id = default where state = 2");
    await engine.store.deadLetters.redrive({ customerConfigId: TENANT }, { ids: null, limit: 1 });
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: THIRD, user_id: "GB.third" }]);
    expect(await phoneAliases(engine)).toEqual([{ alias: `phone:${THIRD}` }]);
    expect(
      await engine.rows("select alias from whatsapp_contact_aliases where alias like 'left:%' order by alias"),
    ).toEqual([{ alias: "left:GB.first" }, { alias: "left:GB.second" }]);

    for (const [n, who] of [first, second, third].entries())
      await engine.store.inbox.record([delivery(message({ id: `wamid.${n}.late`, phone: null, userId: who.userId }))]);
    await applyAll(engine.store);
    expect(await contacts(engine)).toEqual([{ phone_number: THIRD, user_id: "GB.third" }]);
  });

  it("is no longer late when they are back under their old user id", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, changed({ phoneNumber: "447700900888" }, "phone-number"));
    await applyAll(engine.store);
    const back: ChannelEvent = {
      ...changed({}, "phone-number"),
      dedupeKey: "test/back",
      before: { ...OLD, userId: "GB.new", phoneNumber: "447700900888" },
      person: { ...OLD, phoneNumber: ADA },
    };
    await store(engine, back);
    await applyAll(engine.store);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", userId: "GB.old" }))]);
    await applyAll(engine.store);

    expect(await contacts(engine)).toEqual([{ phone_number: ADA, user_id: "GB.old" }]);
    expect(await phoneAliases(engine)).toEqual([{ alias: `phone:${ADA}` }]);
  });
});

describe("a number that is just being left", () => {
  it("is not learnt anew by a delivery that looked the person up before", async () => {
    const engine = await startEngine();
    const { another, database, rows } = engine;
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, changed());
    // Somebody new comes with them, so that the delivery has looked everybody up when it waits to insert.
    const somebody = await hold(database);
    await somebody.query("lock table whatsapp_contacts in share row exclusive mode");
    const storing = another().inbox.record([
      delivery(message({ id: "wamid.2", userId: "GB.old" }), message({ id: "wamid.3", userId: "GB.ben", phone: BEN })),
    ]);
    await waiters(rows);
    await somebody.query("delete from whatsapp_contact_aliases where alias = $1", [`phone:${ADA}`]);
    await somebody.commit();
    await storing;

    expect(await phoneAliases(engine)).toEqual([{ alias: `phone:${BEN}` }]);
  });
});
