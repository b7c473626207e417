/** T73: what lies aside is shown to whoever may operate, without what people said, and goes back in order. */
import type { Permission } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { createDeadLetterService } from "../../../plugin/dead-letters.ts";
import { allQuiet, quiet, TENANT, until } from "../../support/channel.ts";
import { instance, LONG_LEASE_MS } from "./instance.ts";
import { ADA, applyAll, BEN, channelFor, claimed, delivery, message, startEngine, stranded } from "./support.ts";

const OTHER = "00000000-0000-4000-8000-000000000002";

async function poisoned(permissions: readonly Permission[] = ["operate"]) {
  const channel = await channelFor({
    plugin: {
      retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 },
      authenticate: (request: { headers: Record<string, string | undefined> }) => ({
        customerConfigId: request.headers["x-tenant"] ?? "",
        userId: "person-1",
        permissions,
      }),
    },
  });
  await channel.rows(`create function refuse() returns trigger language plpgsql as $$
    begin if new.content like 'poison%' then raise 'the host refuses this' using errcode = 'P0001'; end if; return new; end $$`);
  await channel.rows("create trigger refuse before insert on messages for each row execute function refuse()");
  const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
  for (const text of ["poison 1", "poison 2", "after"]) ada.says(text);
  await until(async () => (await channel.plugin.deadLetters.list()).letters.length === 2, "the dead letters");
  await until(() => channel.meta.accepted.length === 1, "the answer to the one behind them");
  const call = (path: string, init: RequestInit = {}, tenant = TENANT) =>
    fetch(`${channel.url}${path}`, {
      ...init,
      headers: { "x-tenant": tenant, "content-type": "application/json" },
    });
  return { channel, call };
}

describe("a dead letter", () => {
  it("is shown with its reason, newest first and by the page, without text or number", async () => {
    const { channel, call } = await poisoned();

    const first = (await (await call("/dead-letters?limit=1")).json()) as { dead_letters: object[]; next: string };
    const second = (await (await call(`/dead-letters?limit=1&after=${encodeURIComponent(first.next)}`)).json()) as {
      dead_letters: object[];
    };

    expect(first.dead_letters).toMatchObject([
      { stage: "in", kind: "message", error: "error P0001", explanation: expect.stringContaining("trigger") },
    ]);
    const ids = [...second.dead_letters, ...first.dead_letters].map((letter) => (letter as { id: string }).id);
    const stored = await channel.rows<{ id: string }>("select id from whatsapp_events where state = 2 order by id");
    expect(ids).toEqual(stored.map(({ id }) => `in:${id}`));
    expect(channel.logs.filter(({ message }) => message === "event moved to the dead letters")).toMatchObject(
      stored.map(({ id: eventId }) => ({ level: "error", fields: { eventId, attempts: 1, error: "error P0001" } })),
    );
    expect(JSON.stringify([first, second])).not.toMatch(/poison|447700/);
    expect((await channel.plugin.metrics()).database.deadLetters).toEqual({ in: 2, turn: 0, notify: 0 });
  });

  it("is found by its error as it is listed", async () => {
    const { channel } = await poisoned();
    const [one, two] = await channel.rows<{ id: string }>("select id from whatsapp_events where state = 2 order by id");
    await channel.rows("update whatsapp_events set last_error = 'Error auth:expired: of the host' where id = ?", [
      one?.id,
    ]);
    await channel.rows("update whatsapp_events set last_error = null where id = ?", [two?.id]);

    const { letters } = await channel.plugin.deadLetters.list();

    expect(letters.map(({ error }) => error)).toEqual(["unknown", "Error auth:expired"]);
    for (const { id, error } of letters)
      expect((await channel.plugin.deadLetters.list({ error })).letters).toMatchObject([{ id, error }]);
  });

  it.each([
    ...["2026-99-99T99:99:99.000000Z", "2026-02-31T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z"].map(
      (at) => `after=${at}/in:1`,
    ),
    ...["2026-02-31", "2026-11-27T08:00", "2026-11-27zzz", "2026-13-01T00:00:00Z"].map((from) => `from=${from}`),
  ])("is not looked for from a time that is none, or is everybody's own: %s", async (query) => {
    const { call } = await poisoned();

    const answer = await call(`/dead-letters?${query}`);

    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: expect.objectContaining({ code: "REQUEST_INVALID" }) },
    ]);
  });

  it("goes back in its order, once its cause is gone, and twice is once", async () => {
    const { channel } = await poisoned();
    await channel.rows("drop trigger refuse on messages");
    // As they are written: their own times would be in order whoever came first, and vacuum makes room in earlier pages.
    await channel.rows("alter table messages add column written bigserial");

    expect(await channel.plugin.deadLetters.redrive({ error: "error P0001" })).toEqual({ redriven: 2, left: 0 });
    expect(await channel.plugin.deadLetters.redrive()).toEqual({ redriven: 0, left: 0 });

    await allQuiet(channel);
    const said = await channel.rows<{ content: string }>(
      "select content from messages where content like 'poison%' order by written",
    );
    expect(said.map(({ content }) => content)).toEqual(["poison 1", "poison 2"]);
    expect(await channel.rows("select distinct state from whatsapp_events where kind = 'message'")).toEqual([
      { state: 1 },
    ]);
    expect(await channel.rows("select 1 from whatsapp_webhooks where not processed or error is not null")).toEqual([]);
    expect(await stranded(channel.rows)).toEqual([]);
  });

  it("is put back oldest first and by as many as are asked for; one that fails again lies aside again", async () => {
    const { channel } = await poisoned();

    expect(await channel.plugin.deadLetters.redrive({ limit: 1 })).toEqual({ redriven: 1, left: 1 });
    await until(async () => (await channel.plugin.deadLetters.list()).letters.length === 2, "it to fail again");
    await allQuiet(channel);

    expect(await stranded(channel.rows)).toEqual([]);
  });

  it("is another tenant's for nobody", async () => {
    const { channel, call } = await poisoned();
    await channel.rows("drop trigger refuse on messages");
    const [letter] = (await channel.plugin.deadLetters.list()).letters;

    expect(await (await call("/dead-letters", {}, OTHER)).json()).toEqual({ dead_letters: [], next: null });
    const body = JSON.stringify({ ids: [letter?.id] });
    const answer = await call("/dead-letters/redrive", { method: "POST", body }, OTHER);

    expect(await answer.json()).toEqual({ redriven: 0, left: 0 });
    expect((await channel.plugin.deadLetters.list()).letters).toHaveLength(2);
    const own = await call("/dead-letters/redrive", { method: "POST", body });
    expect(await own.json()).toEqual({ redriven: 1, left: 0 });
  });

  it("is for nobody who may not operate", async () => {
    const { call } = await poisoned(["connect"]);

    expect((await call("/dead-letters")).status).toBe(403);
    expect((await call("/dead-letters/redrive", { method: "POST", body: "{}" })).status).toBe(403);
  });
});

