/** Meta brings things in no order and at the same time: what somebody takes back may come before what they wrote. */
import type { ChannelEvent, HistoryEvent, Person } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER, TENANT } from "../../support/channel.ts";
import { ADA, applyAll, claimed, delivery, type Engine, eventsOf, message, startEngine } from "./support.ts";

const DELETED = "[This message was deleted]";

const who = (over: Partial<Person> = {}): Person => ({
  phoneNumber: ADA,
  userId: null,
  parentUserId: null,
  username: null,
  name: "Ada",
  ...over,
});

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

let serial = 0;
const base = (occurredAt: Date) => ({
  dedupeKey: `test/${++serial}`,
  wabaId: NUMBER.wabaId,
  phoneNumberId: NUMBER.phoneNumberId,
  occurredAt,
  raw: {},
});

const revoke = (targetId: string, at = ago(0), from = who()): ChannelEvent => ({
  ...base(at),
  kind: "revoke",
  messageId: `wamid.revoke.${serial}`,
  from,
  targetId,
});

const edit = (targetId: string, text: string, at = ago(0)): ChannelEvent => ({
  ...base(at),
  kind: "edit",
  messageId: `wamid.edit.${serial}`,
  from: who(),
  targetId,
  type: "text",
  text,
  content: null,
});

async function comes(engine: Engine, ...events: ChannelEvent[]): Promise<void> {
  await engine.store.inbox.record([eventsOf(events)]);
  await applyAll(engine.store);
}

async function isWritten(engine: Engine, ...said: Parameters<typeof message>): Promise<void> {
  await engine.store.inbox.record([delivery(message(...said))]);
  await applyAll(engine.store);
}

const shown = async ({ rows }: Engine) =>
  (await rows<{ content: string }>("select content from messages order by created_at")).map(({ content }) => content);

const waiting = async ({ rows }: Engine) =>
  (await rows<{ messages: { text: string }[] }>("select messages from whatsapp_turns where state = 0")).map(
    ({ messages }) => messages.map(({ text }) => text),
  );

const parked = ({ rows }: Engine) => rows("select kind from whatsapp_events where state = 3");

const heard = async ({ rows }: Engine) =>
  (
    await rows<{ event: { kind: string; event: { text?: string } } }>(
      "select event from whatsapp_host_events order by id",
    )
  ).map(({ event: { kind, event } }) => (event.text === undefined ? kind : `${kind}: ${event.text}`));

/** Everything that the host is still to hear, in one string. */
const wordsOf = async ({ rows }: Engine) => JSON.stringify(await rows("select event from whatsapp_host_events"));

const listening = () => startEngine({ hasListener: true });

const history = (...messages: { id: string; text: string | null; takesBack?: string }[]): HistoryEvent => ({
  ...base(ago(0)),
  kind: "history",
  person: who(),
  messages: messages.map(({ id, text, takesBack }) => ({
    messageId: id,
    direction: "inbound",
    type: "text",
    text,
    content: null,
    occurredAt: ago(900),
    status: null,
    ...(takesBack !== undefined && { change: { kind: "revoke", targetId: takesBack } }),
  })),
  progress: null,
  errors: [],
  raw: { messages },
});

