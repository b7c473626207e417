/** S1: whatever order statuses come in, and however often, the highest rung of the ladder wins, in the database. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { applyAll, claimed, delivery, type Engine, message, startEngine, status, stranded } from "./support.ts";

const STATUSES = ["sent", "delivered", "read", "played", "failed"] as const;
type Name = (typeof STATUSES)[number];
/** The rule itself: a failure stands above `sent` and below `delivered`. */
const LADDER: readonly Name[] = ["sent", "failed", "delivered", "read", "played"];
const highest = (names: readonly Name[]) => LADDER.findLast((name) => names.includes(name));

describe("the ladder", () => {
  it("ends at the same rung for every order of all statuses, one by one", async () => {
    const engine = await startEngine({ hasListener: true });
    const orders = permutations(STATUSES);
    const wamids = await acceptedParts(engine, orders.length);

    for (let step = 0; step < STATUSES.length; step++)
      await report(
        engine,
        orders.map((order, i) => [wamids[i] ?? "", order[step] ?? "sent"]),
      );

    for (const [i, part] of (await parts(engine)).entries())
      expect(part, `${orders[i]}`).toMatchObject({ state: "played", shown: "played", code: "131026" });
    await expectOnlyUp(engine);
    expect(await stranded(engine.rows)).toEqual([]);
  });

  it("ends at the same rung for every order of all statuses, in one batch", async () => {
    const engine = await startEngine({ hasListener: true });
    const orders = permutations(STATUSES);
    const wamids = await acceptedParts(engine, orders.length);

    await report(
      engine,
      orders.flatMap((order, i) => order.map((name): [string, Name] => [wamids[i] ?? "", name])),
    );

    for (const [i, part] of (await parts(engine)).entries())
      expect(part, `${orders[i]}`).toMatchObject({ state: "played", shown: "played", code: "131026" });
    await expectOnlyUp(engine);
  });

  it("ends at the highest of any selection, with repetitions, in batches of any size", async () => {
    const engine = await startEngine();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 7 }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 9 }),
        async (selections, size) => {
          const wamids = await acceptedParts(engine, selections.length);
          const all = selections.flatMap((names, i) => names.map((name): [string, Name] => [wamids[i] ?? "", name]));
          for (let at = 0; at < all.length; at += size) await report(engine, all.slice(at, at + size));

          const found = await parts(engine, wamids);
          expect(found.map(({ state }) => state)).toEqual(selections.map((names) => highest(names)));
          for (const [i, { code }] of found.entries())
            expect(code).toBe(selections[i]?.includes("failed") ? "131026" : null);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("keeps both when a failure comes after a delivery, and tells the host of it", async () => {
    const engine = await startEngine({ hasListener: true });
    const [wamid = ""] = await acceptedParts(engine, 1);

    await report(engine, [[wamid, "delivered"]]);
    await report(engine, [[wamid, "failed"]]);

    expect(await parts(engine)).toEqual([{ state: "delivered", shown: "delivered", code: "131026" }]);
    const heard = await engine.rows<{ state: string; code: number | null }>(
      `select event ->> 'state' as state, (event #>> '{error,meta,code}')::int as code from whatsapp_host_events
       where event ->> 'kind' = 'status' order by id`,
    );
    expect(heard).toEqual([
      { state: "delivered", code: null },
      { state: "delivered", code: 131026 },
    ]);
  });

  it("changes nothing but the time of a step and tells nobody when the same status comes again, or an earlier one late", async () => {
    const engine = await startEngine({ hasListener: true });
    const [wamid = ""] = await acceptedParts(engine, 1);
    await report(engine, [[wamid, "read"]]);
    const before = await engine.rows("select * from whatsapp_outbox");

    await report(engine, [[wamid, "read"]]);
    await report(engine, [[wamid, "sent"]]);

    const once = await engine.rows("select * from whatsapp_outbox");
    expect(once).toEqual([{ ...before[0], sent_at: expect.any(Date), updated_at: expect.any(Date) }]);
    await report(engine, [[wamid, "sent"]]);
    await report(engine, [[wamid, "read"]]);
    expect(await engine.rows("select * from whatsapp_outbox")).toEqual(once);
    expect(await engine.rows("select 1 from whatsapp_host_events where event ->> 'kind' = 'status'")).toHaveLength(1);
  });
});

