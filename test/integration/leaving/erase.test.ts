/** T71: a person is erased. Nothing of them is left in any column of any table, and Meta's redeliveries do not bring them back. */
import { afterEach, describe, expect, it } from "vitest";
import { allQuiet, NUMBER, quiet, startChannel, TENANT, type TestChannel } from "../../support/channel.ts";
import { createHostRole } from "../../support/host-role.ts";
import { closeWindow, keepBack, meet, texts } from "../outbound/outbound.ts";
import { ADA, BEN, dump, finds, liveThrough, moved, posted, status, text, wamidOf } from "./canaries.ts";
import { connectNumber, OTHER_TENANT, SECOND_NUMBER } from "./leaving.ts";

const running: TestChannel[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((channel) => channel.stop()));
});

async function start(options: Parameters<typeof startChannel>[0] = {}): Promise<TestChannel> {
  const channel = await startChannel({
    reply: ({ messages }) => `You said: ${messages.map((message) => message.text).join(" / ")}`,
    ...options,
    meta: { numbers: [NUMBER, SECOND_NUMBER], ...options.meta },
  });
  running.push(channel);
  await channel.rows("insert into customer_configs (id) values (?) on conflict do nothing", [OTHER_TENANT]);
  return channel;
}

type Payload = { readonly entry: readonly object[] };

/** What Meta would bring again: the exact deliveries, before they are erased. */
async function received(channel: TestChannel): Promise<readonly Payload[]> {
  const rows = await channel.rows<{ payload: Payload }>(
    "select payload from whatsapp_webhooks where payload is not null order by id",
  );
  return rows.map(({ payload }) => payload);
}

const OF_ADA = [ADA.phoneNumber, ADA.userId, ADA.name, wamidOf(ADA.phoneNumber, 0).slice(6, 24)];

async function bothLive(channel: TestChannel): Promise<readonly string[]> {
  const [ada, ben] = [channel.meta.person(ADA), channel.meta.person(BEN)];
  const ids = await liveThrough(channel, ADA, ada);
  await liveThrough(channel, BEN, ben);
  channel.meta.batch([
    { from: ada, text: `${ADA.name} says three` },
    { from: ben, text: `${BEN.name} says three` },
  ]);
  await allQuiet(channel);
  const sent = channel.meta.accepted.filter(({ recipient }) => recipient === ADA.phoneNumber).map(({ wamid }) => wamid);
  const written = [...ada.transcript(), ...ada.transcript(SECOND_NUMBER.phoneNumberId)].map(({ wamid }) => wamid);
  return [...OF_ADA, ...ids, ...sent, ...written];
}

/** What the host sees of somebody. */
async function shownOf(channel: TestChannel, { phoneNumber }: typeof ADA): Promise<unknown> {
  return channel.rows(
    `select m.role, m.content, m.status, m.external_id, m.channel_metadata, v.channel_metadata as conversation
     from messages m join conversations v on v.id = m.conversation_id
     where v.channel_metadata #>> '{whatsapp,phone_number}' = ? order by m.created_at, m.id`,
    [phoneNumber],
  );
}