describe("a deletion that comes before its message", () => {
  it("waits for it: what was taken back is never shown, and nobody is asked", async () => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.0", text: "hi" });

    await comes(engine, revoke("wamid.1"));
    expect(await parked(engine)).toEqual([{ kind: "revoke" }]);
    await isWritten(engine, { id: "wamid.1", text: "my secret", at: ago(5) });

    expect(await shown(engine)).toEqual(["hi", DELETED]);
    expect(await waiting(engine)).toEqual([["hi"]]);
    expect(await parked(engine)).toEqual([]);
    expect(await engine.rows("select 1 from whatsapp_webhooks where not processed or pending <> 0")).toEqual([]);
  });

  it("is that of a person who has never written before", async () => {
    const engine = await startEngine();

    await comes(engine, revoke("wamid.1"));
    await isWritten(engine, { id: "wamid.1", text: "my secret" });

    expect(await shown(engine)).toEqual([DELETED]);
  });

  it("is theirs under whatever name it came", async () => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.0", text: "hi" });

    await comes(engine, revoke("wamid.1", ago(0), who({ phoneNumber: null, userId: "GB.ada" })));
    await isWritten(engine, { id: "wamid.1", text: "my secret", userId: "GB.ada" });

    expect(await shown(engine)).toEqual(["hi", DELETED]);
  });

  it("never touches what somebody else has written", async () => {
    const engine = await startEngine();

    await comes(engine, revoke("wamid.1", ago(0), who({ phoneNumber: "447700900777" })));
    await isWritten(engine, { id: "wamid.1", text: "hi" });

    expect(await shown(engine)).toEqual(["hi"]);
  });

  it("waits for as long as Meta may bring the message, and then no longer", async () => {
    const engine = await startEngine();
    await comes(engine, revoke("wamid.1"), revoke("wamid.2"));
    const old = (days: number, wamid: string) =>
      engine.rows("update whatsapp_events set created_at = now() - make_interval(days => ?) where external_id = ?", [
        days,
        wamid,
      ]);
    await old(7, "wamid.1");
    await old(9, "wamid.2");

    await engine.store.inbox.unpark();

    expect(await engine.rows("select external_id, state from whatsapp_events order by id")).toEqual([
      { external_id: "wamid.1", state: 3 },
      { external_id: "wamid.2", state: 1 },
    ]);
  });
});

describe("a deletion whose message is here, and waits to be worked", () => {
  /** A message, and its deletion that has waited for longer than Meta brings messages again. */
  async function waitsFor(engine: Engine, state: "dead" | "behind"): Promise<void> {
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", text: "my secret" }))]);
    const [lane] = await claimed(engine.store);
    const [event] = lane === undefined ? [] : await engine.store.inbox.load([lane], 1);
    if (lane === undefined || event === undefined) throw new Error("no message waits");
    await engine.store.inbox.bury(lane, event.eventId, "error P0001");
    await comes(engine, revoke("wamid.1"));
    if (state === "behind")
      await engine.store.deadLetters.redrive({ customerConfigId: TENANT }, { ids: null, limit: 10 });
    await engine.rows("update whatsapp_events set created_at = now() - interval '9 days'");
  }

  it.each(["dead", "behind"] as const)("waits for it, however long, where that is %s", async (state) => {
    const engine = await startEngine();
    await waitsFor(engine, state);

    await engine.store.inbox.unpark();
    expect(await parked(engine)).toEqual([{ kind: "revoke" }]);
    if (state === "dead")
      await engine.store.deadLetters.redrive({ customerConfigId: TENANT }, { ids: null, limit: 10 });
    await applyAll(engine.store);

    expect(await shown(engine)).toEqual([DELETED]);
    expect(await parked(engine)).toEqual([]);
  });

  it("ends with it", async () => {
    const engine = await startEngine();
    await waitsFor(engine, "dead");
    await engine.rows("delete from whatsapp_events where kind = 'message'");

    await engine.store.inbox.unpark();

    expect(await parked(engine)).toEqual([]);
  });
});

