/** Storing: lanes are locked in one order before event ids are drawn, and a change is stored once, whoever brings it. */
import { describe, expect, it } from "vitest";
import { isStoreDown } from "../../../plugin/pipeline/failure.ts";
import { createGroupCommit } from "../../../plugin/pipeline/group-commit.ts";
import type { IncomingDelivery, RecordedDelivery } from "../../../plugin/ports.ts";
import {
  ADA,
  applyAll,
  applyOnce,
  BEN,
  delivery,
  deliveryOf,
  hold,
  isPendingStill,
  message,
  startEngine,
  status,
  stranded,
  waiters,
} from "./support.ts";

describe("the order of locks", () => {
  it("draws no event id before it has the lane, so that ids rise in commit order", async () => {
    const { store, database, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const drawn = async () => (await rows<{ last_value: string }>("select last_value from whatsapp_events_id_seq"))[0];
    const before = await drawn();
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes for update");

    const second = store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await waiters(rows);

    expect(await isPendingStill(second)).toBe(true);
    expect(await drawn()).toEqual(before);
    await somebody.commit();
    await second;
    expect(await drawn()).not.toEqual(before);
  });

  it("does not deadlock when batches name the same people in opposite order", async () => {
    const { store, another, rows } = await startEngine();
    const people = Array.from({ length: 12 }, (_, n) => String(447700900100 + n));
    await store.inbox.record([delivery(...people.map((phone) => message({ id: `wamid.first.${phone}`, phone })))]);
    const stores = [store, another(), another(), another()];

    for (let round = 0; round < 15; round++)
      await Promise.all(
        stores.map((one, i) => {
          const order = i % 2 === 0 ? people : [...people].reverse();
          return one.inbox.record([
            delivery(...order.map((phone) => message({ id: `wamid.${round}.${i}.${phone}`, phone }))),
          ]);
        }),
      );

    expect(await rows("select lane_key, pending from whatsapp_lanes where pending <> 61")).toEqual([]);
  });

  it.each([
    ["of people who are known", []],
    ["with somebody new among them", [message({ id: "wamid.c", phone: "447700900789" })]],
  ])("locks lanes in sorted order however a batch %s names them", async (_whose, others) => {
    const { store, database, rows } = await startEngine();
    const people = [ADA, BEN];
    await store.inbox.record([delivery(...people.map((phone) => message({ id: `wamid.${phone}`, phone })))]);
    const [first, second] = await rows<{ lane_key: string }>("select lane_key from whatsapp_lanes order by lane_key");
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [first?.lane_key]);

    // The batch names the second lane first; while it waits for the first one, it must not hold the second.
    const batch = store.inbox.record([
      delivery(message({ id: "wamid.b", phone: BEN }), message({ id: "wamid.a", phone: ADA }), ...others),
    ]);
    await waiters(rows);

    await expect(
      somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update nowait", [second?.lane_key]),
    ).resolves.toHaveLength(1);
    await somebody.commit();
    await batch;
  });

  it("does not deadlock over changes of a number that nobody has connected", async () => {
    const { store, another, rows } = await startEngine({ connected: false });
    // Slow enough that each batch has its first row before the other asks for it.
    await rows(`create function dawdle() returns trigger language plpgsql as $$
      begin perform pg_sleep(0.1); return new; end $$`);
    await rows("create trigger dawdle before insert on whatsapp_events for each row execute function dawdle()");
    const changes = ["wamid.1", "wamid.2"].map((id) => message({ id }));

    const results = await Promise.all([
      store.inbox.record([delivery(...changes)]),
      another().inbox.record([delivery(...changes.toReversed())]),
    ]);

    expect(results.flatMap(([result]) => outcomes(result)).sort()).toEqual([
      "duplicate",
      "duplicate",
      "ignored",
      "ignored",
    ]);
    expect(await rows("select state from whatsapp_events")).toEqual([{ state: 4 }, { state: 4 }]);
  });
});

