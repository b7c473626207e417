/** Rule 12: two names turn out to be one person; from then on one contact, one lane, and the stored order kept. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import {
  applyAll,
  applyOnce,
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

const PHONE = "447700900123";
const USER = "GB.5512oQx81Zk09";
const byPhone = (id: string) => message({ id, phone: PHONE });
const byUser = (id: string) => message({ id, phone: null, userId: USER });
const byBoth = (id: string) => message({ id, phone: PHONE, userId: USER });

describe("a person known by two names", () => {
  it("becomes one contact with one lane, and keeps the order in which everything was stored", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await store.inbox.record([delivery(byPhone("wamid.3"))]);
    expect(await rows("select 1 from whatsapp_lanes where pending > 0")).toHaveLength(2);

    await store.inbox.record([delivery(byBoth("wamid.4"))]);
    await store.inbox.record([delivery(byUser("wamid.5"))]);
    await applyAll(store);

    expect(await told(engine)).toEqual(["wamid.1", "wamid.2", "wamid.3", "wamid.4", "wamid.5"]);
    expect(await rows("select phone_number, user_id from whatsapp_contacts where merged_into is null")).toEqual([
      { phone_number: PHONE, user_id: USER },
    ]);
    expect(await rows("select distinct lane_key from whatsapp_events")).toHaveLength(1);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is linked within one delivery that brings all three spellings", async () => {
    const engine = await startEngine();

    await engine.store.inbox.record([delivery(byUser("wamid.1"), byPhone("wamid.2"), byBoth("wamid.3"))]);
    await applyAll(engine.store);

    expect(await told(engine)).toEqual(["wamid.1", "wamid.2", "wamid.3"]);
    expect(await engine.rows("select 1 from whatsapp_contacts where merged_into is null")).toHaveLength(1);
  });

  it.each(["younger", "elder"])("fences out the worker that holds the %s lane, and doubles nothing", async (which) => {
    const engine = await startEngine();
    const { store, another, rows } = engine;
    const zombie = another();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    const lanes = [...(await claimed(zombie))].sort((a, b) => (a.laneKey < b.laneKey ? -1 : 1));
    const held = lanes.filter((_lane, i) => (which === "elder" ? i === 0 : i === 1));
    await zombie.lanes.release(lanes.filter((lane) => !held.includes(lane)));
    const events = await zombie.inbox.load(held, 50);

    await store.inbox.record([delivery(byBoth("wamid.3"))]);

    expect(await zombie.inbox.apply(held, events, planEffects(events))).toBeNull();
    await applyAll(store);
    expect(await told(engine)).toEqual(["wamid.1", "wamid.2", "wamid.3"]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("is linked only after the worker that is just committing one of its lanes, without a deadlock", async () => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    const [lane] = [...(await claimed(store))].sort((a, b) => (a.laneKey < b.laneKey ? -1 : 1));
    // A worker in the middle of its transaction: the contact is written, the lane not yet released.
    const worker = await hold(database);
    await worker.query("update whatsapp_contacts set name = 'Ada' where phone_number = $1", [PHONE]);

    const linking = store.inbox.record([delivery(byBoth("wamid.3"))]);
    await waiters(rows);
    await worker.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [lane?.laneKey]);
    await worker.commit();

    await linking;
    await applyAll(store);
    expect(await told(engine)).toEqual(["wamid.1", "wamid.2", "wamid.3"]);
  });

  it("does not deadlock with a batch that names somebody else before them", async () => {
    const engine = await startEngine();
    const { store, database, rows } = engine;
    const other = "447700900001";
    await store.inbox.record([delivery(message({ id: "wamid.0", phone: other }))]); // the first lane in the order
    await store.inbox.record([delivery(byPhone("wamid.1"), byUser("wamid.2"))]);
    const [first, second] = await rows<{ lane_key: string }>("select lane_key from whatsapp_lanes order by lane_key");
    // Another batch in the middle of its locks: it has the first lane and is about to ask for the second.
    const batch = await hold(database);
    await batch.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [first?.lane_key]);

    const linking = store.inbox.record([delivery(byBoth("wamid.3"), message({ id: "wamid.4", phone: other }))]);
    await waiters(rows);
    await batch.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [second?.lane_key]);
    await batch.commit();

    await linking;
  });

  it.each([
    ["one pair", 1],
    ["two pairs in one delivery", 2],
  ])("does not deadlock with the turns that are just being asked: %s", async (_what, pairs) => {
    const { store, another, database, rows } = await startEngine();
    const people = Array.from({ length: pairs }, (_, n) => ({ phone: `${PHONE}${n}`, userId: `${USER}${n}` }));
    // Contacts in one order, and their first open turns in the other; those of the last pair are to be linked first.
    for (const { phone } of people) await store.inbox.record([delivery(message({ id: `wamid.met.${phone}`, phone }))]);
    for (const { userId } of people)
      await store.inbox.record([delivery(message({ id: `wamid.met.${userId}`, phone: null, userId }))]);
    await applyAll(store);
    await rows("delete from whatsapp_turns");
    await rows("update whatsapp_lanes set pending = 0, ready_at = null where stage = 'turn'");
    for (const { phone, userId } of people.toReversed())
      for (const name of [{ phone: null, userId }, { phone }]) {
        await store.inbox.record([delivery(message({ id: `wamid.waits.${name.phone ?? userId}`, ...name }))]);
        await applyAll(store);
      }
    const lanes = await claimed(store, "turn");
    expect(lanes).toHaveLength(2 * pairs);
    const [first] = lanes.map(({ laneKey }) => laneKey).sort();
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_turns where lane_key = $1 for update", [first]);

    const sealing = another().turns.seal(lanes);
    await waiters(rows, 1);
    const linking = another().inbox.record([
      delivery(...people.toReversed().map((person, n) => message({ id: `wamid.links.${n}`, ...person }))),
    ]);
    await waiters(rows, 2);
    await somebody.commit();

    expect(await Promise.all([sealing, linking])).toHaveLength(2);
  });

  it("keeps an event with its person that was routed just before the link, and stored just after", async () => {
    const engine = await startEngine();
    const { store, another, database, rows } = engine;
    const late = another();
    await store.inbox.record([delivery(byPhone("wamid.1"), byUser("wamid.2"))]);
    const [, younger] = await rows<{ lane_key: string }>("select lane_key from whatsapp_lanes order by lane_key");
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [younger?.lane_key]);

    // Both wait for the younger lane: the link first, then an event that still believes in the younger contact.
    const linking = store.inbox.record([delivery(byBoth("wamid.3"))]);
    await waiters(rows, 1);
    const event = late.inbox.record([delivery(byUser("wamid.4"))]);
    await waiters(rows, 2);
    await somebody.commit();
    await Promise.all([linking, event]);
    await applyAll(store);

    expect(await told(engine)).toEqual(["wamid.1", "wamid.2", "wamid.3", "wamid.4"]);
    expect(await rows("select 1 from conversations")).toHaveLength(1);
    expect(await stranded(rows)).toEqual([]);
  });

  it("keeps the one conversation that exists when they are linked", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    const [, younger] = [...(await claimed(store))].sort((a, b) => (a.laneKey < b.laneKey ? -1 : 1));
    if (younger === undefined) throw new Error("two lanes were claimed");
    await applyOnce(store, [younger]);
    const [before] = await rows<{ id: string }>("select id from conversations");

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await applyAll(store);

    expect(await rows("select id from conversations")).toEqual([before]);
    expect(await store.sessions.status(before?.id ?? "")).toMatchObject({ state: "open" });
  });

  it.each(["elder", "younger"])("is left to staff who are talking to the %s of the two", async (which) => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"), byUser("wamid.2"))]);
    await applyAll(store);
    const sealed = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    await store.turns.finish(sealed.map((turn) => ({ turn, send: null })));
    await rows(
      `update whatsapp_contacts set ai_paused_until = now() + interval '1 hour' where phone_number is ${which === "elder" ? "not null" : "null"}`,
    );

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await applyAll(store);

    expect(await rows("select 1 from whatsapp_turns where state = 0")).toEqual([]);
  });

  it("has the window that either had, in both conversations, also where what links them opens none", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await applyAll(store);
    await rows("update whatsapp_sessions set session_expires = now() - interval '1 second'");
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await applyAll(store);
    await rows("update whatsapp_sessions set ad_message_at = now() where session_expires > now()");

    await store.inbox.record([delivery(status({ wamid: "wamid.out", status: "sent", phone: PHONE, userId: USER }))]);

    expect(await rows("select 1 from whatsapp_contacts where merged_into is not null")).toHaveLength(1);
    const conversations = await rows<{ id: string }>("select id from conversations");
    expect(conversations).toHaveLength(2);
    for (const { id } of conversations) expect(await store.sessions.status(id)).toMatchObject({ state: "open" });
    for (const { id } of conversations) await store.outbox.enqueue(id, answer(`to ${id}`));
    const [head] = await store.outbox.head(await claimed(store, "out"));
    expect(head?.windowOpen).toBe(true);
    expect(await rows("select 1 from whatsapp_sessions where ad_message_at is not null")).toHaveLength(2);
  });

  it("has what waits for the AI asked together, in the order of writing, and once", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byUser("wamid.1"))]);
    await store.inbox.record([delivery(byPhone("wamid.2"))]);
    await applyAll(store);

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await applyAll(store);

    expect(
      await rows(
        "select jsonb_path_query_array(messages, '$[*].externalId') as ids, state from whatsapp_turns where state = 0",
      ),
    ).toEqual([{ ids: ["wamid.1", "wamid.2", "wamid.3"], state: 0 }]);
    expect(await rows("select pending from whatsapp_lanes where stage = 'turn' and pending <> 0")).toEqual([
      { pending: 1 },
    ]);
  });

  it.each([
    ["both names have", true],
    ["one of the names has", false],
  ])(
    "is asked about each name's messages in their order while turns are tried again, where %s more waiting",
    async (_who, both) => {
      const { store, rows } = await startEngine();
      /** The host is asked about what waits, and fails. */
      const tried = async () => {
        const lanes = await claimed(store, "turn");
        await store.turns.seal(lanes);
        for (const lane of lanes) await store.lanes.postpone(lane, 60_000, true);
      };
      await store.inbox.record([delivery(byUser("wamid.u1"))]);
      await applyAll(store);
      await tried();
      await store.inbox.record([delivery(byUser("wamid.u2"))]);
      await store.inbox.record([delivery(byPhone("wamid.p1"))]);
      await applyAll(store);
      await tried();
      if (both) await store.inbox.record([delivery(byPhone("wamid.p2"))]);
      await store.inbox.record([delivery(byBoth("wamid.both"))]);
      await applyAll(store);

      const turns = await rows<{ ids: string[] }>(
        "select jsonb_path_query_array(messages, '$[*].externalId') as ids from whatsapp_turns where state = 0 order by seq",
      );
      expect(turns.map(({ ids }) => ids)).toEqual([
        ["wamid.u1"],
        ["wamid.p1"],
        ["wamid.u2", ...(both ? ["wamid.p2"] : []), "wamid.both"],
      ]);
      expect(await rows("select pending from whatsapp_lanes where stage = 'turn' and pending <> 0")).toEqual([
        { pending: 3 },
      ]);
    },
  );

  it("does not ask about a turn that the younger lane was thinking of and lost, but once more", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await applyAll(store);
    const lanes = await claimed(store, "turn");
    const sealed = (await store.turns.seal(lanes)).filter((turn) => turn !== null);

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    const finished = await store.turns.finish(sealed.map((turn) => ({ turn, send: null })));

    // The elder's turn under way goes on; the younger's lane is gone, and its turn is asked again in the elder's.
    expect(finished.filter(Boolean)).toHaveLength(1);
    await applyAll(store);
    const again = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    expect(again.map(({ messages }) => messages.map(({ externalId }) => externalId))).toEqual([["wamid.2"]]);
  });

  it.each([
    ["younger", byPhone, byUser],
    ["elder", byUser, byPhone],
  ])("may pick what was offered last, also where that was under the %s of the names", async (which, older, newer) => {
    const { store, rows } = await startEngine();
    // Before the messages, which are of a time that was recorded.
    const leaves = async (year: number) => {
      const parts = `update whatsapp_outbox set state = 'read', sent_at = make_timestamptz(${year}, 1, 1, 0, 0, 0) where state = 'queued' returning id, sent_at`;
      await rows(
        `with left_now as (${parts}) insert into whatsapp_send_attempts (outbox_id, token, state, started_at) select id, id::text, 'accepted', sent_at from left_now`,
      );
    };
    await store.inbox.record([delivery(older("wamid.1"))]);
    await store.inbox.record([delivery(newer("wamid.2"))]);
    await applyAll(store);
    const sealed = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    const [elder, younger] = [...sealed].sort((a, b) => Number(a.contactId) - Number(b.contactId));
    if (elder === undefined || younger === undefined) expect.fail("there are not two turns");
    const [first, last] = which === "elder" ? [younger, elder] : [elder, younger];
    await store.turns.finish([{ turn: first, send: offer("Tea", "Coffee") }]);
    await leaves(2024);
    await store.turns.finish([{ turn: last, send: offer("Red", "Blue") }]);
    await leaves(2025);

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await applyAll(store);

    const [turn] = await store.turns.seal(await claimed(store, "turn"));
    expect(turn?.offered[0]?.map(({ title }) => title)).toEqual(["Red", "Blue"]);
  });

  it("has its waiting answers leave in the order in which they were given, from one lane", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await applyAll(store);
    const sealed = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    const byFirst = [...sealed].sort((a, b) => Number(a.contactId) - Number(b.contactId));
    for (const turn of byFirst.toReversed())
      await store.turns.finish([{ turn, send: answer(`to ${turn.messages[0]?.externalId}`) }]);

    await store.inbox.record([delivery(byBoth("wamid.3"))]);

    expect(await rows("select content from messages where role = 'assistant' order by created_at")).toEqual([
      { content: "to wamid.2" },
      { content: "to wamid.1" },
    ]);
    expect(await rows("select lane_key, pending from whatsapp_lanes where stage = 'out' and pending > 0")).toEqual([
      { lane_key: `out:contact:${byFirst[0]?.contactId}`, pending: 2 },
    ]);
    const [head] = await store.outbox.head(await claimed(store, "out"));
    expect(head?.payload).toMatchObject({ text: { body: "to wamid.2" } });
  });

  it("has what is sent while they are linked leave after what was sent before, from the one lane", async () => {
    const { store, another, database, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await applyAll(store);
    const [{ id: younger } = { id: "" }] = await rows<{ id: string }>(
      "select conversation_id as id from whatsapp_contacts where phone_number is null",
    );
    await store.outbox.enqueue(younger, answer("first"));
    // The link is held up in its last step.
    const holder = await hold(database);
    await holder.query("select 1 from whatsapp_contact_aliases for update");
    const linking = another().inbox.record([delivery(byBoth("wamid.3"))]);
    await waiters(rows, 1);

    const sending = another().outbox.enqueue(younger, answer("second"));
    await waiters(rows, 2);
    await holder.commit();
    await Promise.all([linking, sending]);
    await store.outbox.enqueue(younger, answer("third"));

    const parts = await rows("select payload -> 'text' ->> 'body' as text, lane_key from whatsapp_outbox order by id");
    expect(parts.map(({ text }) => text)).toEqual(["first", "second", "third"]);
    expect(new Set(parts.map((part) => part.lane_key)).size).toBe(1);
    expect(await rows("select pending from whatsapp_lanes where stage = 'out' and pending > 0")).toEqual([
      { pending: 3 },
    ]);
  });

  it("has used up under one name what was sent under either", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1")), delivery(byUser("wamid.2"))]);
    await rows(
      `insert into whatsapp_lanes (lane_key, stage, paced_until)
       select 'out:contact:' || id, 'out', now() + interval '100 seconds' from whatsapp_contacts`,
    );

    await store.inbox.record([delivery(byBoth("wamid.3"))]);

    const [elder] = await rows(
      `select extract(epoch from paced_until - now()) > 190 as summed from whatsapp_lanes
       where lane_key = (select 'out:contact:' || id from whatsapp_contacts where merged_into is null)`,
    );
    expect(elder).toEqual({ summed: true });
  });

  it("whose answer is on its way when they are linked has it settled once", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(byPhone("wamid.1"))]);
    await store.inbox.record([delivery(byUser("wamid.2"))]);
    await applyAll(store);
    const sealed = (await store.turns.seal(await claimed(store, "turn"))).filter((turn) => turn !== null);
    for (const turn of sealed) await store.turns.finish([{ turn, send: answer("hi") }]);
    const lanes = await claimed(store, "out");
    const parts = (await store.outbox.head(lanes)).filter((part) => part !== null);
    await store.outbox.begin(parts.map((part) => ({ part, token: `token-${part.outboxId}` })));

    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await store.outbox.settle(
      parts.map((part) => ({
        part,
        token: `token-${part.outboxId}`,
        attempt: "accepted" as const,
        messageId: `wamid.out.${part.outboxId}`,
        next: { kind: "done" as const, state: "accepted" as const },
        error: null,
      })),
    );

    expect(await rows("select state from whatsapp_outbox")).toEqual([{ state: "accepted" }, { state: "accepted" }]);
    expect(await rows("select pending from whatsapp_lanes where stage = 'out' and pending <> 0")).toEqual([]);
  });

  it("stays in order over any sequence of spellings, deliveries and workers", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    let run = 0;
    const step = fc.record({
      spelling: fc.constantFrom("phone", "user", "both"),
      joins: fc.boolean(),
      works: fc.constantFrom("nothing", "claims", "applies the claimed", "applies"),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        run += 1;
        const phone = String(447800000000 + run);
        const userId = `GB.RUN${run}`;
        const spell = {
          phone: (id: string) => message({ id, phone }),
          user: (id: string) => message({ id, phone: null, userId }),
          both: (id: string) => message({ id, phone, userId }),
        };
        let batch: object[] = [];
        let kept: Awaited<ReturnType<typeof store.lanes.claim>> = [];
        const ids = steps.map((_step, n) => `wamid.${run}.${n}`);
        for (const [n, { spelling, joins, works }] of [
          ...steps,
          { spelling: "both", joins: false, works: "nothing" } as const,
        ].entries()) {
          batch.push(spell[spelling](ids[n] ?? `wamid.${run}.last`));
          if (joins) continue;
          await store.inbox.record([delivery(...batch)]);
          batch = [];
          if (works === "claims" && kept.length === 0) kept = await store.lanes.claim("in", 10);
          if (works === "applies the claimed" && kept.length > 0) {
            await Promise.all(kept.map((lane) => applyOnce(store, [lane])));
            kept = [];
          }
          if (works === "applies") await applyAll(store);
        }
        await store.lanes.release(kept);
        await applyAll(store);

        const contacts = await rows<{ id: string }>(
          "select id from whatsapp_contacts where merged_into is null and (phone_number = ? or user_id = ?)",
          [phone, userId],
        );
        expect(contacts).toHaveLength(1);
        // What one name brought keeps its order whatever was linked when; nothing is lost or doubled.
        const effects = await rows<{ external_id: string }>(
          "select external_id from messages where external_id like ? order by created_at",
          [`wamid.${run}.%`],
        );
        expect([...effects].map(({ external_id }) => external_id).sort()).toEqual([...ids, `wamid.${run}.last`].sort());
        const turned = await rows<{ wamids: string[] }>(
          `select array_agg(m ->> 'externalId' order by t.seq, n) as wamids
           from whatsapp_turns t, jsonb_array_elements(t.messages) with ordinality as e (m, n)
           where m ->> 'externalId' like ? group by t.lane_key`,
          [`wamid.${run}.%`],
        );
        // Until both names came together nobody could know that they are one person's: only then may they interleave.
        const nameOf = (n: number) => steps[n]?.spelling ?? "both";
        const known = (from: number, to: number) => {
          for (let n = from; n <= to; n++) if (nameOf(n) === "both") return true;
          return false;
        };
        for (const { wamids } of turned) {
          const order = wamids.map((wamid) => Number(wamid.split(".")[2]?.replace("last", String(steps.length))));
          for (const [at, later] of order.entries())
            for (const earlier of order.slice(at + 1))
              if (earlier < later)
                expect(nameOf(earlier) !== nameOf(later) && !known(earlier, later), `${earlier} after ${later}`).toBe(
                  true,
                );
        }
        expect(await stranded(rows)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

function offer(...titles: string[]) {
  const choices = titles.map((title) => ({ id: title, title }));
  return planSend({
    what: { response: { text: "Which?", choices } },
    idempotencyKey: null,
    replyTo: null,
    onWindowClosed: "fail",
  });
}

function answer(text: string) {
  return planSend({ what: { response: text }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
}

/** What the host's AI would be told, in order; every turn must be in one conversation. */
async function told({ rows }: Engine): Promise<string[]> {
  const messages = await rows<{ external_id: string }>(
    "select external_id from messages where role = 'user' order by created_at",
  );
  return messages.map(({ external_id }) => external_id);
}