describe("what the host hears of a message that was deleted before it came", () => {
  it("is its deletion, and not what was said", async () => {
    const engine = await listening();

    await comes(engine, revoke("wamid.1"));
    await isWritten(engine, { id: "wamid.1", text: "my secret", at: ago(5) });
    await isWritten(engine, { id: "wamid.2", text: "hi" });

    expect(await heard(engine)).toEqual(["revoke", "message: hi"]);
    expect(await wordsOf(engine)).not.toContain("my secret");
  });

  it.each(["before", "after"])("is the same where both are applied at once, and it was stored %s", async (when) => {
    const engine = await listening();
    const said = () => engine.store.inbox.record([delivery(message({ id: "wamid.1", text: "my secret" }))]);
    const takenBack = () => engine.store.inbox.record([eventsOf([revoke("wamid.1")])]);

    for (const comesNext of when === "before" ? [takenBack, said] : [said, takenBack]) await comesNext();
    await applyAll(engine.store);

    expect(await shown(engine)).toEqual([DELETED]);
    expect(await heard(engine)).toEqual(["revoke"]);
  });

  it("is nothing of somebody else's", async () => {
    const engine = await listening();

    await comes(engine, revoke("wamid.1", ago(0), who({ phoneNumber: "447700900777" })));
    await isWritten(engine, { id: "wamid.1", text: "hi" });

    expect(await heard(engine)).toEqual(["revoke", "message: hi"]);
  });

  it("brings no words back that come so late that Meta's dedupe key is gone", async () => {
    const engine = await listening();
    const late = { id: "wamid.1", text: "my secret", at: ago(2 * 86_400) };
    await isWritten(engine, late);
    await comes(engine, revoke("wamid.1"));
    await engine.rows("delete from whatsapp_host_events");

    await engine.rows("update whatsapp_events set dedupe_key = 'gone' where kind = 'message'");
    await isWritten(engine, late);

    expect(await shown(engine)).toEqual([DELETED]);
    expect(await heard(engine)).toEqual([]);
  });

  it("is told in history without it", async () => {
    const engine = await listening();

    await comes(engine, revoke("wamid.1"));
    await comes(
      engine,
      history(
        { id: "wamid.1", text: "my secret" },
        { id: "wamid.2", text: "hi" },
        { id: "wamid.3", text: "my other secret" },
        { id: "wamid.4", text: null, takesBack: "wamid.3" },
      ),
    );

    expect((await shown(engine)).toSorted()).toEqual([DELETED, DELETED, "hi"].toSorted());
    expect(await heard(engine)).toEqual(["revoke", "history"]);
    expect(await wordsOf(engine)).toContain("hi");
    expect(await wordsOf(engine)).not.toContain("secret");
  });

  it("is no edit of it either", async () => {
    const engine = await listening();
    await comes(engine, revoke("wamid.1", ago(1)));
    await comes(engine, edit("wamid.1", "my secret!", ago(3)));
    await isWritten(engine, { id: "wamid.1", text: "my secret", at: ago(5) });

    await comes(engine, edit("wamid.1", "my secret!!", ago(0)));

    expect(await heard(engine)).toEqual(["revoke"]);
    expect(await wordsOf(engine)).not.toContain("my secret");
  });
});

describe("what the host hears of an edit", () => {
  it("that came before its message: the message, with the words that stand", async () => {
    const engine = await listening();

    await comes(engine, edit("wamid.1", "at five", ago(1)), edit("wamid.1", "at four", ago(3)));
    await isWritten(engine, { id: "wamid.1", text: "at for", at: ago(5) });

    expect((await heard(engine)).at(-1)).toBe("message: at five");
  });

  it("that a newer one has overtaken: nothing", async () => {
    const engine = await listening();
    await isWritten(engine, { id: "wamid.1", text: "at for" });

    await comes(engine, edit("wamid.1", "at five", ago(1)));
    await comes(engine, edit("wamid.1", "at four", ago(3)));

    expect(await heard(engine)).toEqual(["message: at for", "edit: at five"]);
  });
});

describe("an edit", () => {
  it("that comes before its message is what is shown and asked", async () => {
    const engine = await startEngine();

    await comes(engine, edit("wamid.1", "at five", ago(1)), edit("wamid.1", "at four", ago(3)));
    await isWritten(engine, { id: "wamid.1", text: "at for", at: ago(5) });

    expect(await shown(engine)).toEqual(["at five"]);
    expect(await waiting(engine)).toEqual([["at five"]]);
  });

  it("brings no words back that have been deleted since", async () => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.1", text: "my secert" });

    await comes(engine, revoke("wamid.1", ago(1)));
    await comes(engine, edit("wamid.1", "my secret", ago(3)), edit("wamid.1", "my secret!", ago(0)));

    expect(await shown(engine)).toEqual([DELETED]);
  });

  it.each([
    ["one delivery", true],
    ["two", false],
  ])("changes nothing after a newer one, in %s", async (_what, together) => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.1", text: "at for" });
    const edits = [edit("wamid.1", "at five", ago(1)), edit("wamid.1", "at four", ago(3))];

    if (together) await comes(engine, ...edits);
    else for (const one of edits) await comes(engine, one);

    expect(await shown(engine)).toEqual(["at five"]);
    expect(await waiting(engine)).toEqual([["at five"]]);
  });

  it("of the same second counts as it comes", async () => {
    const engine = await startEngine();
    const at = ago(1);
    await isWritten(engine, { id: "wamid.1", text: "at for" });

    await comes(engine, edit("wamid.1", "at four", at), edit("wamid.1", "at five", at));

    expect(await shown(engine)).toEqual(["at five"]);
  });
});

