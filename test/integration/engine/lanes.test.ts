/** Lanes: one holder at a time, released by counter, back after a lease, and nothing left behind. */
import { describe, expect, it } from "vitest";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import type { ClaimedLane } from "../../../plugin/ports.ts";
import { until } from "../../support/channel.ts";
import {
  applyAll,
  applyOnce,
  BEN,
  claimed,
  delivery,
  hold,
  message,
  startEngine,
  stranded,
  waiters,
} from "./support.ts";

const people = (count: number) => Array.from({ length: count }, (_, n) => String(447700900100 + n));

describe("a lane that somebody has locked", () => {
  it.each([
    ["renewed", "ready_at > now() + interval '30 seconds'"],
    ["given back", "lease_token is null"],
  ])("keeps the others from being %s no more than it must", async (what, sign) => {
    const { store, database, rows } = await startEngine({ leaseMs: 60_000 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN }))]);
    const lanes = await claimed(store);
    await rows("update whatsapp_lanes set ready_at = now() + interval '1 second' where lease_token is not null");
    const [locked, free] = [...lanes].sort((a, b) => (a.laneKey < b.laneKey ? -1 : 1));
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [locked?.laneKey]);

    const doing = what === "renewed" ? store.lanes.renew(lanes) : store.lanes.release(lanes);

    const done = (key?: string) => rows(`select 1 from whatsapp_lanes where lane_key = ? and ${sign}`, [key ?? ""]);
    await until(async () => (await done(free?.laneKey)).length === 1, "the other lane");
    expect(await done(locked?.laneKey)).toEqual([]);
    await somebody.commit();
    await doing;
    expect(await done(locked?.laneKey)).toHaveLength(1);
  });
});

describe("release", () => {
  it("counts an event that is stored while it waits, so that the lane goes on", async () => {
    const { store, database, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const lanes = await claimed(store);
    const events = await store.inbox.load(lanes, 50);
    // Somebody has enqueued a second event and not yet committed.
    const writer = await hold(database);
    await writer.query("update whatsapp_lanes set pending = pending + 1 where lane_key = $1", [lanes[0]?.laneKey]);
    await writer.query(
      `insert into whatsapp_events (lane_key, connection_id, contact_id, dedupe_key, kind, external_id, payload, webhook_id)
       select lane_key, connection_id, contact_id, 'second', kind, 'wamid.2',
         jsonb_set(payload::jsonb, '{messageId}', '"wamid.2"'), webhook_id from whatsapp_events`,
    );

    const releasing = store.inbox.apply(lanes, events, planEffects(events));
    await waiters(rows);
    await writer.commit();

    expect(await releasing).not.toBeNull();
    await applyAll(store);
    expect(await rows("select external_id from messages order by created_at")).toEqual([
      { external_id: "wamid.1" },
      { external_id: "wamid.2" },
    ]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("strands nothing in 40 races of storing and applying", async () => {
    const { store, another, rows } = await startEngine();
    const writer = another();

    for (let round = 0; round < 40; round++) {
      const phone = String(447700910000 + round);
      await writer.inbox.record([delivery(message({ id: `wamid.${round}.1`, phone }))]);
      const lanes = await claimed(store);
      const events = await store.inbox.load(lanes, 50);
      // Then silence: only this race decides whether the lane is ready again.
      await Promise.all([
        store.inbox.apply(lanes, events, planEffects(events)),
        writer.inbox.record([delivery(message({ id: `wamid.${round}.2`, phone }))]),
      ]);
      await applyAll(store);
    }

    expect(await stranded(rows)).toEqual([]);
    expect(await rows("select count(*)::int as n from messages")).toEqual([{ n: 80 }]);
  });
});

describe("a claim", () => {
  it("never gives one lane to two instances", async () => {
    const { store, another } = await startEngine({ leaseMs: 60_000 });
    await store.inbox.record([delivery(...people(60).map((phone) => message({ id: `wamid.${phone}`, phone })))]);
    const stores = [store, another(), another(), another()];

    const claims = (
      await Promise.all(stores.flatMap((one) => Array.from({ length: 5 }, () => one.lanes.claim("in", 7))))
    ).flat();

    expect(claims).toHaveLength(60);
    expect(new Set(claims.map(({ laneKey }) => laneKey)).size).toBe(60);
  });

  it("does not wait for a lane that somebody else is just taking", async () => {
    const { store, database, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN }))]);
    const [first] = await rows<{ lane_key: string }>("select lane_key from whatsapp_lanes order by lane_key");
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [first?.lane_key]);

    const lanes = await store.lanes.claim("in", 50);

    expect(lanes).toHaveLength(1);
    expect(lanes[0]?.laneKey).not.toBe(first?.lane_key);
    await somebody.rollback();
  });

  it("takes the lane that has waited longest, and no more than asked for", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN }))]);
    await rows("update whatsapp_lanes set ready_at = now() - interval '1 hour' where lane_key = 'in:contact:2'");

    expect((await store.lanes.claim("in", 1)).map(({ laneKey }) => laneKey)).toEqual(["in:contact:2"]);
  });

  it("takes nothing of another stage", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);

    expect(await store.lanes.claim("out", 50)).toEqual([]);
    expect(await store.lanes.claim("turn", 50)).toEqual([]);
  });
});

