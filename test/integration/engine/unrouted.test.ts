/** Events of a number that nobody has: kept for who is the first to connect it, and not kept once it has left. */
import { erase } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import type { NewConnection } from "../../../plugin/ports.ts";
import { NUMBER, TENANT } from "../../support/channel.ts";
import {
  ADA,
  applyAll,
  BEN,
  connectNumber,
  delivery,
  type Engine,
  hold,
  message,
  startEngine,
  status,
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

const YET_TO_COME = "301777000333999";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";

async function disconnect({ store }: Engine, phoneNumberId: string | null = null): Promise<void> {
  await store.leaving.disconnect({ customerConfigId: TENANT, phoneNumberId, reason: "left" });
}

/** Somebody of the tenant presses Connect, and chooses the number, and another one beside it. */
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
      chosen: [NUMBER.phoneNumberId, YET_TO_COME],
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

  it("leave what came with them for a number that nobody has yet to whoever connects it", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await disconnect(engine);
    await store.inbox.record([
      delivery(message({ id: "wamid.left" }), message({ id: "wamid.waits", phone: BEN, to: YET_TO_COME })),
    ]);
    expect(
      await rows("select body = '' as emptied, processed, left(error, 7) as error from whatsapp_webhooks"),
    ).toEqual([{ emptied: true, processed: false, error: "erased:" }]);

    await store.connections.save({ ...NEW, phoneNumberId: YET_TO_COME });
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.waits" }]);
    expect(await kept(engine)).toMatchObject([{ emptied: true, processed: true, pending: 0, state: 1 }, NOTHING]);
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

  it.each([
    ["its tenant has disconnected", (engine: Engine) => disconnect(engine, NUMBER.phoneNumberId)],
    [
      "Meta has taken away",
      async ({ store }: Engine) => {
        const removed = { event: "PARTNER_REMOVED", waba_info: { waba_id: NUMBER.wabaId } };
        await store.inbox.record([delivery({ field: "account_update", value: removed })]);
        await applyAll(store);
      },
    ],
  ])(
    "are not kept where %s the number, while the onboarding that connected it waits for another one",
    async (_who, leave) => {
      const engine = await startEngine();
      await begin(engine);
      await leave(engine);
      expect(await engine.rows("select state from whatsapp_connections")).toEqual([{ state: "disconnected" }]);
      expect(await engine.rows("select 1 from whatsapp_onboardings where access_token_enc is not null")).toHaveLength(
        1,
      );

      await engine.store.inbox.record([delivery(message({ id: "wamid.2" }))]);

      expect(await kept(engine)).toContainEqual(NOTHING);
      expect(await engine.rows("select 1 from whatsapp_events where state = 4")).toEqual([]);
    },
  );

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

  it("are applied also where their delivery was emptied, because a person who was erased was in it too", async () => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    const ofAda = message({ id: "wamid.ada" });
    await store.inbox.record([delivery(ofAda)]);
    await applyAll(store);
    await erase(database.knex, { phoneNumber: `+${ADA}` });
    await store.inbox.record([delivery(ofAda, message({ id: "wamid.ben", phone: BEN, to: YET_TO_COME }))]);

    await store.connections.save({ ...NEW, phoneNumberId: YET_TO_COME });
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.ben" }]);
    expect(await rows("select 1 from whatsapp_webhooks where body <> '' or not processed")).toEqual([]);
    expect(await stranded(rows)).toEqual([]);
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

  it("do not wait where they only say what became of messages that somebody else has sent", async () => {
    const engine = await startEngine({ connected: false });
    const { store, rows } = engine;

    const [recorded] = await store.inbox.record([delivery(status({ wamid: "wamid.theirs", status: "read" }))]);
    await store.inbox.record([
      delivery(status({ wamid: "wamid.theirs", status: "played" }), message({ id: "wamid.1" })),
    ]);

    expect(recorded?.events).toMatchObject([{ kind: "status", outcome: "ignored" }]);
    expect(await rows("select processed, pending, error from whatsapp_webhooks order by id")).toEqual([
      { processed: true, pending: 0, error: null },
      { processed: false, pending: 0, error: expect.stringMatching(/^unrouted/) },
    ]);
    await connect(engine);
    await expectAllApplied(engine, ["wamid.1"]);
  });

  it("wait where they say what became of a message of ours", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [{ id } = { id: "" }] = await rows<{ id: string }>("select id from conversations");
    await store.outbox.enqueue(
      id,
      planSend({ what: { response: "hi" }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" }),
    );
    await rows("update whatsapp_outbox set state = 'sent', message_id = 'wamid.ours'");
    await rows("update whatsapp_lanes set pending = 0, ready_at = null where stage = 'out'");

    // Nobody has the number for a moment.
    await rows("update whatsapp_connections set phone_number_id = 'elsewhere'");
    await store.inbox.record([delivery(status({ wamid: "wamid.ours", status: "read" }))]);
    await rows("update whatsapp_connections set phone_number_id = ?", [NUMBER.phoneNumberId]);
    await connect(engine);
    await applyAll(store);

    expect(await rows("select state from whatsapp_outbox")).toEqual([{ state: "read" }]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("wait on, uncounted, where a connection of their account is made and they are still nobody's", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    await store.connections.save({
      ...NEW,
      customerConfigId: OTHER_TENANT,
      phoneNumberId: YET_TO_COME,
      displayPhoneNumber: "15557770199",
    });
    const ofNobody = {
      field: "phone_number_quality_update",
      value: { display_phone_number: "15557770777", event: "FLAGGED", current_limit: "TIER_1K" },
    };
    const [recorded] = await store.inbox.record([
      delivery(ofNobody, message({ id: "wamid.other", phone: BEN, to: "301777000333111" })),
    ]);
    expect(recorded?.events).toMatchObject([{ outcome: "ignored" }, { outcome: "ignored" }]);

    await connect(engine);
    await connect(engine);
    const waiting = () => rows("select pending, processed, left(error, 9) as error from whatsapp_webhooks");
    expect(await waiting()).toEqual([{ pending: 0, processed: false, error: "unrouted:" }]);

    await store.connections.save({ ...NEW, phoneNumberId: "301777000333111", displayPhoneNumber: "15557770111" });
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.other" }]);
    expect(await waiting()).toEqual([{ pending: 0, processed: false, error: "unrouted:" }]);
    expect(await stranded(rows)).toEqual([]);
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
