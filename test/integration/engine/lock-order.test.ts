/** Whoever locks several rows takes them in one order (ARCHITECTURE.md), so that two never wait for each other and nobody's work is lost. */
import { describe, expect, it } from "vitest";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import type { OutgoingPart } from "../../../plugin/ports.ts";
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
} from "./support.ts";

const text = (onWindowClosed: "fail" | "hold" = "fail") =>
  planSend({ what: { response: "hello" }, idempotencyKey: null, replyTo: null, onWindowClosed });

/** Somebody has written, and an answer is queued. @returns their conversation. */
async function isAnswered({ store, rows }: Engine, phone = ADA, onWindowClosed?: "hold"): Promise<string> {
  await store.inbox.record([delivery(message({ id: `wamid.${phone}`, phone }))]);
  await applyAll(store);
  const [row] = await rows<{ id: string }>(
    "select conversation_id as id from whatsapp_contacts where phone_number = ?",
    [phone],
  );
  await store.outbox.enqueue(row?.id ?? "", text(onWindowClosed));
  return row?.id ?? "";
}

async function headOf({ store }: Engine): Promise<OutgoingPart> {
  const [part] = await store.outbox.head(await claimed(store, "out"));
  if (part == null) throw new Error("there is no part");
  return part;
}

describe("the order of locks", () => {
  it("has a part's lane before its send where the part is written anew", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    await isAnswered(engine);
    const part = await headOf(engine);
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [part.lane.laneKey]);

    const { kind, payload } = part;
    const rewriting = engine.store.outbox.rewrite(part, {
      kind,
      payload,
      content: "hi",
      mediaType: null,
      degraded: [],
    });
    await waiters(engine.rows);
    await somebody.query("select 1 from whatsapp_sends for update nowait");
    await somebody.commit();

    expect(await rewriting).toBe(true);
  });

  it("has lanes before the statuses that go on in them", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    await isAnswered(engine);
    await engine.store.inbox.record([delivery(status({ wamid: "wamid.out", status: "delivered" }))]);
    await applyAll(engine.store);
    await engine.rows("update whatsapp_outbox set state = 'accepted', message_id = 'wamid.out'");
    const [parked] = await engine.rows<{ lane_key: string }>("select lane_key from whatsapp_events where state = 3");
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [parked?.lane_key]);

    const unparking = engine.store.inbox.unpark();
    await waiters(engine.rows);
    await somebody.query("select 1 from whatsapp_events where state = 3 for update nowait");
    await somebody.commit();

    expect(await unparking).toBe(1);
    await applyAll(engine.store);
    expect(await engine.rows("select state from whatsapp_outbox")).toEqual([{ state: "delivered" }]);
    expect(await stranded(engine.rows)).toEqual([]);
  });

  it("counts no status on its lane that somebody has taken meanwhile", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    await isAnswered(engine);
    await engine.store.inbox.record([delivery(status({ wamid: "wamid.out", status: "delivered" }))]);
    await applyAll(engine.store);
    await engine.rows("update whatsapp_outbox set state = 'accepted', message_id = 'wamid.out'");
    const [parked] = await engine.rows<{ lane_key: string }>("select lane_key from whatsapp_events where state = 3");
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [parked?.lane_key]);

    const unparking = engine.store.inbox.unpark();
    await waiters(engine.rows);
    await somebody.query("delete from whatsapp_events where state = 3");
    await somebody.commit();

    expect(await unparking).toBe(0);
    expect(await stranded(engine.rows)).toEqual([]);
  });

  it("has out lanes by their names, whatever is done to each", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    await isAnswered(engine, ADA, "hold");
    await isAnswered(engine, BEN);
    const lanes = await engine.rows<{ lane_key: string }>(
      "select distinct lane_key from whatsapp_outbox order by lane_key",
    );
    const [first, last] = lanes.map(({ lane_key }) => lane_key);
    await engine.rows("update whatsapp_outbox set message_id = 'wamid.out', state = 'sending' where lane_key = ?", [
      last,
    ]);
    await engine.store.inbox.record([
      delivery(message({ id: "wamid.again", phone: ADA }), status({ wamid: "wamid.out", status: "sent", phone: BEN })),
    ]);
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [first]);

    const applying = applyOnce(engine.store, await claimed(engine.store));
    await waiters(engine.rows);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update nowait", [last]);
    await somebody.commit();

    expect(await applying).toBe(true);
  });

  it("has somebody before what is sent to them, where Meta says that they want none of it", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    await isAnswered(engine);
    const part = await headOf(engine);
    expect(await engine.store.outbox.begin([{ part, token: "t" }])).toEqual([true]);
    const somebody = await hold(engine.database);
    await somebody.query("select 1 from whatsapp_contacts for update");

    const meta = { code: 131050, subcode: null, title: null, details: null, fbtraceId: null };
    const error = { code: "GRAPH_REJECTED", message: "refused", meta };
    const settling = engine.store.outbox.settle([
      { part, token: "t", attempt: "rejected", messageId: null, error, next: { kind: "done", state: "failed" } },
    ]);
    await waiters(engine.rows);
    await somebody.query("select 1 from whatsapp_outbox for update nowait");
    await somebody.commit();

    expect(await settling).toEqual([true]);
    expect(await engine.rows("select value, source from whatsapp_preferences")).toEqual([
      { value: "stop", source: "meta" },
    ]);
  });
});
