/** Somebody is erased while others are at work on what is theirs: nobody writes it back, and nothing is stranded. */
import { describe, expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createErasure } from "../../../adapters/postgres/erase.ts";
import { TENANT } from "../../support/channel.ts";
import {
  ADA,
  applyAll,
  applyOnce,
  BEN,
  claimed,
  delivery,
  type Engine,
  hold,
  message,
  startEngine,
  status,
  stranded,
  waiters,
} from "../engine/support.ts";
import { dump, finds } from "./canaries.ts";

const WAMID = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAEhgUM0E0QTY1OTlBRUUwMzgxMDE0NEYA";

const erase = ({ database }: Engine) =>
  createErasure(createDatabase(database.knex, { schema: "public", hostSchema: "public" })).erase(
    { phoneNumber: ADA },
    null,
  );

async function expectForgotten(engine: Engine): Promise<void> {
  expect(finds(await dump(engine), [ADA, WAMID, "hello"])).toEqual([]);
  expect(await stranded(engine.rows)).toEqual([]);
}

describe("a person who is erased", () => {
  it("while a worker has their messages in hand leaves no message behind", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: WAMID, text: "hello" }))]);
    const lanes = await claimed(engine.store);
    const events = await engine.store.inbox.load(lanes, 50);
    expect(events).toHaveLength(1);

    await erase(engine);

    expect(await applyOnce(engine.store, lanes)).toBe(false);
    await expectForgotten(engine);
  });

  it("while a worker is about to commit waits for it, and takes what it has written", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: WAMID, text: "hello" }))]);
    const lanes = await claimed(engine.store);
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [lanes[0]?.laneKey]);

    // It has written everything, and waits for its lane.
    const applying = applyOnce(engine.store, lanes);
    await waiters(engine.rows, 1);
    const erasing = erase(engine);
    await waiters(engine.rows, 2);
    await somebody.commit();

    expect(await applying).toBe(true);
    expect(await erasing).toMatchObject({ contacts: 1, messages: 1 });
    await expectForgotten(engine);
  });

  it("while the AI thinks is not answered", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: WAMID, text: "hello" }))]);
    await applyAll(engine.store);
    const [turn] = await engine.store.turns.seal(await claimed(engine.store, "turn"));
    if (!turn) throw new Error("there is no turn");

    await erase(engine);

    expect(await engine.store.turns.finish([{ turn, send: null }])).toEqual([false]);
    await expectForgotten(engine);
  });

  it("while what they wrote to two numbers is just being asked is waited with, without a deadlock", async () => {
    const engine = await startEngine();
    const { store, another, database, rows } = engine;
    const other = "301777000333999";
    await rows(
      "insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number) values (?, ?, '299', '1555')",
      [TENANT, other],
    );
    // Contacts in one order, and their turns in the other.
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", to: other }))]);
    const lanes = [...(await claimed(store))].sort((a, b) => (a.laneKey < b.laneKey ? 1 : -1));
    for (const lane of lanes) await applyOnce(store, [lane]);
    const turns = await claimed(store, "turn");
    const [first] = turns.map(({ laneKey }) => laneKey).sort();
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_turns where lane_key = $1 for update", [first]);

    const sealing = another().turns.seal(turns);
    await waiters(rows, 1);
    const erasing = erase(engine);
    await waiters(rows, 2);
    await somebody.commit();

    expect((await sealing).map((turn) => turn?.attempt)).toEqual([1, 1]);
    expect(await erasing).toMatchObject({ contacts: 2, turns: 2 });
  });

  it("while a message to them is on its way is forgotten with its wamid and its statuses", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.HBgMfirst", text: "hello" }))]);
    await applyAll(engine.store);
    const [conversation] = await engine.rows<{ id: string }>("select conversation_id as id from whatsapp_contacts");
    await engine.store.outbox.enqueue(conversation?.id ?? "", {
      parts: [
        {
          kind: "text",
          endpoint: "messages",
          payload: { type: "text", text: { body: "hello" } },
          content: "hello",
          mediaType: null,
          needsWindow: true,
          isMarketing: false,
          onAmbiguous: "resend",
        },
      ],
      degraded: [],
      requestHash: "h",
      idempotencyKey: null,
      onWindowClosed: "fail",
      fallback: null,
      choices: [],
    });
    const lanes = await claimed(engine.store, "out");
    const [part] = await engine.store.outbox.head(lanes);
    if (!part) throw new Error("there is no part");
    expect(await engine.store.outbox.begin([{ part, token: "t" }])).toEqual([true]);

    await erase(engine);

    const accepted = { part, token: "t", attempt: "accepted" as const, messageId: WAMID, error: null };
    expect(await engine.store.outbox.settle([{ ...accepted, next: { kind: "done", state: "accepted" } }])).toEqual([
      false,
    ]);
    await engine.store.inbox.record([delivery(status({ wamid: WAMID, status: "delivered" }))]);
    await applyAll(engine.store);
    await expectForgotten(engine);
  });

  it.each([
    ["before a message that is just being stored is somebody new in it", []],
    ["before one that is stored with somebody's who is new, too", [message({ id: "wamid.3", phone: BEN })]],
  ])("%s", async (_when, others) => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [contact] = await rows<{ id: string }>("select id from whatsapp_contacts");
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [`in:contact:${contact?.id}`]);

    const erasing = erase(engine);
    await waiters(rows, 1);
    // The person is known to it, and it waits for their lane.
    const storing = store.inbox.record([delivery(message({ id: "wamid.2" }), ...others)]);
    await waiters(rows, 2);
    await somebody.commit();
    await Promise.all([erasing, storing]);
    await applyAll(store);

    const shown = await rows<{ external_id: string }>("select external_id from messages order by created_at");
    expect(shown.map(({ external_id }) => external_id)).toEqual(["wamid.2", ...others.map(() => "wamid.3")]);
    const contacts = await rows<{ id: string }>("select id from whatsapp_contacts");
    expect(contacts.map(({ id }) => id)).not.toContain(contact?.id);
    expect(await stranded(rows)).toEqual([]);
  });

  it("while they are met anew at each try is said not to be erased, and is not", async () => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    await store.inbox.record([delivery(message({ id: WAMID, text: "hello" }))]);
    await applyAll(store);
    /** Has taught one more name of theirs, and nobody sees it yet. */
    const teach = async (userId: string) => {
      const somebody = await hold(database);
      await somebody.query(`select pg_advisory_xact_lock(hashtext('"public"."whatsapp_contacts"'))`);
      await somebody.query(
        `insert into whatsapp_contact_aliases (connection_id, alias, contact_id)
         select connection_id, $1, contact_id from whatsapp_contact_aliases where alias = 'phone:${ADA}'`,
        [`user:${userId}`],
      );
      return somebody;
    };
    let teaching = await teach("GB.1");
    const erasing = erase(engine);
    const refused = expect(erasing).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retry: "backoff" });
    await waiters(rows, 1);
    for (const userId of ["GB.2", "GB.3"]) {
      const next = teach(userId);
      await waiters(rows, 2);
      await teaching.commit();
      teaching = await next;
      await waiters(rows, 1);
    }
    await teaching.commit();

    await refused;
    expect(await rows("select content from messages")).toEqual([{ content: "hello" }]);
    expect(await erase(engine)).toMatchObject({ contacts: 1, messages: 1 });
    await expectForgotten(engine);
  });

  it("while the host sends to them is not sent to", async () => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [row] = await rows<{ id: string; conversation_id: string }>(
      "select id, conversation_id from whatsapp_contacts",
    );
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [`in:contact:${row?.id}`]);
    const erasing = erase(engine);
    await waiters(rows, 1);

    const sending = store.outbox.enqueue(row?.conversation_id ?? "", {
      parts: [],
      degraded: [],
      requestHash: "h",
      idempotencyKey: null,
      onWindowClosed: "fail",
      fallback: null,
      choices: [],
    });
    const refused = expect(sending).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
    await waiters(rows, 2);
    await somebody.commit();

    await Promise.all([erasing, refused]);
    expect(await rows("select 1 from whatsapp_sends")).toEqual([]);
  });

  it("at the same time as somebody else, and by two at once, is erased once", async () => {
    const engine = await startEngine();
    for (const phone of [ADA, BEN])
      await engine.store.inbox.record([delivery(message({ id: `wamid.${phone}`, text: "hello", phone }))]);
    await applyAll(engine.store);

    const counts = await Promise.all([erase(engine), erase(engine)]);

    expect(counts.map(({ messages }) => messages).sort()).toEqual([0, 1]);
    expect(await engine.rows("select 1 from whatsapp_contacts")).toHaveLength(1);
    expect(finds(await dump(engine), [ADA])).toEqual([]);
  });
});