describe("a person who is erased", () => {
  it("is nowhere any more, and not after everything came again in other batches; the others are as before", async () => {
    const channel = await start();
    const canaries = await bothLive(channel);
    const before = await dump(channel);
    for (const canary of OF_ADA) expect([canary, finds(before, [canary]).length > 0]).toEqual([canary, true]);
    const bens = await shownOf(channel, BEN);
    const payloads = await received(channel);
    const count = async () =>
      (
        await channel.rows(
          "select (select count(*) from whatsapp_webhooks) as webhooks, (select count(*) from whatsapp_events) as events, (select count(*) from conversations) as conversations",
        )
      )[0];
    const counted = await count();

    const erased = await channel.plugin.erase({ phoneNumber: `+${ADA.phoneNumber}` });

    expect(erased).toMatchObject({ contacts: 1, conversations: 1 });
    expect(erased.messages).toBeGreaterThan(5);
    expect(erased.events).toBeGreaterThan(10);
    expect(finds(await dump(channel), canaries)).toEqual([]);
    expect(await shownOf(channel, BEN)).toEqual(bens);
    expect(await count()).toEqual(counted);

    // Alone, in reverse, and all in one.
    for (const payload of payloads) await posted(channel, payload);
    for (const payload of payloads.toReversed()) await posted(channel, payload);
    await posted(channel, { object: "whatsapp_business_account", entry: payloads.flatMap(({ entry }) => entry) });
    await quiet(channel);

    expect(finds(await dump(channel), canaries)).toEqual([]);
    expect(await shownOf(channel, BEN)).toEqual(bens);
    expect(await channel.rows("select 1 from whatsapp_contacts")).toHaveLength(1);
    expect(
      await channel.rows(
        "select 1 from whatsapp_lanes where pending <> 0 or lease_token is not null or ready_at is not null",
      ),
    ).toEqual([]);

    // And again: harmless.
    expect(await channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).toEqual({
      contacts: 0,
      conversations: 0,
      messages: 0,
      media: 0,
      events: 0,
      deliveries: 0,
      turns: 0,
      sends: 0,
      hostEvents: 0,
    });
  });

  it("is found by user id as well, and by every name that it leads to", async () => {
    const channel = await start();
    const canaries = await bothLive(channel);

    await channel.plugin.erase({ userId: ADA.userId });

    expect(finds(await dump(channel), canaries)).toEqual([]);
  });

  it.each([
    ["the end of a user id", { userId: "9XX551234567" }],
    ["the beginning of a user id", { userId: "GB.99XX55123456" }],
    ["the end of a number", { phoneNumber: "7700905512" }],
    ["the beginning of a number", { phoneNumber: "44770090551" }],
  ])("takes nobody along by %s", async (_what, subject) => {
    const channel = await start();
    await meet(channel, { name: "Cat", phoneNumber: "447700905512", userId: "GB.99XX551234567" });
    await quiet(channel);

    expect(await channel.plugin.erase(subject)).toMatchObject({ contacts: 0, events: 0, deliveries: 0 });
  });

  it("is somebody new when they write again", async () => {
    const channel = await start();
    await bothLive(channel);
    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    const again = await meet(channel, ADA);
    await channel.until(() => texts(channel, again).includes("You said: hello"), "the answer");

    const rows = await channel.rows<{ content: string }>(
      "select content from messages where conversation_id = ? order by created_at",
      [again.conversationId],
    );
    expect(rows.map(({ content }) => content)).toEqual(["hello", "You said: hello"]);
  });

  it("is not brought back by what Meta has yet to say of messages they were sent", async () => {
    const channel = await start();
    const ada = await meet(channel, ADA);
    await channel.until(() => texts(channel, ada).length === 1, "the answer");
    await allQuiet(channel);
    const [{ wamid } = { wamid: "" }] = channel.meta.accepted;
    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    await posted(channel, status(ADA, wamid, "played"));
    await quiet(channel);

    expect(finds(await dump(channel), [...OF_ADA, wamid])).toEqual([]);
  });

  it("takes what waits with them: unanswered, unsent, unheard, failed for good", async () => {
    const channel = await start({
      reply: () => {
        throw new Error("not now");
      },
      plugin: {
        onEvent: () => {
          throw new Error("not now");
        },
        retry: { maxAttempts: 2, baseMs: 10, maxMs: 20 },
      },
    });
    const ada = await meet(channel, ADA);
    await keepBack(channel, ada);
    await channel.plugin.send({
      conversationId: ada.conversationId,
      response: `to ${ADA.name}`,
      idempotencyKey: ADA.name,
    });
    await closeWindow(channel, ada);
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_turns where state = 2"))[0],
      "the turn to be given up",
    );
    await channel.plugin.stop();
    await posted(channel, text(ADA, wamidOf(ADA.phoneNumber, 90), `${ADA.name} was never read`));

    const erased = await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    expect(erased).toMatchObject({ contacts: 1, turns: 1, sends: 1 });
    expect(finds(await dump(channel), OF_ADA)).toEqual([]);
    await channel.plugin.start();
    await quiet(channel);
    expect(finds(await dump(channel), OF_ADA)).toEqual([]);
  });

  it("of one tenant stays with the other", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);
    const ada = channel.meta.person(ADA);
    ada.says("to the first");
    ada.says("to the second", { to: SECOND_NUMBER.phoneNumberId });
    await allQuiet(channel);

    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber }, { customerConfigId: TENANT });

    const contacts = await channel.rows("select customer_config_id, phone_number from whatsapp_contacts");
    expect(contacts).toEqual([{ customer_config_id: OTHER_TENANT, phone_number: ADA.phoneNumber }]);
    const left = finds(await dump(channel), ["to the first"]);
    expect(left).toEqual([]);
    const kept = await channel.rows<{ payload: unknown }>(
      "select payload from whatsapp_webhooks where payload is not null",
    );
    expect(JSON.stringify(kept)).toContain("to the second");

    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    expect(finds(await dump(channel), OF_ADA)).toEqual([]);
  });
});

