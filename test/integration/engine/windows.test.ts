/** Windows from WhatsApp's own time, late messages, and a host that deletes a conversation under us. */
import { describe, expect, it } from "vitest";
import { allQuiet, NUMBER, until } from "../../support/channel.ts";
import { ADA, applyAll, channelFor, delivery, type Engine, gate, message, startEngine } from "./support.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const ago = (ms: number) => new Date(Date.now() - ms);

/** Staff has written to Ada from the phone. */
function echo(id: string): object {
  const { displayPhoneNumber, phoneNumberId } = NUMBER;
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    field: "smb_message_echoes",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: displayPhoneNumber, phone_number_id: phoneNumberId },
      message_echoes: [{ from: displayPhoneNumber, to: ADA, id, timestamp, type: "text", text: { body: "hi" } }],
    },
  };
}

async function windowAfter(engine: Engine, ...sentAgo: readonly number[]) {
  for (const [n, ms] of sentAgo.entries())
    await engine.store.inbox.record([delivery(message({ id: `wamid.${n}`, at: ago(ms) }))]);
  await applyAll(engine.store);
  const [conversation] = await engine.rows<{ id: string }>("select id from conversations");
  const status = await engine.store.sessions.status(conversation?.id ?? "");
  return { ...status, seconds: status?.secondsRemaining ?? -1 };
}

describe("the service window", () => {
  it("is open for 24 hours from the person's message", async () => {
    const { state, seconds, canSend, templateRequired } = await windowAfter(await startEngine(), 0);

    expect({ state, canSend, templateRequired }).toEqual({ state: "open", canSend: true, templateRequired: false });
    expect(seconds).toBeGreaterThan(24 * 3600 - 30);
    expect(seconds).toBeLessThanOrEqual(24 * 3600);
  });

  it("counts from WhatsApp's time, not from when we heard of it", async () => {
    const { state, seconds } = await windowAfter(await startEngine(), 23 * HOUR);

    expect(state).toBe("open");
    expect(seconds).toBeGreaterThan(3600 - 30);
    expect(seconds).toBeLessThanOrEqual(3600);
  });

  it("is not made longer by a time in the future", async () => {
    const { seconds } = await windowAfter(await startEngine(), -48 * HOUR);

    expect(seconds).toBeLessThanOrEqual(24 * 3600);
  });

  it("is closed at exactly 24 hours, and the message is late", async () => {
    const engine = await startEngine();
    const { state, canSend, templateRequired } = await windowAfter(engine, 24 * HOUR);

    expect({ state, canSend, templateRequired }).toEqual({ state: "closed", canSend: false, templateRequired: true });
    expect(await engine.rows("select channel_metadata ->> 'late' as late from messages")).toEqual([{ late: "true" }]);
  });

  it("is open a little before 24 hours, and the message is not late", async () => {
    const engine = await startEngine();

    expect((await windowAfter(engine, 24 * HOUR - 20 * SECOND)).state).toBe("open");
    expect(await engine.rows("select channel_metadata ->> 'late' as late from messages")).toEqual([{ late: null }]);
  });

  it("is not made shorter by an older message that comes later", async () => {
    const { seconds } = await windowAfter(await startEngine(), 1 * HOUR, 5 * HOUR, 30 * HOUR);

    expect(seconds).toBeGreaterThan(23 * 3600 - 30);
  });

  it("is not made shorter by an older message in the same batch, whatever its place", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([
      delivery(
        message({ id: "wamid.1", at: ago(6 * HOUR) }),
        message({ id: "wamid.2", at: ago(1 * HOUR) }),
        message({ id: "wamid.3", at: ago(9 * HOUR) }),
      ),
    ]);

    expect((await windowAfter(engine)).seconds).toBeGreaterThan(23 * 3600 - 30);
  });

  it("is opened by no status and by nothing we send", async () => {
    const channel = await channelFor({ reply: () => "hello" });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("hello?", { at: ago(2 * HOUR) });
    await allQuiet(channel);
    const [conversation] = await channel.rows<{ id: string }>("select id from conversations");

    const { secondsRemaining } = await channel.plugin.sessionStatus(conversation?.id ?? "");

    expect(channel.meta.accepted).toHaveLength(1);
    expect(secondsRemaining).toBeLessThanOrEqual(22 * 3600);
  });
});

describe("a late message", () => {
  it("is stored, marked, told to the host's listener, and not answered", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    ada.says("two days old", { at: ago(48 * HOUR) });
    await allQuiet(channel);

    expect(await channel.rows("select content, channel_metadata ->> 'late' as late from messages")).toEqual([
      { content: "two days old", late: "true" },
    ]);
    expect(channel.events).toMatchObject([{ kind: "message", late: true, event: { text: "two days old" } }]);
    expect(await channel.rows("select 1 from whatsapp_turns")).toEqual([]);
    expect(channel.meta.accepted).toEqual([]);
  });

  it("does not keep a fresh one of the same batch from being answered", async () => {
    const channel = await channelFor({ config: { coalesceMs: 100 } });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    channel.meta.batch([
      { from: ada, text: "old", at: ago(48 * HOUR) },
      { from: ada, text: "new" },
    ]);
    await allQuiet(channel);

    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["You said: new"]);
  });
});

describe("a host that deletes a conversation", () => {
  it("gets a new one with the person's next message, which is answered in it", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("one");
    await allQuiet(channel);
    const [first] = await channel.rows<{ id: string }>("select id from conversations");

    await channel.rows("delete from messages");
    await channel.rows("delete from conversations");
    ada.says("two");
    await allQuiet(channel);

    const [second] = await channel.rows<{ id: string }>("select id from conversations");
    expect(second?.id).not.toBe(first?.id);
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["You said: one", "You said: two"]);
    expect(await channel.rows("select distinct conversation_id from messages")).toEqual([
      { conversation_id: second?.id },
    ]);
    expect(await channel.plugin.sessionStatus(second?.id ?? "")).toMatchObject({ state: "open" });
  });

  it("leaves the window open, also where what comes next opens none", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    await rows("delete from messages");
    await rows("delete from conversations");

    await store.inbox.record([delivery(echo("wamid.echo"))]);
    await applyAll(store);

    const [next] = await rows<{ id: string }>("select id from conversations");
    expect(await store.sessions.status(next?.id ?? "")).toMatchObject({ state: "open" });
    expect(await rows("select conversation_id as id from whatsapp_sessions")).toEqual([{ id: next?.id }]);
  });

  it("while its turn waits loses that turn at most: the next message is answered", async () => {
    const thinking = gate<string>("");
    const channel = await channelFor({
      reply: (turn) => (turn.messages[0]?.text === "one" ? thinking.promise : "answer to two"),
    });
    await channel.rows(`alter table messages add constraint fk foreign key (conversation_id)
      references conversations (id) on delete cascade`);
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("one");
    await until(
      async () => (await channel.rows("select 1 from whatsapp_turns where sealed_at is not null"))[0],
      "the turn",
    );

    await channel.rows("delete from conversations");
    thinking.open("answer to nobody");
    ada.says("two");
    await channel.meta.waitFor(() => channel.meta.accepted.length > 0, 8_000);
    await allQuiet(channel);

    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["answer to two"]);
    expect(await channel.rows("select state from whatsapp_turns order by seq")).toEqual([{ state: 2 }, { state: 1 }]);
  });
});