describe("a reaction", () => {
  const react = (emoji: string | null, at: Date): ChannelEvent => ({
    ...base(at),
    kind: "reaction",
    messageId: `wamid.reaction.${serial}`,
    from: who(),
    targetId: "wamid.1",
    emoji,
  });
  const reaction = async ({ rows }: Engine) =>
    (await rows<{ reaction: string | null }>("select channel_metadata ->> 'reaction' as reaction from messages"))[0]
      ?.reaction;
  const now = ago(0);

  it.each([
    ["taken back stays so after an older one", react(null, ago(1)), react("👍", ago(5)), null],
    ["stands after an older one", react("❤️", ago(1)), react("👍", ago(5)), "❤️"],
    ["gives way to a newer one", react("👍", ago(5)), react("❤️", ago(1)), "❤️"],
    ["of the same second counts as it comes", react("👍", now), react("❤️", now), "❤️"],
  ])("%s", async (_what, first, second, stands) => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.1" });

    await comes(engine, first);
    await comes(engine, second);

    expect(await reaction(engine)).toBe(stands);
  });

  it("stands after an older one of one delivery, and changes no words", async () => {
    const engine = await startEngine();
    await isWritten(engine, { id: "wamid.1", text: "at for" });

    await comes(engine, react("❤️", ago(0)), react("👍", ago(5)), edit("wamid.1", "at four", ago(3)));

    expect(await reaction(engine)).toBe("❤️");
    expect(await shown(engine)).toEqual(["at four"]);
  });
});

describe("what is changed while another app has the conversation, or was changed before ours had it", () => {
  const change = (field: string, value: object) => ({
    field,
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
      ...value,
    },
  });
  const seconds = (at: Date) => String(Math.floor(at.getTime() / 1000));
  const one = (id: string, said: object, at = ago(0)) => ({ from: ADA, id, timestamp: seconds(at), ...said });
  const text = (body: string) => ({ type: "text", text: { body } });
  const takenBack = (id: string) => ({ type: "revoke", revoke: { original_message_id: id } });
  const anew = (id: string, body: string) => ({
    type: "edit",
    edit: { original_message_id: id, message: text(body) },
  });
  const reaction = (id: string) => ({ type: "reaction", reaction: { message_id: id, emoji: "👍" } });

  it("changes its row, and a STOP is one", async () => {
    const engine = await startEngine();

    await engine.store.inbox.record([
      delivery(
        change("standby", {
          standby: {
            messages: [
              one("wamid.s1", text("my card is 1234"), ago(9)),
              one("wamid.s2", takenBack("wamid.s1"), ago(8)),
              one("wamid.s3", text("hlelo"), ago(7)),
              one("wamid.s4", anew("wamid.s3", "hello"), ago(6)),
              one("wamid.s5", reaction("wamid.s3"), ago(5)),
              one("wamid.s6", text("STOP"), ago(4)),
            ],
          },
        }),
      ),
    ]);
    await applyAll(engine.store);

    expect(await shown(engine)).toEqual([DELETED, "hello", "STOP"]);
    expect(await engine.rows("select value from whatsapp_preferences")).toEqual([{ value: "stop" }]);
    expect(await waiting(engine)).toEqual([]);
  });

  it("changes its row in history as well", async () => {
    const engine = await startEngine();
    const messages = [
      one("wamid.h1", text("my secret"), ago(900)),
      one("wamid.h2", takenBack("wamid.h1"), ago(800)),
      one("wamid.h3", text("at for"), ago(700)),
      one("wamid.h4", anew("wamid.h3", "at four"), ago(600)),
      one("wamid.h5", reaction("wamid.h3"), ago(500)),
      one("wamid.h6", takenBack("wamid.of.another.chunk"), ago(400)),
    ];

    await engine.store.inbox.record([
      delivery(
        change("history", {
          history: [{ metadata: { phase: 0, chunk_order: 1, progress: 50 }, threads: [{ id: ADA, messages }] }],
        }),
      ),
    ]);
    await applyAll(engine.store);

    expect(await shown(engine)).toEqual([DELETED, "at four"]);
    expect(await parked(engine)).toEqual([]);
  });
});