describe("a person who has changed their number", () => {
  const NEXT = { phoneNumber: "447700900777", userId: "GB.nextAda9" };

  async function adaHasMoved(channel: TestChannel): Promise<readonly string[]> {
    const canaries = await bothLive(channel);
    await posted(channel, moved(ADA, NEXT, wamidOf(ADA.phoneNumber, 70)));
    await quiet(channel);
    return [...canaries, NEXT.phoneNumber, NEXT.userId];
  }

  it.each([
    ["the new number", { phoneNumber: NEXT.phoneNumber }],
    ["the old number", { phoneNumber: ADA.phoneNumber }],
    ["the new user id", { userId: NEXT.userId }],
    ["the old user id", { userId: ADA.userId }],
  ])("is nowhere any more, by %s", async (_by, subject) => {
    const channel = await start();
    const canaries = await adaHasMoved(channel);

    expect(await channel.plugin.erase(subject)).toMatchObject({ contacts: 1 });

    expect(finds(await dump(channel), canaries)).toEqual([]);
  });

  it("does not take along whoever has the old number by now, who is meant by it", async () => {
    const channel = await start();
    const canaries = await adaHasMoved(channel);
    const eve = { name: "Eve Newcomer", phoneNumber: ADA.phoneNumber, userId: "GB.newcomerEve4" };
    const wamid = wamidOf("447700900999", 1);
    await posted(channel, text(eve, wamid, "Eve says hello"));
    // By the number alone, of a message that another app has sent her: nobody's contact has it.
    await posted(channel, status({ ...eve, userId: "" }, "wamid.ofAnotherApp", "delivered"));
    await allQuiet(channel);

    await channel.plugin.erase({ phoneNumber: NEXT.phoneNumber });

    const left = await dump(channel);
    expect(
      finds(
        left,
        canaries.filter((canary) => canary !== ADA.phoneNumber),
      ),
    ).toEqual([]);
    for (const hers of ["Eve says hello", "wamid.ofAnotherApp"]) expect(finds(left, [hers]).length).toBeGreaterThan(1);
    expect(await channel.rows("select name from whatsapp_contacts order by name")).toEqual([
      { name: BEN.name },
      { name: eve.name },
    ]);

    await channel.plugin.erase({ phoneNumber: eve.phoneNumber });

    expect(finds(await dump(channel), ["Eve", eve.userId, ADA.phoneNumber])).toEqual([]);
  });

  it("stays when whoever has the old number by now is erased by it", async () => {
    const channel = await start();
    await adaHasMoved(channel);
    await posted(
      channel,
      text({ name: "Eve", phoneNumber: ADA.phoneNumber, userId: "GB.newcomerEve4" }, wamidOf("447700900999", 1), "hi"),
    );
    await allQuiet(channel);

    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    expect(await channel.rows("select phone_number from whatsapp_contacts order by 1")).toEqual([
      { phone_number: BEN.phoneNumber },
      { phone_number: NEXT.phoneNumber },
    ]);
  });
});