describe("a lane that is leased", () => {
  it("and whose lease has run out is another's to take, and not that worker's own: it works it still", async () => {
    const { store, another } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const slow = another({ leaseMs: 1 });
    const [mine] = await claimed(slow);
    const held = [mine?.token ?? ""];
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(await slow.lanes.claim("in", 50, { held })).toEqual([]);
    expect(await slow.lanes.claim("in", 50, { without: [], held })).toEqual([]);
    expect(await slow.lanes.renew(mine ? [mine] : [])).toEqual([mine]);
    expect(await claimed(another())).toMatchObject([{ laneKey: mine?.laneKey, crashes: 1 }]);
  });

  it("is not made ready by new events", async () => {
    const { store } = await startEngine({ leaseMs: 60_000 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const lanes = await claimed(store);

    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);

    expect(await store.lanes.claim("in", 50)).toEqual([]);
    expect(await store.lanes.renew(lanes)).toEqual(lanes);
  });

  it("comes back after its lease when its worker is gone, and that makes its head suspect until it succeeds", async () => {
    const { store, another, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const [lost] = await claimed(another({ leaseMs: 100 }));

    const [found] = await claimed(store);

    expect(lost?.crashes).toBe(0);
    expect(found).toMatchObject({ laneKey: lost?.laneKey, attempts: 0, crashes: 1 });
    expect(found?.token).not.toBe(lost?.token);
    expect(await applyOnce(store, found ? [found] : [])).toBe(true);
    expect(await rows("select crashes from whatsapp_lanes where stage = 'in'")).toEqual([{ crashes: 0 }]);
  });

  it("is counted as suspected only once it has been begun: not while it waits for another suspect", async () => {
    const { store, another, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const dying = another({ leaseMs: 100, suspectFrom: 2 });
    const crashesOf = async () => (await claimed(dying))[0]?.crashes;

    expect([await crashesOf(), await crashesOf(), await crashesOf(), await crashesOf()]).toEqual([0, 1, 2, 2]);

    const [suspect] = await claimed(dying);
    expect(await dying.lanes.begin(suspect as ClaimedLane)).toBe(true);
    const [again] = await claimed(another({ suspectFrom: 2 }));
    expect(again?.crashes).toBe(3);
    expect(await dying.lanes.begin(suspect as ClaimedLane)).toBe(false);
    expect(await applyOnce(store, again ? [again] : [])).toBe(true);
    expect(await rows("select crashes from whatsapp_lanes where stage = 'in'")).toEqual([{ crashes: 0 }]);
  });

  it("stays with its worker for as long as the lease is renewed", async () => {
    const { store, another } = await startEngine();
    const worker = another({ leaseMs: 2_000 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const lanes = await claimed(worker);

    for (let beat = 0; beat < 5; beat++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await worker.lanes.renew(lanes)).toEqual(lanes);
    }

    expect(await store.lanes.claim("in", 50)).toEqual([]);
  });

  it("cannot be renewed, postponed or released by the worker that lost it", async () => {
    const { store, another, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const zombie = another({ leaseMs: 50 });
    const lost = await claimed(zombie);
    const found = await claimed(store);
    const before = await rows("select * from whatsapp_lanes");

    expect(await zombie.lanes.renew(lost)).toEqual([]);
    await zombie.lanes.release(lost);
    for (const lane of lost) await zombie.lanes.postpone(lane, 0, true);

    expect(await rows("select * from whatsapp_lanes")).toEqual(before);
    expect(await store.lanes.renew(found)).toEqual(found);
  });

  it("is free at once when it is released, and that is no failure", async () => {
    const { store, another } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await store.lanes.release(await claimed(store));

    expect((await another().lanes.claim("in", 50)).map(({ attempts }) => attempts)).toEqual([0]);
  });
});

describe("a lane that backs off", () => {
  it("is not made ready by new events, and then gives them in stored order", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    for (const lane of await claimed(store)) await store.lanes.postpone(lane, 2_000, true);

    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);

    expect(await store.lanes.claim("in", 50)).toEqual([]);
    const lanes = await claimed(store);
    expect(lanes.map(({ attempts }) => attempts)).toEqual([1]);
    const events = await store.inbox.load(lanes, 50);
    expect(events.map(({ event }) => event.kind === "message" && event.messageId)).toEqual(["wamid.1", "wamid.2"]);
  });

  it("does not count a failure that was nobody's", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    for (const lane of await claimed(store)) await store.lanes.postpone(lane, 0, false);

    expect((await claimed(store)).map(({ attempts }) => attempts)).toEqual([0]);
  });
});

describe("an idle lane", () => {
  it("is ready at once when an event comes", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    expect(await rows("select pending, ready_at, lease_token from whatsapp_lanes where stage = 'in'")).toEqual([
      { pending: 0, ready_at: null, lease_token: null },
    ]);

    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);

    expect(await store.lanes.claim("in", 50)).toHaveLength(1);
  });

  it("of many people each keeps its own order, whichever instance works it", async () => {
    const { store, another, rows } = await startEngine();
    const stores = [store, another(), another()];
    const phones = people(10);
    let writing = true;
    const work = Promise.all(
      stores.map(async (one) => {
        while (writing) await applyAll(one);
      }),
    );

    for (let n = 0; n < 15; n++)
      await store.inbox.record([
        delivery(...phones.map((phone) => message({ id: `wamid.${n}`.concat(".", phone), phone }))),
      ]);
    await until(async () => (await stranded(rows)).length === 0, "every lane to be empty");
    writing = false;
    await work;

    const told = await rows<{ ids: string[] }>(
      `select array_agg(m ->> 'externalId' order by t.seq, n) as ids
       from whatsapp_turns t, jsonb_array_elements(t.messages) with ordinality as e (m, n) group by t.lane_key`,
    );
    expect(told).toHaveLength(10);
    for (const { ids } of told) expect(ids.map((id) => Number(id.split(".")[1]))).toEqual([...Array(15).keys()]);
  });
});
