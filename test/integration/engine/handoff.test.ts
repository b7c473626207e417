/** A person takes over: what the AI says of it reaches the host once, with the turn that it ends, and pauses nothing by itself. */
import type { AiResponse } from "@omniops/whatsapp";
import { expect, it } from "vitest";
import { allQuiet, TENANT, type TestChannelOptions } from "../../support/channel.ts";
import { applyAll, channelFor, claimed, delivery, hold, message, startEngine, waiters } from "./support.ts";

async function startAnswering(answers: readonly (AiResponse | Error)[], options: TestChannelOptions = {}) {
  const turnIds: string[] = [];
  const channel = await channelFor({
    ...options,
    reply(turn) {
      turnIds.push(turn.turnId);
      const answer = answers[turnIds.length - 1] ?? {};
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
  const told = () => channel.events.filter(({ kind }) => kind === "handoff");
  const sent = () => channel.meta.accepted.map(({ text }) => text);
  return { channel, ada, settled: () => allQuiet(channel), told, sent, turnIds };
}

it("is told beside the answer, and the next message is answered as ever", async () => {
  const handedOver = { text: "Somebody will write to you.", handoff: true };
  const { channel, ada, settled, told, sent, turnIds } = await startAnswering([
    handedOver,
    { text: "Yes?", handoff: false },
  ]);

  ada.says("a person, please");
  await settled();
  ada.says("hello?");
  await settled();

  const [conversation] = await channel.rows<{ id: string }>("select id from conversations");
  expect(told()).toEqual([
    { kind: "handoff", conversationId: conversation?.id, customerConfigId: TENANT, turnId: turnIds[0] },
  ]);
  expect(sent()).toEqual(["Somebody will write to you.", "Yes?"]);
});

it("is told without an answer too, and is no error", async () => {
  const { channel, ada, settled, told, sent } = await startAnswering([{ handoff: true }]);

  ada.says("a person, please");
  await settled();

  expect(told()).toHaveLength(1);
  expect(sent()).toEqual([]);
  expect(await channel.rows("select state, last_error from whatsapp_turns")).toEqual([{ state: 1, last_error: null }]);
  expect(channel.logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});

it("is told once of a turn that is tried again", async () => {
  const { ada, settled, told, turnIds } = await startAnswering([new Error("not now"), { handoff: true }]);

  ada.says("a person, please");
  await settled();

  expect(turnIds).toHaveLength(2);
  expect(told()).toMatchObject([{ turnId: turnIds[0] }]);
});

it("is told when it is at once, not when the next look is due", async () => {
  const { channel, ada, told } = await startAnswering([{ handoff: true }], { plugin: { pollMs: 3_600_000 } });

  ada.says("a person, please");

  await channel.until(() => told().length === 1, "the host to hear of it");
});

it("costs no rows where nobody listens", async () => {
  const { channel, ada, settled } = await startAnswering([{ handoff: true }], {
    plugin: { onEvent: undefined as never },
  });

  ada.says("a person, please");
  await settled();

  expect(await channel.rows("select 1 from whatsapp_host_events")).toEqual([]);
  expect(await channel.rows("select 1 from whatsapp_lanes where stage = 'notify'")).toEqual([]);
});

async function sealedTurn() {
  const engine = await startEngine({ hasListener: true });
  await engine.store.inbox.record([delivery(message({ id: "wamid.1" }))]);
  await applyAll(engine.store);
  const [turn] = await engine.store.turns.seal(await claimed(engine.store, "turn"));
  if (!turn) throw new Error("there is a turn");
  const handoffs = () => engine.rows("select 1 from whatsapp_host_events where event ->> 'kind' = 'handoff'");
  return { ...engine, turn, handoffs };
}

it("is not told by a worker that has lost its turn", async () => {
  const { store, turn, handoffs, rows } = await sealedTurn();
  const before = await rows("select * from whatsapp_lanes order by lane_key");
  const lost = { ...turn, lane: { ...turn.lane, token: "00000000-0000-4000-8000-00000000dead" } };

  expect(await store.turns.finish([{ turn: lost, send: null, handoff: true }])).toEqual([false]);

  expect(await handoffs()).toEqual([]);
  expect(await rows("select * from whatsapp_lanes order by lane_key")).toEqual(before);
  expect(await store.turns.finish([{ turn, send: null, handoff: true }])).toEqual([true]);
  expect(await store.turns.finish([{ turn, send: null, handoff: true }])).toEqual([false]);
  expect(await handoffs()).toHaveLength(1);
});

it("locks the lanes in the order of all others: who waits for the host's ear does not hold the turn", async () => {
  const { store, database, turn, handoffs, rows } = await sealedTurn();
  const listening = await hold(database);
  await listening.query("select 1 from whatsapp_lanes where stage = 'notify' for update");

  const finishing = store.turns.finish([{ turn, send: null, handoff: true }]);
  await waiters(rows);
  expect(await listening.query("select 1 from whatsapp_lanes where stage = 'turn' for update nowait")).toHaveLength(1);
  await listening.commit();

  expect(await finishing).toEqual([true]);
  expect(await handoffs()).toHaveLength(1);
});