describe("a dead turn and an event that the host did not take", () => {
  it("are asked and told again", async () => {
    let fails = true;
    const told: string[] = [];
    const channel = await channelFor({
      reply: (turn) => {
        if (fails) throw new Error("the AI is away");
        return `You said: ${turn.messages.map(({ text }) => text).join()}`;
      },
      plugin: {
        retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 },
        onEvent(event) {
          if (fails) throw new Error("the bus is away");
          told.push(event.kind);
        },
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await until(async () => {
      const { letters } = await channel.plugin.deadLetters.list({ customerConfigId: TENANT });
      return new Set(letters.map(({ stage }) => stage)).size === 2;
    }, "both to lie aside");

    fails = false;
    await channel.plugin.deadLetters.redrive({ customerConfigId: TENANT, stage: "turn" });
    await channel.plugin.deadLetters.redrive({ customerConfigId: TENANT, stage: "notify" });

    await until(() => channel.meta.accepted[0]?.text === "You said: hello" && told.includes("message"), "both");
    await allQuiet(channel);
  });
});

describe("a dead letter of a delivery whose bytes are gone", () => {
  it("is listed and goes back, and the delivery still says what became of them", async () => {
    const { store, rows } = await startEngine();
    const left = "301777000333999";
    await rows(
      `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number, state, disconnected_at)
       values (?, ?, '299', '1555', 'disconnected', now())`,
      [TENANT, left],
    );
    await store.inbox.record([
      delivery(message({ id: "wamid.left", phone: BEN, to: left }), message({ id: "wamid.poison" })),
    ]);
    const [lane] = await claimed(store);
    if (lane === undefined) expect.fail("no lane");
    const [head] = await store.inbox.load([lane], 1);
    await store.inbox.bury(lane, head?.eventId ?? "", "poison");
    const filter = { customerConfigId: TENANT };
    expect(await store.deadLetters.list(filter, { limit: 10, after: null })).toMatchObject([{ lastError: "poison" }]);

    await store.deadLetters.redrive(filter, { ids: null, limit: 10 });
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.poison" }]);
    expect(await rows("select processed, pending, left(error, 7) as error from whatsapp_webhooks")).toEqual([
      { processed: true, pending: 0, error: "erased:" },
    ]);
    expect(await stranded(rows)).toEqual([]);
  });
});

describe("a redrive", () => {
  it("leaves a line in the log: who, of what, how many, and nothing that was typed freely", async () => {
    const { channel, call } = await poisoned();
    const body = JSON.stringify({ stage: "in", error: "Ada, 447700900123", limit: 5 });
    await call("/dead-letters/redrive", { method: "POST", body });
    await channel.plugin.deadLetters.redrive({ ids: ["in:1"], error: "error P0001", by: "ops-7" });

    const lines = channel.logs.filter(({ message }) => message === "dead letters were put back");
    expect(lines.map(({ level, fields }) => ({ level, ...fields }))).toMatchObject([
      {
        level: "info",
        by: "person-1",
        customerConfigId: TENANT,
        stage: "in",
        error: "other",
        ids: null,
        limit: 5,
        redriven: 0,
        left: 0,
      },
      { by: "ops-7", customerConfigId: null, error: "error P0001", ids: 1, limit: 1_000 },
    ]);
  });

  it("reads what it puts back and nothing else that lies aside, and counts the rest by what is left", async () => {
    const { store, rows } = await startEngine();
    // Whoever reads the later ones fails on them.
    await rows(
      `insert into whatsapp_host_events (lane_key, event, state)
       select 'x', jsonb_build_object('kind', 'account', 'conversationId', case when n > 2 then 'unreadable' end), 2 from generate_series(1, 500) n`,
    );
    const [first, second] = await rows<{ id: string }>("select id from whatsapp_host_events order by id limit 2");
    const filter = { customerConfigId: null };
    const redrive = (ids: readonly string[] | null) => store.deadLetters.redrive(filter, { ids, limit: 1 });

    expect(
      await redrive([`notify:${second?.id}`, "notify:", "notify:no number", "turn:17", "in:99999999999999999999"]),
    ).toEqual({
      redriven: 1,
      left: 0,
    });
    expect(await redrive(null)).toEqual({ redriven: 1, left: 498 });
    expect(await rows("select id from whatsapp_host_events where state = 0 order by id")).toEqual([first, second]);
  });

  it("of several stages takes the oldest of all, and of each stage none before those before it", async () => {
    const { store, rows } = await startEngine();
    const dead = (minutes: readonly number[]) =>
      rows(
        `insert into whatsapp_host_events (lane_key, event, state, created_at)
         select 'x', '{"kind":"account"}', 2, now() - m * interval '1 minute' from unnest(?::int[]) with ordinality u (m, i) order by i`,
        [[...minutes]],
      );
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await rows("update whatsapp_events set state = 2, created_at = now() - interval '20 minutes'");
    await rows("update whatsapp_lanes set pending = 0, ready_at = null");
    await dead([10, 30, 5]);
    const state = async () => [
      ...(await rows<{ state: number }>("select state from whatsapp_events")),
      ...(await rows<{ state: number }>("select state from whatsapp_host_events order by id")),
    ];
    const redrive = () => store.deadLetters.redrive({ customerConfigId: null }, { ids: null, limit: 2 });

    expect(await redrive()).toEqual({ redriven: 2, left: 2 });
    expect((await state()).map((row) => row.state)).toEqual([0, 0, 2, 2]);
    expect(await redrive()).toEqual({ redriven: 2, left: 0 });
  });

  it("of 10,000 goes back 1,000 at a time and in order, while those before are worked already", async () => {
    const engine = await startEngine({ leaseMs: LONG_LEASE_MS });
    const [people, each] = [100, 100];
    // Of one moment, as after an outage of the host's database.
    for (let person = 0; person < people; person++)
      await engine.store.inbox.record([
        delivery(
          ...Array.from({ length: each }, (_, i) =>
            message({ id: `wamid.${person}.${i}`, phone: `4477009${String(person).padStart(5, "0")}` }),
          ),
        ),
      ]);
    await engine.rows("alter table messages add column written bigserial");
    await engine.rows("update whatsapp_events set state = 2, last_error = 'error P0001', created_at = now()");
    await engine.rows("update whatsapp_webhooks set pending = 0, error = 'dead letter: error P0001'");
    await engine.rows("update whatsapp_lanes set pending = 0, ready_at = null");
    const deadLetters = createDeadLetterService(engine.store.deadLetters, {
      log: { info: () => undefined },
      onRedriven: () => pipeline.onRedriven(),
    });
    const pipeline = instance(engine.store, { reply: () => null });
    pipeline.start();

    const batches: number[] = [];
    for (let left = 1; left > 0; ) {
      const result = await deadLetters.redrive({ stage: "in" });
      batches.push(result.redriven);
      left = result.left;
    }
    await expect(deadLetters.redrive({ limit: 1_001 })).rejects.toThrow("limit is a whole number from 1 to 1000");
    await quiet(engine, 100_000);

    expect(batches).toEqual(Array.from({ length: 10 }, () => 1_000));
    const [{ n, swapped }] = (await engine.rows(
      `select count(*)::int as n, count(*) filter (where place < before)::int as swapped from (
         select e.id as place, lag(e.id) over (partition by m.conversation_id order by m.written) as before
         from messages m
         join whatsapp_events e on e.payload ->> 'messageId' = m.external_id) o`,
    )) as [{ n: number; swapped: number }];
    expect({ n, swapped }).toEqual({ n: people * each, swapped: 0 });
  }, 120_000);
});