describe("an ordinary delivery", () => {
  it("keeps ids and names that look like the database's own syntax, and the order in which they stand", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.0" }), message({ id: "wamid.00", phone: BEN }))]);
    const ids = ['"', "\\", "{},", "NULL", "null", " ", "'; --", "$1", "%s", "é👩🏽‍🚀", "a\nb"].map(
      (odd) => `wamid.${odd}`,
    );

    const recorded = await store.inbox.record([
      delivery(...ids.slice(0, 4).map((id) => message({ id }))),
      delivery(message({ id: "wamid.ben", phone: BEN })),
      delivery(...ids.slice(4).map((id) => message({ id }))),
    ]);

    const stored = await rows<{ id: string; external_id: string; webhook_id: string; lane_key: string }>(
      "select id, external_id, webhook_id, lane_key from whatsapp_events order by id offset 2",
    );
    expect(stored.map(({ external_id }) => external_id)).toEqual([...ids.slice(0, 4), "wamid.ben", ...ids.slice(4)]);
    expect(
      recorded.flatMap(({ webhookId, events }) =>
        events.map(({ eventId, lane }) => ({ id: eventId, webhook_id: webhookId, lane_key: lane })),
      ),
    ).toEqual(stored.map(({ id, webhook_id, lane_key }) => ({ id, webhook_id, lane_key })));
    await applyAll(store);
    expect(
      await rows("select external_id from messages where external_id <> all (?) order by created_at", [
        ["wamid.0", "wamid.00", "wamid.ben"],
      ]),
    ).toEqual(ids.map((external_id) => ({ external_id })));
    expect(await stranded(rows)).toEqual([]);
  });

  it("takes one call to the database, also for somebody who goes by several names", async () => {
    const { database, another, rows } = await startEngine();
    let calls = 0;
    const knex = database.connect({
      min: 0,
      max: 1,
      afterCreate(connection: { query: (...args: unknown[]) => unknown }, done: (error: null, made: unknown) => void) {
        const query = connection.query.bind(connection);
        connection.query = (...args) => {
          calls++;
          return query(...args);
        };
        done(null, connection);
      },
    });
    const store = another({ knex });
    const userId = "GB.5512oQx81Zk09";
    await store.inbox.record([delivery(message({ id: "wamid.1", userId }))]);
    calls = 0;

    await store.inbox.record([
      delivery(message({ id: "wamid.2", userId })),
      delivery(message({ id: "wamid.3" }), status({ wamid: "wamid.sent", status: "delivered" })),
    ]);

    expect(calls).toBe(1);
    expect(await rows("select distinct lane_key from whatsapp_events")).toHaveLength(1);
  });
});

describe("a change that comes again", () => {
  it("is stored once when two batches bring it, and the second delivery is complete at once", async () => {
    const { store, rows } = await startEngine();

    const [first] = await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const [second] = await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2" }))]);

    expect(outcomes(first)).toEqual(["accepted"]);
    expect(outcomes(second)).toEqual(["duplicate", "accepted"]);
    expect(await rows("select pending from whatsapp_lanes")).toEqual([{ pending: 2 }]);
    await applyAll(store);
    expect(await rows("select external_id from messages order by created_at")).toEqual([
      { external_id: "wamid.1" },
      { external_id: "wamid.2" },
    ]);
    expect(await rows("select processed, pending from whatsapp_webhooks")).toEqual([
      { processed: true, pending: 0 },
      { processed: true, pending: 0 },
    ]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is stored once when one batch brings it twice, in one delivery or in two", async () => {
    const { store, rows } = await startEngine();
    const twice = delivery(message({ id: "wamid.1" }), message({ id: "wamid.1" }));

    const [first, second] = await store.inbox.record([twice, twice]);

    expect(outcomes(first)).toEqual(["accepted", "duplicate"]);
    expect(outcomes(second)).toEqual(["duplicate", "duplicate"]);
    expect(await rows("select processed, pending from whatsapp_webhooks order by id")).toEqual([
      { processed: false, pending: 1 },
      { processed: true, pending: 0 },
    ]);
    await applyAll(store);
    expect(await rows("select 1 from messages")).toHaveLength(1);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is stored once when two instances store it at the same time", async () => {
    const { store, another, rows } = await startEngine();
    const stores = [store, another(), another()];

    const results = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        stores.map((one) => one.inbox.record([delivery(message({ id: `wamid.${n}` }))])),
      ).flat(),
    );

    const accepted = results.flatMap(([result]) => outcomes(result)).filter((outcome) => outcome === "accepted");
    expect(accepted).toHaveLength(30);
    await applyAll(store);
    expect(await rows("select external_id from messages")).toHaveLength(30);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is kept without a lane while no connection holds the number", async () => {
    const { store, rows } = await startEngine({ connected: false });

    const [first] = await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const [again] = await store.inbox.record([delivery(message({ id: "wamid.1" }))]);

    expect(outcomes(first)).toEqual(["ignored"]);
    expect(outcomes(again)).toEqual(["duplicate"]);
    expect(await rows("select processed, left(error, 9) as error from whatsapp_webhooks order by id")).toEqual([
      { processed: false, error: "unrouted:" },
      { processed: true, error: null },
    ]);
    expect(await rows("select 1 from whatsapp_lanes")).toEqual([]);
  });
});

