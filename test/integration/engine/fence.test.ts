/** Rule 4: effects, event states, webhook counts and release are one transaction, and nothing of it counts without the lease. */
import { describe, expect, it } from "vitest";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { applyAll, applyOnce, claimed, delivery, type Engine, message, startEngine, status } from "./support.ts";

describe("a worker that lost its lease", () => {
  it("applies nothing, and the one that has it applies everything once", async () => {
    const engine = await startEngine({ hasListener: true });
    const { store, another, rows } = engine;
    const zombie = another({ leaseMs: 50 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const lost = await claimed(zombie);
    const events = await zombie.inbox.load(lost, 50);
    const found = await claimed(store);
    const before = await everything(engine);

    expect(await zombie.inbox.apply(lost, events, planEffects(events))).toBeNull();

    expect(await everything(engine)).toEqual(before);
    expect(await applyOnce(store, found)).toBe(true);
    expect(await zombie.inbox.apply(lost, events, planEffects(events))).toBeNull();
    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.1" }]);
    expect(await rows("select 1 from whatsapp_turns")).toHaveLength(1);
    expect(await rows("select 1 from whatsapp_host_events")).toHaveLength(1);
  });

  it("applies none of its lanes when it lost one of several", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: "447700900456" }))]);
    const lanes = await claimed(store);
    const events = await store.inbox.load(lanes, 50);
    await rows("update whatsapp_lanes set lease_token = gen_random_uuid() where lane_key = ?", [
      lanes[1]?.laneKey ?? "",
    ]);

    expect(await store.inbox.apply(lanes, events, planEffects(events))).toBeNull();

    expect(await rows("select 1 from messages")).toEqual([]);
  });

  it("does not move the head to the dead letters", async () => {
    const engine = await startEngine();
    const { store, another } = engine;
    const zombie = another({ leaseMs: 50 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const [lost] = await claimed(zombie);
    const [event] = await zombie.inbox.load(lost ? [lost] : [], 1);
    await claimed(store);
    const before = await everything(engine);

    if (lost && event) await zombie.inbox.bury(lost, event.eventId, "Error");

    expect(await everything(engine)).toEqual(before);
  });

  it("finishes no turn: the answer is sent by the worker that has the lane", async () => {
    const engine = await startEngine();
    const { store, another, rows } = engine;
    const zombie = another({ leaseMs: 50 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [turn] = await zombie.turns.seal(await claimed(zombie, "turn"));
    const [again] = await store.turns.seal(await claimed(store, "turn"));
    if (!turn || !again) throw new Error("there is a turn");
    const before = await everything(engine);

    expect(await zombie.turns.finish([{ turn, send: answer("too late") }])).toEqual([false]);
    await zombie.turns.bury(turn, "Error");

    expect(await everything(engine)).toEqual(before);
    expect(again.turnId).toBe(turn.turnId);
    expect(again.attempt).toBe(2);
    expect(await store.turns.finish([{ turn: again, send: answer("in time") }])).toEqual([true]);
    expect(await zombie.turns.finish([{ turn, send: answer("too late") }])).toEqual([false]);
    expect(await rows("select content from messages where role = 'assistant'")).toEqual([{ content: "in time" }]);
    expect(await rows("select payload -> 'text' ->> 'body' as body from whatsapp_outbox")).toEqual([
      { body: "in time" },
    ]);
  });

  it("takes nobody along: the other turns of its commit are finished", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: "447700900456" }))]);
    await applyAll(store);
    const turns = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    await rows("update whatsapp_lanes set lease_token = gen_random_uuid() where lane_key = ?", [
      turns[0]?.lane.laneKey ?? "",
    ]);

    const outcomes = await store.turns.finish(turns.map((turn) => ({ turn, send: answer("hello") })));

    expect(outcomes).toEqual([false, true]);
    expect(await rows("select 1 from whatsapp_outbox")).toHaveLength(1);
  });

  it("leaves a host event that somebody else is delivering", async () => {
    const engine = await startEngine({ hasListener: true });
    const { store, another } = engine;
    const zombie = another({ leaseMs: 50 });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [lost] = await zombie.hostEvents.load(await claimed(zombie, "notify"));
    await claimed(store, "notify");
    const before = await everything(engine);

    if (lost) await zombie.hostEvents.done(lost.lane, lost.id);
    if (lost) await zombie.hostEvents.bury(lost.lane, lost.id, "Error");

    expect(lost).toBeDefined();
    expect(await everything(engine)).toEqual(before);
  });
});

