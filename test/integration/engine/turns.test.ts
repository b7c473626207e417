/** Turns: bursts become one, slow hosts get the rest next, failures keep their order, and one bad turn ends nothing. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply, Turn } from "@omniops/whatsapp";
import { INBOUND_MESSAGES } from "@omniops/whatsapp/simulator";
import { describe, expect, it, onTestFinished } from "vitest";
import { createChatApi } from "../../../adapters/chat-api/chat-api.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { allQuiet, quiet, type TestChannel, type TestChannelOptions, until } from "../../support/channel.ts";
import {
  applyAll,
  BEN,
  channelFor,
  claimed,
  delivery,
  gate,
  hold,
  message,
  startEngine,
  transactionsEnd,
  waiters,
} from "./support.ts";

type Seen = { readonly turnId: string; readonly attempt: number; readonly texts: readonly (string | null)[] };

/** A channel whose host is asked by this function, and what it was asked. */
async function startAsking(
  answer: (turn: Turn, nth: number) => Reply | Promise<Reply>,
  options: TestChannelOptions = {},
) {
  const asked: Seen[] = [];
  const channel = await channelFor({
    ...options,
    reply(turn) {
      asked.push({
        turnId: turn.turnId,
        attempt: turn.attempt,
        texts: turn.messages.map(({ text }) => text),
      });
      return answer(turn, asked.length);
    },
  });
  const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
  const sent = () => channel.meta.accepted.map(({ text }) => text);
  return { channel, ada, asked, settled: () => allQuiet(channel), sent };
}

describe("a burst", () => {
  it("of three within the coalescing time is one turn, in order", async () => {
    const { ada, asked, settled, sent } = await startAsking((turn) => `got ${turn.messages.length}`, {
      config: { coalesceMs: 2_000 },
    });

    for (const text of ["one", "two", "three"]) ada.says(text);
    await settled();

    expect(asked.map(({ texts }) => texts)).toEqual([["one", "two", "three"]]);
    expect(sent()).toEqual(["got 3"]);
  });

  it("of two people is two turns", async () => {
    const { channel, ada, asked, settled } = await startAsking(() => null, { config: { coalesceMs: 300 } });
    const ben = channel.meta.person({ name: "Ben", phoneNumber: "447700900456" });

    channel.meta.batch([
      { from: ada, text: "a1" },
      { from: ben, text: "b1" },
      { from: ada, text: "a2" },
    ]);
    await settled();

    expect(asked.map(({ texts }) => texts).sort()).toEqual([["a1", "a2"], ["b1"]]);
  });
});

describe("a turn", () => {
  it("has dates where its type says so, on its first try and on a later one", async () => {
    const seen: unknown[] = [];
    const { ada, settled } = await startAsking((turn, nth) => {
      seen.push(turn.messages[0]?.content);
      if (nth === 1) throw new Error("not now");
      return null;
    });

    ada.sends(INBOUND_MESSAGES["call-permission-reply"]);
    await settled();

    const granted = { kind: "call-permission", response: "accept", expiresAt: expect.any(Date) };
    expect(seen).toMatchObject([granted, granted]);
  });
});

describe("while the host thinks", () => {
  it("what arrives forms the next turn, in order, and nobody else waits", async () => {
    const thinking = gate<string>("");
    const { channel, ada, asked, settled, sent } = await startAsking((turn) =>
      turn.messages[0]?.text === "one" ? thinking.promise : `got ${turn.messages.map(({ text }) => text)}`,
    );
    const ben = channel.meta.person({ name: "Ben", phoneNumber: "447700900456" });
    ada.says("one");
    await until(() => asked.length === 1, "the first turn");

    for (const text of ["two", "three", "four"]) ada.says(text);
    ben.says("hello");
    await channel.meta.waitFor(() => sent().includes("got hello"));
    await until(
      async () => (await channel.rows("select 1 from messages where role = 'user'")).length === 5,
      "all messages to be stored",
    );
    expect(asked).toHaveLength(2);
    thinking.open("got one");
    await settled();

    expect(asked.map(({ texts }) => texts)).toEqual([["one"], ["hello"], ["two", "three", "four"]]);
    expect(sent()).toEqual(["got hello", "got one", "got two,three,four"]);
  });

  it("about many people at once, Node has nothing to warn of", async () => {
    const warnings: string[] = [];
    const warn = ({ name }: Error) => void warnings.push(name);
    process.on("warning", warn);
    onTestFinished(() => void process.off("warning", warn));
    const thinking = gate("");
    const { channel, asked, settled, sent } = await startAsking(() => thinking.promise);

    for (let n = 0; n < 15; n += 1) channel.meta.person({ name: `Person ${n}` }).says("hello");
    await channel.until(() => asked.length === 15, "everybody's turn");
    thinking.open("the answer");
    await settled();

    expect(sent()).toHaveLength(15);
    expect(warnings).toEqual([]);
  });

  it("no transaction stays open", async () => {
    const thinking = gate<string>("");
    const { channel, ada, asked, settled } = await startAsking(() => thinking.promise);
    ada.says("one");
    await until(() => asked.length === 1, "the turn");

    await transactionsEnd(channel.rows);

    thinking.open("done");
    await settled();
  });
});

