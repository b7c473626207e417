/** Events of a number that is connected only later: kept, and applied once it is, however closely the two meet. */
import { describe, expect, it } from "vitest";
import { NUMBER, TENANT } from "../../support/channel.ts";
import {
  applyAll,
  BEN,
  connectNumber,
  delivery,
  type Engine,
  hold,
  message,
  startEngine,
  stranded,
  waiters,
} from "./support.ts";

const connect = ({ store }: Engine) =>
  store.connections.save({
    customerConfigId: TENANT,
    phoneNumberId: NUMBER.phoneNumberId,
    wabaId: NUMBER.wabaId,
    displayPhoneNumber: NUMBER.displayPhoneNumber,
    verifiedName: null,
    qualityRating: null,
    seal: () => "sealed",
  });

async function expectAllApplied({ store, rows }: Engine, ids: readonly string[]): Promise<void> {
  await applyAll(store);
  const messages = await rows<{ external_id: string }>("select external_id from messages order by created_at");
  expect(messages.map(({ external_id }) => external_id)).toEqual(ids);
  expect(
    await rows("select 1 from whatsapp_webhooks where not processed or pending <> 0 or error is not null"),
  ).toEqual([]);
  expect(await stranded(rows)).toEqual([]);
}

describe("events of a number that was disconnected", () => {
  it("are nobody's, whoever writes: somebody who is new as well as somebody who is known", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    await rows("update whatsapp_connections set state = 'disconnected'");

    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await store.inbox.record([delivery(message({ id: "wamid.3", phone: "447700900456" }))]);
    await applyAll(store);

    expect(
      await rows(
        "select external_id, lane_key, connection_id from whatsapp_events where external_id <> 'wamid.1' order by id",
      ),
    ).toEqual([
      { external_id: "wamid.2", lane_key: null, connection_id: null },
      { external_id: "wamid.3", lane_key: null, connection_id: null },
    ]);
    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.1" }]);
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

  it("are shown, and wake nobody whose window has closed meanwhile", async () => {
    const engine = await startEngine({ connected: false });
    const { store, rows } = engine;
    await store.inbox.record([
      delivery(message({ id: "wamid.old" })),
      delivery(message({ id: "wamid.new", phone: BEN })),
    ]);
    await rows(
      `update whatsapp_events set created_at = created_at - interval '20 days',
         payload = jsonb_set(payload::jsonb, '{occurredAt}', to_jsonb(now() - interval '20 days'))::json where external_id = 'wamid.old'`,
    );

    await connect(engine);
    await applyAll(store);

    expect(
      await rows("select external_id, channel_metadata -> 'late' as late from messages order by created_at"),
    ).toEqual([
      { external_id: "wamid.old", late: true },
      { external_id: "wamid.new", late: null },
    ]);
    expect(await rows("select messages -> 0 ->> 'externalId' as id from whatsapp_turns")).toEqual([
      { id: "wamid.new" },
    ]);
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