describe("a person whose conversation the host has deleted", () => {
  const HIS_WORDS = `${ADA.name} says one`;

  async function deletedAndMetAgain(channel: TestChannel): Promise<void> {
    await channel.rows("alter table messages drop constraint if exists messages_conversation_id_fkey");
    await posted(channel, text(ADA, wamidOf(ADA.phoneNumber, 0), HIS_WORDS));
    await allQuiet(channel);
    await channel.rows("delete from conversations");
    await meet(channel, ADA);
    await allQuiet(channel);
    // As after months.
    for (const table of ["whatsapp_turns", "whatsapp_sends", "whatsapp_events", "whatsapp_webhooks"])
      await channel.rows(`delete from ${table}`);
    expect(finds(await dump(channel), [HIS_WORDS])).toHaveLength(2);
  }

  it("is nowhere any more, though the host has kept the messages", async () => {
    const channel = await start();
    await deletedAndMetAgain(channel);

    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    expect(finds(await dump(channel), OF_ADA)).toEqual([]);
  });

  it("is nowhere any more, though an earlier version has left the window behind", async () => {
    const channel = await start();
    await posted(channel, text(ADA, wamidOf(ADA.phoneNumber, 0), HIS_WORDS));
    await allQuiet(channel);
    await channel.rows(
      `insert into whatsapp_sessions (conversation_id, phone_number, session_start, session_expires)
       values (gen_random_uuid(), ?, now(), now())`,
      [ADA.phoneNumber],
    );

    await channel.plugin.erase({ phoneNumber: ADA.phoneNumber }, { customerConfigId: TENANT });

    expect(finds(await dump(channel), OF_ADA)).toEqual([]);
  });
});

describe("a host whose own tables stand on its messages", () => {
  it.each<[string, string]>([
    ["a foreign key", "create table feedback (id int, message_id uuid references messages (id))"],
    [
      "a foreign key that is checked at the commit",
      "create table feedback (id int, message_id uuid references messages (id) deferrable initially deferred)",
    ],
    [
      "a trigger",
      `create table feedback (id int, message_id uuid);
       create function keep() returns trigger language plpgsql as $$ begin raise exception 'never deleted'; end $$;
       create trigger keep before delete on messages for each row execute function keep()`,
    ],
    [
      "a trigger that deletes softly",
      `create table feedback (id int, message_id uuid); alter table messages add deleted_at timestamptz;
       create function soft() returns trigger language plpgsql as
         $$ begin update messages set deleted_at = now() where id = old.id; return null; end $$;
       create trigger soft before delete on messages for each row execute function soft()`,
    ],
    [
      "a trigger that deletes some of them softly",
      `create table feedback (id int, message_id uuid);
       create function soft() returns trigger language plpgsql as
         $$ begin if old.role = 'user' then return null; end if; return old; end $$;
       create trigger soft before delete on messages for each row execute function soft()`,
    ],
    [
      "a rule",
      "create table feedback (id int, message_id uuid); create rule keep as on delete to messages do instead nothing",
    ],
  ])("keeps the rows by %s, emptied", async (_how, sql) => {
    const channel = await start();
    const canaries = await bothLive(channel);
    await channel.rows(sql);
    await channel.rows(
      "insert into feedback select 1, id from messages where conversation_id in (select conversation_id from whatsapp_contacts where phone_number = ?)",
      [ADA.phoneNumber],
    );

    const { messages } = await channel.plugin.erase({ phoneNumber: ADA.phoneNumber });

    expect(finds(await dump(channel), canaries)).toEqual([]);
    expect(messages).toBeGreaterThan(5);
    expect(await channel.rows("select 1 from messages where content = '[erased]'")).toHaveLength(messages);
  });

  it.each<[string, string]>([
    [
      "a trigger that puts the text back",
      `create function keep() returns trigger language plpgsql as
         $$ begin if tg_op = 'DELETE' then return null; end if; new.content := old.content; return new; end $$;
       create trigger keep before update or delete on messages for each row execute function keep()`,
    ],
    [
      "a trigger that lets no row change",
      `create function keep() returns trigger language plpgsql as $$ begin return null; end $$;
       create trigger keep before update or delete on messages for each row execute function keep()`,
    ],
    [
      "a trigger on the conversations",
      `create function keep() returns trigger language plpgsql as $$ begin return null; end $$;
       create trigger keep before update on conversations for each row execute function keep()`,
    ],
  ])("hears that nothing is erased where %s", async (_how, sql) => {
    const channel = await start();
    await bothLive(channel);
    await channel.rows(sql);
    const before = await shownOf(channel, ADA);

    await expect(channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).rejects.toMatchObject({
      code: "HOST_TABLE_INCOMPATIBLE",
    });

    expect(await shownOf(channel, ADA)).toEqual(before);
  });
});