describe("what the host returns", () => {
  async function* stream() {
    yield "a ";
    yield "b ";
    yield "c";
  }
  it("may be text, an AI response, a promise, a stream, or nothing in any form", async () => {
    const answers: Record<string, () => Reply | Promise<Reply>> = {
      text: () => "text it is",
      "an AI response": () => ({ text: "AI it is" }),
      "a promise": () => Promise.resolve("promised"),
      "a stream": () => stream(),
      null: () => null,
      undefined: () => undefined,
      "empty text": () => "",
      "an empty AI response": () => ({}),
    };
    const { channel, settled, sent } = await startAsking((turn) => answers[turn.messages[0]?.text ?? ""]?.());

    for (const [n, kind] of Object.keys(answers).entries())
      channel.meta.person({ name: kind, phoneNumber: String(447700900200 + n) }).says(kind);
    await settled();

    expect(sent().sort()).toEqual(["AI it is", "a b c", "promised", "text it is"]);
    expect(await channel.rows("select state, attempts, count(*)::int as n from whatsapp_turns group by 1, 2")).toEqual([
      { state: 1, attempts: 1, n: 8 },
    ]);
  });

  it("may be 204 of a chat API over HTTP, which is silence", async () => {
    const chat = createServer((_request, response) => response.writeHead(204).end()).listen(0, "127.0.0.1");
    await once(chat, "listening");
    onTestFinished(() => void chat.close());
    const reply = createChatApi({ url: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/` });
    const { channel, ada, settled, sent } = await startAsking(reply);

    ada.says("hello?");
    await settled();

    expect(sent()).toEqual([]);
    expect(await channel.rows("select state, attempts from whatsapp_turns")).toEqual([{ state: 1, attempts: 1 }]);
  });

  it("may be a stream that breaks: nothing of it is sent, and the turn is tried again", async () => {
    async function* broken() {
      yield "half an ans";
      throw new Error("the model went away");
    }
    const { ada, asked, settled, sent } = await startAsking((_turn, nth) => (nth === 1 ? broken() : "whole"));

    ada.says("hello?");
    await settled();

    expect(sent()).toEqual(["whole"]);
    expect(asked.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

describe("a turn that fails", () => {
  it("is tried again before anything later is, with the same id and the same messages", async () => {
    const arrived = gate();
    const { channel, ada, asked, settled, sent } = await startAsking(
      async (turn, nth) => {
        if (nth === 1) await arrived.promise;
        if (turn.attempt <= 2 && turn.messages[0]?.text === "one") throw new Error("not now");
        return `got ${turn.messages.map(({ text }) => text)}`;
      },
      { plugin: { retry: { maxAttempts: 5, baseMs: 150, maxMs: 150 } } },
    );
    ada.says("one");
    await until(() => asked.length === 1, "the first turn");

    ada.says("two");
    await until(async () => (await channel.rows("select 1 from whatsapp_turns")).length === 2, "the second message");
    arrived.open();
    await settled();

    expect(asked.map(({ texts, attempt }) => [...texts, attempt])).toEqual([
      ["one", 1],
      ["one", 2],
      ["one", 3],
      ["two", 1],
    ]);
    expect(new Set(asked.slice(0, 3).map(({ turnId }) => turnId)).size).toBe(1);
    expect(sent()).toEqual(["got one", "got two"]);
  });

  it("does not take in messages that come while it backs off", async () => {
    const { channel, ada, asked, settled } = await startAsking(
      (turn) => {
        if (turn.attempt === 1 && turn.messages[0]?.text === "one") throw new Error("not now");
        return null;
      },
      { plugin: { retry: { maxAttempts: 5, baseMs: 400, maxMs: 400 } } },
    );
    ada.says("one");
    await until(
      async () => (await channel.rows("select 1 from whatsapp_lanes where stage = 'turn' and attempts = 1"))[0],
      "the failure",
    );

    ada.says("two");
    await settled();

    expect(asked.map(({ texts }) => texts)).toEqual([["one"], ["one"], ["two"]]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])(
    "for good, because the host %s, is set aside after its attempts, and the conversation goes on",
    async (_name, bad) => {
      const { channel, ada, asked, settled, sent } = await startAsking((turn) =>
        turn.messages.some(({ text }) => text === "bad") ? bad() : "fine",
      );

      ada.says("bad");
      await until(
        async () => (await channel.rows("select 1 from whatsapp_turns where state = 2"))[0],
        "the dead letter",
      );
      ada.says("good");
      await settled();

      expect(asked.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
      expect(sent()).toEqual(["fine"]);
      expect(await channel.rows("select state, attempts, last_error from whatsapp_turns order by seq")).toEqual([
        { state: 2, attempts: 3, last_error: expect.stringMatching(/Error$/) },
        { state: 1, attempts: 1, last_error: null },
      ]);
      expect((await channel.plugin.metrics()).database.deadLetters).toEqual({ in: 0, turn: 1, notify: 0 });
      const [aside] = await channel.rows<{ id: string }>("select id from whatsapp_turns where state = 2");
      expect(channel.logs.filter(({ level }) => level === "warn" || level === "error")).toMatchObject([
        {
          level: "warn",
          fields: { turnId: aside?.id, attempt: 1 },
          message: expect.stringMatching(/trying again later$/),
        },
        {
          level: "warn",
          fields: { turnId: aside?.id, attempt: 2 },
          message: expect.stringMatching(/trying again later$/),
        },
        {
          level: "error",
          fields: { turnId: aside?.id, attempt: 3 },
          message: expect.stringMatching(/^turn moved to the dead letters/),
        },
      ]);
    },
  );

  it.each<[string, unknown]>([
    ["of another shape", { answer: "hi" }],
    ["with a member of another kind", { text: 5 }],
    ["that is a number", 42],
  ])("because the answer is one %s is set aside at once, says why, and can be put back", async (_name, bad) => {
    let answer = bad as Reply;
    const { channel, ada, asked, settled, sent } = await startAsking(() => answer);

    ada.says("hello?");
    await settled();

    expect(asked.map(({ attempt }) => attempt)).toEqual([1]);
    expect(await channel.rows("select state, last_error from whatsapp_turns")).toEqual([
      {
        state: 2,
        last_error: expect.stringMatching(/^ChannelError MESSAGE_INVALID: The answer of reply: .* null is silence\.$/),
      },
    ]);
    answer = "Here I am";
    await channel.plugin.deadLetters.redrive();
    await settled();
    expect(sent()).toEqual(["Here I am"]);
  });

  it("because its process dies each time is set aside too, without asking the host again", async () => {
    const { channel, ada, asked, settled } = await startAsking(() => null, { start: false });
    ada.says("deadly");
    await channel.meta.idle();
    // What a process leaves behind that dies in every attempt: a sealed turn that was tried as often as may be.
    await channel.plugin.start();
    await until(async () => (await channel.rows("select 1 from whatsapp_turns where state = 1"))[0], "the turn");
    await quiet(channel);
    await channel.rows("update whatsapp_turns set state = 0, attempts = 3, finished_at = null");
    await channel.rows("update whatsapp_lanes set pending = 1, ready_at = now() where stage = 'turn'");
    await settled();

    expect(asked).toHaveLength(1);
    expect(await channel.rows("select state, last_error from whatsapp_turns")).toEqual([
      { state: 2, last_error: "ProcessEnded" },
    ]);
  });

  it("because the host never comes back is aborted, tried again, and what comes too late is not sent", async () => {
    const late = gate<string>("too late");
    const signals: AbortSignal[] = [];
    const { ada, asked, settled, sent } = await startAsking(
      (turn, nth) => {
        signals.push(turn.signal);
        return nth === 1 ? late.promise : "in time";
      },
      { plugin: { replyTimeoutMs: 100, retry: { baseMs: 10, maxMs: 20 } } },
    );

    ada.says("one");
    await settled();
    late.open("too late");
    await settled();

    expect(asked.map(({ attempt, texts }) => [attempt, texts])).toEqual([
      [1, ["one"]],
      [2, ["one"]],
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(sent()).toEqual(["in time"]);
  });

  it("because the database was away, the host is asked again and answered once", async () => {
    const { channel, ada, asked, settled, sent } = await startAsking(() => "hello");
    await refuseOutbox(channel, "53100");

    ada.says("hello?");
    await until(() => asked.length >= 2, "a second try");
    await channel.rows("drop trigger refuse on whatsapp_outbox");
    await settled();

    expect(sent()).toEqual(["hello"]);
    expect(await channel.rows("select state from whatsapp_turns")).toEqual([{ state: 1 }]);
  });

  it.each([
    ["is full", "53100"],
    ["has something locked", "55P03"],
  ])(
    "for as long as the database %s is nobody's failure: it is tried less and less often, and never set aside",
    async (_why, code) => {
      const { channel, ada, asked, settled, sent } = await startAsking(() => "hello", {
        plugin: { retry: { maxAttempts: 2, baseMs: 20, maxMs: 40 } },
      });
      await refuseOutbox(channel, code);

      ada.says("hello?");
      await until(() => asked.length >= 5, "more tries than would be counted");
      const [lane] = await channel.rows<{ attempts: number }>(
        "select attempts from whatsapp_lanes where stage = 'turn'",
      );
      await channel.rows("drop trigger refuse on whatsapp_outbox");
      await settled();

      expect(lane?.attempts).toBeGreaterThanOrEqual(4);
      expect(sent()).toEqual(["hello"]);
      expect(await channel.rows("select state, attempts, last_error from whatsapp_turns")).toEqual([
        { state: 1, attempts: 1, last_error: null },
      ]);
      expect(await channel.rows("select attempts from whatsapp_lanes where stage = 'turn'")).toEqual([{ attempts: 0 }]);
    },
  );
});

async function refuseOutbox({ rows }: TestChannel, code: string): Promise<void> {
  await rows(`create function refuse() returns trigger language plpgsql as $$
    begin raise 'no' using errcode = '${code}'; end $$`);
  await rows("create trigger refuse before insert on whatsapp_outbox for each row execute function refuse()");
}

describe("a turn whose processes ended", () => {
  it("is asked all the same as long as it is not known to be what ends them", async () => {
    const { channel, ada, asked, settled, sent } = await startAsking(() => "here you are", {
      plugin: { retry: { maxAttempts: 2, baseMs: 10, maxMs: 10 } },
    });
    await channel.rows(
      `create function tried() returns trigger language plpgsql as $$ begin
         if tg_table_name = 'whatsapp_turns' then new.attempts := 3; else new.crashes := 3; end if; return new; end $$`,
    );
    for (const [table, when] of [
      ["whatsapp_turns", "true"],
      ["whatsapp_lanes", "new.stage = 'turn'"],
    ])
      await channel.rows(
        `create trigger tried before insert on ${table} for each row when (${when}) execute function tried()`,
      );

    ada.says("hello");
    await settled();

    expect(asked).toHaveLength(1);
    expect(sent()).toEqual(["here you are"]);
  });
});

describe("a turn that waits when the host deletes its conversation", () => {
  it("is answered in the conversation of what is written next", async () => {
    const { store, rows } = await startEngine();
    await rows(
      "alter table messages add constraint of foreign key (conversation_id) references conversations (id) on delete cascade",
    );
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    await rows("delete from conversations");
    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await applyAll(store);

    const [turn] = await store.turns.seal(await claimed(store, "turn"));
    if (turn == null) throw new Error("a turn waits");
    const send = planSend({ what: { response: "hi" }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
    expect(await store.turns.finish([{ turn, send }])).toEqual([true]);
    expect(
      await rows(
        "select role, content from messages join conversations v on v.id = conversation_id order by role desc",
      ),
    ).toEqual([
      { role: "user", content: "wamid.2" },
      { role: "assistant", content: "hi" },
    ]);
  });
});

describe("what is sealed while people go on writing", () => {
  it("is locked in the order of the lanes, as their messages lock it, so that neither waits for the other for ever", async () => {
    const { database, store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN }))]);
    await applyAll(store);
    const lanes = [...(await claimed(store, "turn"))].sort((a, b) => (a.laneKey < b.laneKey ? 1 : -1));
    const [last, first] = lanes;
    const writing = await hold(database);
    const lock = "select 1 from whatsapp_turns where lane_key = $1 for update nowait";
    await writing.query(lock, [first?.laneKey]);

    const sealing = store.turns.seal(lanes);
    await waiters(rows);
    await writing.query(lock, [last?.laneKey]);
    await writing.commit();

    expect(await sealing).toEqual(lanes.map((lane) => expect.objectContaining({ lane })));
  });
});
