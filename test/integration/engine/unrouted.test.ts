/** Events of a number that nobody has: kept for who is the first to connect it, and not kept once it has left. */
import { describe, expect, it } from "vitest";
import type { NewConnection } from "../../../plugin/ports.ts";
import { NUMBER, TENANT } from "../../support/channel.ts";
import {
  applyAll,
  connectNumber,
  delivery,
  type Engine,
  hold,
  message,
  startEngine,
  stranded,
  waiters,
} from "./support.ts";

const NEW: NewConnection = {
  customerConfigId: TENANT,
  phoneNumberId: NUMBER.phoneNumberId,
  wabaId: NUMBER.wabaId,
  displayPhoneNumber: NUMBER.displayPhoneNumber,
  verifiedName: null,
  qualityRating: null,
  seal: () => "sealed",
};
const connect = ({ store }: Engine) => store.connections.save(NEW);

async function expectAllApplied({ store, rows }: Engine, ids: readonly string[]): Promise<void> {
  await applyAll(store);
  const messages = await rows<{ external_id: string }>("select external_id from messages order by created_at");
  expect(messages.map(({ external_id }) => external_id)).toEqual(ids);
  expect(
    await rows("select 1 from whatsapp_webhooks where not processed or pending <> 0 or error is not null"),
  ).toEqual([]);
  expect(await stranded(rows)).toEqual([]);
}

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";

async function disconnect({ store }: Engine): Promise<void> {
  await store.leaving.disconnect({ customerConfigId: TENANT, phoneNumberId: null, reason: "left" });
}

/** Somebody of the tenant presses Connect, and chooses the number. */
async function begin({ store, rows }: Engine, customerConfigId = TENANT): Promise<void> {
  await rows("insert into customer_configs (id) values (?) on conflict do nothing", [customerConfigId]);
  await store.onboardings.begin({
    customerConfigId,
    userId: null,
    flow: "redirect",
    progress: {
      hints: { wabaId: null, phoneNumberId: null },
      token: null,
      numbers: null,
      chosen: [NUMBER.phoneNumberId],
      pins: {},
      takeovers: [],
      steps: [],
    },
    seal: () => "sealed",
    busyMs: 60_000,
  });
}

describe("events of a number that has left", () => {
  const kept = ({ rows }: Engine) =>
    rows(
      "select w.body = '' as emptied, w.processed, w.pending, e.state, e.payload::text as payload, e.external_id from whatsapp_webhooks w left join whatsapp_events e on e.webhook_id = w.id where e.external_id is distinct from 'wamid.1' order by e.id",
    );
  const NOTHING = { emptied: true, processed: true, pending: 0, state: 5, payload: "{}", external_id: null };

  it("are not kept, whoever writes: somebody who is new as well as somebody who is known", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    await disconnect(engine);

    const [known] = await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await store.inbox.record([delivery(message({ id: "wamid.3", phone: "447700900456" }))]);
    await applyAll(store);

    expect(known?.events).toEqual([{ kind: "message", outcome: "ignored", lane: null, eventId: null }]);
    expect(await kept(engine)).toEqual([NOTHING, NOTHING]);
    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.1" }]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("leave the others of their delivery what is theirs, without the bytes that hold both", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    const stays = "301777000333999";
    await store.connections.save({ ...NEW, phoneNumberId: stays });
    await store.leaving.disconnect({
      customerConfigId: TENANT,
      phoneNumberId: NUMBER.phoneNumberId,
      reason: "left",
    });

    const both = delivery(message({ id: "wamid.left" }), message({ id: "wamid.stays", to: stays }));
    const [recorded] = await store.inbox.record([both]);
    await applyAll(store);

    expect(recorded?.events.map(({ outcome }) => outcome)).toEqual(["ignored", "accepted"]);
    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.stays" }]);
    expect(await rows("select body = '' as emptied, processed, pending from whatsapp_webhooks")).toEqual([
      { emptied: true, processed: true, pending: 0 },
    ]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("do not come back when Meta brings them again after the number was connected anew", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await disconnect(engine);
    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await connect(engine);

    const [again] = await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await applyAll(store);

    expect(again?.events).toMatchObject([{ outcome: "duplicate" }]);
    expect(await rows("select 1 from messages")).toEqual([]);
    expect(await rows("select 1 from whatsapp_webhooks where body <> ''")).toEqual([]);
  });

  it("are kept and applied while its tenant is connecting it again", async () => {
    const engine = await startEngine();
    await disconnect(engine);
    await begin(engine);
    for (const id of ["wamid.1", "wamid.2"]) await engine.store.inbox.record([delivery(message({ id }))]);

    await connect(engine);

    await expectAllApplied(engine, ["wamid.1", "wamid.2"]);
  });

  it("are not kept while another tenant is connecting it", async () => {
    const engine = await startEngine();
    await disconnect(engine);
    await begin(engine, OTHER_TENANT);

    await engine.store.inbox.record([delivery(message({ id: "wamid.2" }))]);

    expect(await kept(engine)).toEqual([NOTHING]);
  });

  it("are not another tenant's who gets the number, though they were kept for the one that had it", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await disconnect(engine);
    await begin(engine);
    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await begin(engine, OTHER_TENANT);

    await store.connections.save({ ...NEW, customerConfigId: OTHER_TENANT });
    await store.inbox.record([delivery(message({ id: "wamid.3" }))]);
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.3" }]);
    expect(await rows("select state, payload::text as payload from whatsapp_events order by id limit 1")).toEqual([
      { state: 5, payload: "{}" },
    ]);
    expect(
      await rows(
        "select body = '' as emptied, processed, error like 'erased:%' as said from whatsapp_webhooks order by id limit 1",
      ),
    ).toEqual([{ emptied: true, processed: true, said: true }]);
    expect(await stranded(rows)).toEqual([]);
  });
});

describe("events that came before the connection", () => {
  it("are applied in the order in which they were stored, before those that come after", async () => {
    const engine = await startEngine({ connected: false });
    for (const id of ["wamid.1", "wamid.2"]) await engine.store.inbox.record([delivery(message({ id }))]);

    await connect(engine);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3" }))]);

    await expectAllApplied(engine, ["wamid.1", "wamid.2", "wamid.3"]);
  });

  it("are not missed when they are stored while the connection is made", async () => {
    const engine = await startEngine({ connected: false });
    const { store, database, rows } = engine;
    const somebody = await hold(database);
    await somebody.query("lock table whatsapp_webhooks in exclusive mode");

    // The event is routed to nowhere and not yet committed; the connection looks for what waits.
    const storing = store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await waiters(rows, 1);
    const connecting = connect(engine);
    await waiters(rows, 2);
    await somebody.commit();
    await Promise.all([storing, connecting]);

    await expectAllApplied(engine, ["wamid.1"]);
  });

  it("are routed anew when the connection was made between their look-up and their storing", async () => {
    const engine = await startEngine({ connected: false });
    const { store, database, rows } = engine;
    const somebody = await hold(database);
    await somebody.query(`select pg_advisory_xact_lock(hashtext('"public"."whatsapp_contacts"'))`);

    const storing = store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await waiters(rows, 1);
    await connectNumber(rows);
    await somebody.commit();
    const [recorded] = await storing;

    expect(recorded?.events).toMatchObject([{ outcome: "accepted" }]);
    await expectAllApplied(engine, ["wamid.1"]);
  });
});