describe("a host whose row level security holds for us too", () => {
  const secured = `alter table messages enable row level security; alter table messages force row level security;
    create policy i on messages for insert with check (true); create policy s on messages for select using (true)`;

  it.each<[string, string, string]>([
    [
      "lets us see and change all, but delete nothing",
      "create policy u on messages for update using (true)",
      "emptied",
    ],
    [
      "lets us do everything, whatever it asks of the role",
      "create policy a on messages using (current_user <> '')",
      "deleted",
    ],
    ["lets us change nothing", "select 1", "refused"],
    [
      "looks at the row, and may hide some",
      "create policy u on messages for update using (conversation_id in (select id from conversations))",
      "refused",
    ],
    [
      "restricts what another policy lets",
      "create policy u on messages using (true); create policy r on messages as restrictive for select using (role <> 'user')",
      "refused",
    ],
  ])("and %s", async (_how, sql, outcome) => {
    const host = await createHostRole();
    const channel = await start({ database: host.database, plugin: { knex: host.knex } });
    const ada = channel.meta.person(ADA);
    ada.says(`${ADA.name} says one`);
    await allQuiet(channel);
    await host.knex.raw(`${secured}; ${sql}`);

    const erased = await channel.plugin
      .erase({ phoneNumber: ADA.phoneNumber })
      .catch(({ code }: { code: string }) => code);

    const left = await channel.rows("select 1 from messages where content like '%says one%'");
    if (outcome === "refused") {
      expect(erased).toBe("HOST_TABLE_INCOMPATIBLE");
      expect(left).toHaveLength(2);
    } else {
      expect(erased).toMatchObject({ messages: 2 });
      expect(left).toEqual([]);
      expect(await channel.rows("select 1 from messages")).toHaveLength(outcome === "emptied" ? 2 : 0);
    }
    await channel.stop();
    await host.drop();
  });
});

describe("erasing refuses", () => {
  it.each<[string, object, object]>([
    ["nobody", {}, {}],
    ["two at once", { phoneNumber: "447700900123", userId: "GB.1" }, {}],
    ["a number that is none", { phoneNumber: "Ada" }, {}],
    ["part of a number", { phoneNumber: "900123" }, {}],
    ["more than a number", { phoneNumber: "4477009001234567" }, {}],
    ["an id without its country", { userId: "5512" }, {}],
    ["a country without an id", { userId: "GB." }, {}],
    ["an id that is none", { userId: "GB.1' or 1=1" }, {}],
    ["a tenant that is none", { phoneNumber: "447700900123" }, { customerConfigId: "1" }],
  ])("%s", async (_what, subject, options) => {
    const channel = await start({ start: false, connect: false });

    await expect(channel.plugin.erase(subject as never, options)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });
});