describe("a delivery's payload", () => {
  it("is there once its events were applied, on the ordinary way as on the long one", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const ordinary = delivery(message({ id: "wamid.2" }));

    await store.inbox.record([ordinary]);

    const payloads = () => rows<{ payload: unknown }>("select payload from whatsapp_webhooks order by id");
    expect((await payloads())[1]).toEqual({ payload: null });
    await applyAll(store);
    expect((await payloads())[1]).toEqual({ payload: JSON.parse(Buffer.from(ordinary.body).toString()) });
  });

  it("that cannot be made does not keep its event from being set aside", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [recorded] = await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await rows("update whatsapp_webhooks set body = 'no JSON' where payload is null");
    const [lane] = await store.lanes.claim("in", 1);
    if (lane === undefined) expect.fail("no lane");
    await expect(applyOnce(store, [lane])).rejects.toThrow("invalid input syntax");

    await store.inbox.bury(lane, recorded?.events[0]?.eventId ?? "", "poison");

    expect(await rows("select error from whatsapp_webhooks where error is not null")).toEqual([
      { error: "dead letter: poison" },
    ]);
  });
});

describe("a delivery that Postgres refuses", () => {
  const unstorable = () => {
    const json = Buffer.from(delivery(message({ id: "wamid.bad" })).body).toString();
    const text = json.replace('"messaging_product"', '"size":1e999999,"messaging_product"');
    return { ...deliveryOf(text), payload: { text } };
  };

  it("is quarantined with its exact bytes", async () => {
    const { store, rows } = await startEngine();
    const bad = unstorable();

    const [recorded] = await store.inbox.record([bad]);

    expect(recorded?.events).toEqual([]);
    const [row] = await rows<{ body: Buffer; error: string }>(
      "select body, payload, error, processed, pending from whatsapp_webhooks",
    );
    expect(row).toMatchObject({ payload: null, processed: false, pending: 0, error: expect.stringContaining("22003") });
    expect(Buffer.from(row?.body ?? []).equals(bad.body)).toBe(true);
    expect(await stranded(rows)).toEqual([]);
  });

  it("does not take the neighbours of its commit along", async () => {
    const { store, rows } = await startEngine();
    const group = createGroupCommit<IncomingDelivery, RecordedDelivery>({
      commit: store.inbox.record,
      isItemsFault: (error) => !isStoreDown(error),
      maxItems: 10,
    });

    const results = await Promise.all([
      group.add(delivery(message({ id: "wamid.1" }))),
      group.add(unstorable()),
      group.add(delivery(message({ id: "wamid.2" }))),
    ]);

    expect(results.map((result) => outcomes(result))).toEqual([["accepted"], [], ["accepted"]]);
    await applyAll(store);
    expect(await rows("select external_id from messages order by created_at")).toEqual([
      { external_id: "wamid.1" },
      { external_id: "wamid.2" },
    ]);
  });

  it("is not quarantined when the fault is the database's: Meta shall bring it again", async () => {
    const { store, rows } = await startEngine();
    await rows("alter table whatsapp_events rename to away");

    await expect(store.inbox.record([delivery(message({ id: "wamid.1" }))])).rejects.toThrow();

    expect(await rows("select 1 from whatsapp_webhooks")).toEqual([]);
    await rows("alter table away rename to whatsapp_events");
    const [recorded] = await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    expect(outcomes(recorded)).toEqual(["accepted"]);
  });
});

function outcomes(recorded: RecordedDelivery | undefined): string[] {
  return recorded?.events.map(({ outcome }) => outcome) ?? [];
}