describe("a status that comes before its message is known", () => {
  it("is parked, and applied when the wamid appears", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    const [wamid = ""] = await acceptedParts(engine, 1);
    await rows("update whatsapp_outbox set message_id = null");

    await report(engine, [[wamid, "delivered"]]);
    expect(await store.inbox.unpark()).toBe(0);
    expect(await statusEvents(engine)).toEqual([{ state: 3 }]);
    expect(await rows("select 1 from whatsapp_webhooks where not processed")).toEqual([]);

    await rows("update whatsapp_outbox set message_id = ?", [wamid]);
    expect(await store.inbox.unpark()).toBe(1);
    await applyAll(store);

    expect((await parts(engine))[0]?.state).toBe("delivered");
    expect(await statusEvents(engine)).toEqual([{ state: 1 }]);
    expect(await rows("select 1 from whatsapp_webhooks where not processed or pending <> 0")).toEqual([]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is looked for each second only while it is young, and among all of them now and then", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    const [wamid = ""] = await acceptedParts(engine, 1);
    await rows("update whatsapp_outbox set message_id = null");
    await report(engine, [[wamid, "delivered"]]);
    await rows("update whatsapp_outbox set message_id = ?", [wamid]);
    await rows("update whatsapp_events set created_at = now() - interval '11 minutes' where kind = 'status'");

    expect(await store.inbox.unpark(false)).toBe(0);
    expect(await store.inbox.unpark()).toBe(1);
  });

  it("is not taken twice by two instances that look at the same time", async () => {
    const engine = await startEngine();
    const { store, another, rows } = engine;
    const wamids = await acceptedParts(engine, 20);
    await rows("update whatsapp_outbox set message_id = null");
    await report(
      engine,
      wamids.map((wamid): [string, Name] => [wamid, "read"]),
    );
    for (const wamid of wamids)
      await rows("update whatsapp_outbox set message_id = ? where id = split_part(?, '.', 3)::bigint", [wamid, wamid]);

    const found = await Promise.all([store.inbox.unpark(), another().inbox.unpark(), another().inbox.unpark()]);

    expect(found.reduce((a, b) => a + b)).toBe(20);
    await applyAll(store);
    expect((await parts(engine)).every(({ state }) => state === "read")).toBe(true);
    expect(await stranded(rows)).toEqual([]);
  });

  it("gives up after a day: another app on the same number has sent it", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await report(engine, [["wamid.of.another.app", "read"]]);

    await rows("update whatsapp_events set created_at = now() - interval '23 hours 59 minutes'");
    await store.inbox.unpark();
    expect(await statusEvents(engine)).toEqual([{ state: 3 }]);

    await rows("update whatsapp_events set created_at = now() - interval '24 hours 1 second'");
    await store.inbox.unpark();
    expect(await statusEvents(engine)).toEqual([{ state: 1 }]);
  });

  it("is joined by our token when the answer with the wamid was lost, and the lane goes on", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    const conversationId = await conversation(engine);
    const receipt = await store.outbox.enqueue(conversationId, planned("hello"));
    const [lane] = await claimed(store, "out");
    const [part] = await store.outbox.head(lane ? [lane] : []);
    if (!lane || !part) throw new Error("a part waits");
    await store.outbox.begin([{ part, token: "token-1" }]);

    await store.inbox.record([delivery(status({ wamid: "wamid.lost", status: "sent", token: "token-1" }))]);
    await applyAll(store);

    const found = await store.outbox.receipt(receipt.sendId, (await tenant(engine)) ?? "");
    expect(found?.parts).toMatchObject([{ state: "sent", messageId: "wamid.lost" }]);
    expect(await rows("select state, message_id from whatsapp_send_attempts")).toEqual([
      { state: "accepted", message_id: "wamid.lost" },
    ]);
    expect(await rows("select pending from whatsapp_lanes where stage = 'out'")).toEqual([{ pending: 0 }]);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.filter((_other, j) => j !== i)).map((rest) => [item, ...rest]));
}

