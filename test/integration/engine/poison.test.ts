/** Rule 6: one event that cannot be applied harms nobody else, is tried again, then set aside, and its lane goes on in order. */
import { describe, expect, it } from "vitest";
import { createApplyEvents } from "../../../plugin/pipeline/apply-events.ts";
import { DEFAULT_RULES } from "../../../plugin/pipeline/plan-effects.ts";
import type { ClaimedLane, Inbox } from "../../../plugin/ports.ts";
import { allQuiet, until } from "../../support/channel.ts";
import { ADA, BEN, channelFor, delivery, type Engine, message, startEngine, stranded } from "./support.ts";

/** Nothing in ingest touches the host's `messages`, so a rule of the host's own is met only when the event is applied. */
const HOST_RULE = `create or replace function refuse() returns trigger language plpgsql as $$
  begin if new.content like 'poison%' then raise 'the host refuses this' using errcode = 'P0001'; end if; return new; end $$`;

async function refusePoison(rows: Engine["rows"]): Promise<void> {
  await rows(HOST_RULE);
  await rows("create trigger refuse before insert on messages for each row execute function refuse()");
}

describe("a poison event", () => {
  it("does not keep its neighbours in other lanes from being applied at once", async () => {
    const { engine, work } = await startApplying();
    await engine.store.inbox.record([
      delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN, text: "poison" })),
    ]);

    await work();

    expect(await contents(engine)).toEqual(["wamid.1"]);
    expect(
      await engine.rows("select lane_key, pending, attempts from whatsapp_lanes where stage = 'in' order by lane_key"),
    ).toEqual([
      { lane_key: "in:contact:1", pending: 0, attempts: 0 },
      { lane_key: "in:contact:2", pending: 1, attempts: 1 },
    ]);
  });

  it("lets those before it in its lane pass, and those after it wait", async () => {
    const { engine, work } = await startApplying();
    await engine.store.inbox.record([
      delivery(
        message({ id: "wamid.1" }),
        message({ id: "wamid.2", text: "poison" }),
        message({ id: "wamid.3" }),
        message({ id: "wamid.4", text: "poison too" }),
        message({ id: "wamid.5" }),
      ),
    ]);

    await work();
    await work();
    expect(await contents(engine)).toEqual(["wamid.1"]);

    await workUntil(engine, work);
    expect(await contents(engine)).toEqual(["wamid.1", "wamid.3", "wamid.5"]);
  });

  it("is tried as often as the schedule says, with its lane backing off, then is a dead letter that names the reason", async () => {
    const { engine, work, tries } = await startApplying();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", text: "poison" }), message({ id: "wamid.2" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.3" }))]);

    await workUntil(engine, work);

    expect(tries().filter((wamid) => wamid === "wamid.1").length).toBeGreaterThanOrEqual(3);
    expect(await contents(engine)).toEqual(["wamid.2", "wamid.3"]);
    expect(await engine.rows("select external_id, last_error from whatsapp_events where state = 2")).toEqual([
      { external_id: "wamid.1", last_error: expect.stringContaining("P0001") },
    ]);
    expect(await engine.rows("select processed, pending, error from whatsapp_webhooks order by id")).toEqual([
      { processed: false, pending: 0, error: expect.stringContaining("dead letter") },
      { processed: true, pending: 0, error: null },
    ]);
    expect(await stranded(engine.rows)).toEqual([]);
  });

  it("never shows what people wrote in its reason", async () => {
    const { engine, work } = await startApplying();
    await engine.rows("drop trigger refuse on messages");
    await engine.rows(
      "alter table messages add constraint polite check (content not like 'poison%')", // its error quotes the row
    );
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", text: "poison for my secret" }))]);

    await workUntil(engine, work);

    const said = JSON.stringify(
      await engine.rows("select e.last_error, w.error from whatsapp_events e, whatsapp_webhooks w"),
    );
    expect(said).toContain("23514");
    expect(said).not.toContain("secret");
  });

  it("is applied after all when its cause goes away while it backs off", async () => {
    const { engine, work } = await startApplying();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", text: "poison" }), message({ id: "wamid.2" }))]);
    await work();

    await engine.rows("drop trigger refuse on messages");
    await workUntil(engine, work);

    expect(await contents(engine)).toEqual(["poison", "wamid.2"]);
    expect(await engine.rows("select distinct state from whatsapp_events")).toEqual([{ state: 1 }]);
  });

  it("does not delay the answers of others", async () => {
    const channel = await channelFor({ plugin: { retry: { maxAttempts: 4, baseMs: 600_000, maxMs: 600_000 } } });
    await refusePoison(channel.rows);
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    const ben = channel.meta.person({ name: "Ben", phoneNumber: BEN });

    channel.meta.batch([
      { from: ada, text: "poison" },
      { from: ben, text: "hello" },
      { from: ada, text: "after the poison" },
    ]);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);

    expect(channel.meta.accepted[0]?.text).toBe("You said: hello");
    expect(await channel.rows("select 1 from whatsapp_events where state = 2")).toEqual([]);
    await channel.until(async () => {
      await channel.rows(
        "update whatsapp_lanes set ready_at = now() where stage = 'in' and lease_token is null and pending <> 0",
      );
      return channel.meta.accepted.length === 2;
    }, "the poison to be given up");
    expect(channel.meta.accepted[1]?.text).toBe("You said: after the poison");
    await allQuiet(channel);
  });
});