describe("one transaction", () => {
  it("leaves nothing behind when the very last statement of applying fails", async () => {
    const engine = await startEngine({ hasListener: true });
    const { store, rows } = engine;
    await store.inbox.record([
      delivery(message({ id: "wamid.1" }), status({ wamid: "wamid.unknown", status: "read" })),
    ]);
    const lanes = await claimed(store);
    const events = await store.inbox.load(lanes, 50);
    await raiseOn(engine, "whatsapp_webhooks", "update", "true");
    const before = await everything(engine);

    await expect(store.inbox.apply(lanes, events, planEffects(events))).rejects.toThrow("poison");

    expect(await everything(engine)).toEqual(before);
    await rows("drop trigger poison on whatsapp_webhooks");
    expect(await store.inbox.apply(lanes, events, planEffects(events))).not.toBeNull();
    expect(await rows("select processed, pending from whatsapp_webhooks")).toEqual([{ processed: true, pending: 0 }]);
    expect(await rows("select kind, state from whatsapp_events order by id")).toEqual([
      { kind: "message", state: 1 },
      { kind: "status", state: 3 },
    ]);
  });

  it("leaves nothing behind when the very last statement of finishing a turn fails", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [turn] = await store.turns.seal(await claimed(store, "turn"));
    if (!turn) throw new Error("there is a turn");
    await raiseOn(engine, "whatsapp_turns", "update", "new.state = 1");
    const before = await everything(engine);

    await expect(store.turns.finish([{ turn, send: answer("hello") }])).rejects.toThrow("poison");

    expect(await everything(engine)).toEqual(before);
    await rows("drop trigger poison on whatsapp_turns");
    expect(await store.turns.finish([{ turn, send: answer("hello") }])).toEqual([true]);
  });

  it("leaves nothing behind when the very last statement of storing fails", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await raiseOn(engine, "whatsapp_webhooks", "update", "true");
    const before = await everything(engine);

    // A duplicate, so that the delivery's count is corrected last.
    const both = delivery(message({ id: "wamid.2", phone: "447700900456" }), message({ id: "wamid.1" }));
    await expect(store.inbox.record([both])).rejects.toThrow("poison");

    expect(await everything(engine)).toEqual(before);
    await rows("drop trigger poison on whatsapp_webhooks");
  });
});

function answer(text: string) {
  return planSend({ what: { response: text }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
}

/** A trigger of the host's, or a bug of ours: Postgres raises for what matches. */
async function raiseOn({ rows }: Engine, table: string, operation: string, when: string): Promise<void> {
  await rows(`create or replace function poison() returns trigger language plpgsql as $$ begin raise 'poison'; end $$`);
  await rows(
    `create trigger poison before ${operation} on ${table} for each row when (${when}) execute function poison()`,
  );
}

/** Every row of every table that work changes. */
async function everything({ rows }: Engine): Promise<Record<string, unknown>> {
  const tables = [
    "messages",
    "conversations",
    "whatsapp_contacts",
    "whatsapp_contact_aliases",
    "whatsapp_sessions",
    "whatsapp_webhooks",
    "whatsapp_events",
    "whatsapp_turns",
    "whatsapp_lanes",
    "whatsapp_host_events",
    "whatsapp_sends",
    "whatsapp_outbox",
  ];
  const found: Record<string, unknown> = {};
  for (const table of tables) found[table] = await rows(`select * from ${table} t order by t::text`);
  return found;
}