function planned(text: string) {
  return planSend({ what: { response: text }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
}

async function conversation({ store, rows }: Engine): Promise<string> {
  await store.inbox.record([delivery(message({ id: "wamid.hello" }))]);
  await applyAll(store);
  const [row] = await rows<{ id: string }>("select id from conversations");
  return row?.id ?? "";
}

async function tenant({ rows }: Engine): Promise<string | undefined> {
  return (await rows<{ id: string }>("select customer_config_id as id from whatsapp_connections"))[0]?.id;
}

/** Parts that Meta has accepted, with their wamids. */
async function acceptedParts(engine: Engine, count: number): Promise<string[]> {
  const { store, rows } = engine;
  const conversationId = await conversation(engine);
  const { sendId } = await store.outbox.enqueue(conversationId, planned("hello"));
  await rows(
    `insert into whatsapp_outbox (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id,
       conversation_id, kind, payload, host_message_id)
     select send_id, n, lane_key, connection_id, customer_config_id, contact_id, conversation_id, kind, payload, gen_random_uuid()
     from whatsapp_outbox, generate_series(1, ?) n where send_id = ?`,
    [count - 1, sendId],
  );
  await rows(
    `insert into messages (id, conversation_id, role, content)
     select host_message_id::uuid, conversation_id, 'assistant', 'hello' from whatsapp_outbox o
     where send_id = ? on conflict do nothing`,
    [sendId],
  );
  await rows("update whatsapp_lanes set pending = 0, ready_at = null where stage = 'out'");
  const found = await rows<{ message_id: string }>(
    `update whatsapp_outbox set state = 'accepted', message_id = 'wamid.part.' || id where send_id = ?
     returning message_id`,
    [sendId],
  );
  return found.map(({ message_id }) => message_id);
}

let clock = 1_700_000_000;

/** One delivery with these statuses, each a change of its own, applied. */
async function report({ store }: Engine, statuses: readonly (readonly [string, Name])[]): Promise<void> {
  const changes = statuses.map(([wamid, name]) =>
    status({ wamid, status: name, at: clock++, ...(name === "failed" ? { code: 131026 } : {}) }),
  );
  await store.inbox.record([delivery(...changes)]);
  await applyAll(store);
}

async function parts({ rows }: Engine, wamids?: readonly string[]) {
  return rows<{ state: string; shown: string; code: string | null }>(
    `select o.state, m.status as shown, o.error -> 'meta' ->> 'code' as code
     from whatsapp_outbox o join messages m on m.id = o.host_message_id::uuid
     where ?::text[] is null or o.message_id = any(?) order by o.id`,
    [wamids ?? null, wamids ?? null] as never,
  );
}

async function statusEvents({ rows }: Engine) {
  return rows("select state from whatsapp_events where kind = 'status'");
}

/** I6: what the host hears of one part never goes down. */
async function expectOnlyUp({ rows }: Engine): Promise<void> {
  const heard = await rows<{ states: Name[] }>(
    `select array_agg(event ->> 'state' order by id) as states from whatsapp_host_events
     where event ->> 'kind' = 'status' group by event ->> 'messageId'`,
  );
  expect(heard.length).toBeGreaterThan(0);
  for (const { states } of heard)
    expect(states.map((state) => LADDER.indexOf(state))).toEqual(
      states.map((state) => LADDER.indexOf(state)).sort((a, b) => a - b),
    );
}