describe("when the database is what fails", () => {
  it("counts no failure, buries nothing, and does not spin", async () => {
    const { engine, work, tries } = await startApplying({ maxAttempts: 3, baseMs: 60_000, maxMs: 60_000 });
    // Disk full is the database's trouble, whatever event it hits.
    await engine.rows(`create or replace function refuse() returns trigger language plpgsql as $$
      begin raise 'disk full' using errcode = '53100'; end $$`);
    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }))]);

    for (let n = 0; n < 20; n++) await work();
    expect(tries()).toEqual(["wamid.1"]);
    expect(await engine.rows("select distinct state from whatsapp_events")).toEqual([{ state: 0 }]);
    expect(await engine.rows("select attempts from whatsapp_lanes where stage = 'in'")).toEqual([{ attempts: 0 }]);

    await engine.rows("drop trigger refuse on messages");
    await engine.rows("update whatsapp_lanes set ready_at = now() where stage = 'in'");
    await workUntil(engine, work);
    expect(await contents(engine)).toEqual(["wamid.1"]);
  });
});

/** The stage's own handler, driven by hand: each call claims what is ready and works it. */
async function startApplying(retry = { maxAttempts: 3, baseMs: 30, maxMs: 60 }) {
  const engine = await startEngine();
  await refusePoison(engine.rows);
  const { store } = engine;
  const tried: string[] = [];
  const inbox: Inbox = {
    ...store.inbox,
    apply(lanes, events, effects) {
      for (const { event } of events) if (event.kind === "message") tried.push(event.messageId);
      return store.inbox.apply(lanes, events, effects);
    },
  };
  const silent = () => undefined;
  const handle = createApplyEvents({
    lanes: store.lanes,
    inbox,
    rules: DEFAULT_RULES,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    retry,
    random: () => 0.5,
    onApplied: silent,
  });
  const signal = new AbortController().signal;
  const work = async (): Promise<readonly ClaimedLane[]> => {
    const lanes = await store.lanes.claim("in", 50);
    if (lanes.length > 0) await handle(lanes, { signal, finished: silent });
    return lanes;
  };
  return { engine, work, tries: () => tried };
}

async function workUntil(engine: Engine, work: () => Promise<unknown>): Promise<void> {
  await until(async () => {
    await work();
    return (await stranded(engine.rows)).length === 0;
  }, "every lane to be empty");
}

async function contents({ rows }: Engine): Promise<string[]> {
  const found = await rows<{ content: string }>("select content from messages order by created_at");
  return found.map(({ content }) => content);
}
