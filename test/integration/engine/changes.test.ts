/** What is neither a message nor a status: staff who answer, people who change their mind, their number or their wishes. */
import type { ChannelEvent, Person } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER, quiet, TENANT } from "../../support/channel.ts";
import {
  ADA,
  applyAll,
  applyOnce,
  BEN,
  channelFor,
  claimed,
  delivery,
  type Engine,
  eventsOf,
  gate,
  hold,
  message,
  startEngine,
  waiters,
} from "./support.ts";

const who = (over: Partial<Person> = {}): Person => ({
  phoneNumber: ADA,
  userId: null,
  parentUserId: null,
  username: null,
  name: "Ada",
  ...over,
});

let serial = 0;
const base = () => ({
  dedupeKey: `test/${++serial}`,
  wabaId: NUMBER.wabaId,
  phoneNumberId: NUMBER.phoneNumberId,
  occurredAt: new Date(),
  raw: {},
});

const echo = (text = "on my way"): ChannelEvent => ({
  ...base(),
  kind: "echo",
  source: "business-app",
  messageId: `wamid.echo.${serial}`,
  to: who(),
  type: "text",
  text,
  content: null,
});

const store = (engine: Engine, ...events: ChannelEvent[]) => engine.store.inbox.record([eventsOf(events)]);
const inbox = (engine: Engine) =>
  engine.rows<{ role: string; content: string; metadata: Record<string, unknown> }>(
    "select role, content, channel_metadata as metadata from messages order by created_at",
  );
const phoneAliases = ({ rows }: Engine) =>
  rows("select alias from whatsapp_contact_aliases where alias like 'phone:%' order by alias");
const waiting = async (engine: Engine) =>
  (
    await engine.rows<{ messages: { text: string }[] }>(
      "select messages from whatsapp_turns where state = 0 order by seq",
    )
  ).map(({ messages }) => messages.map(({ text }) => text));

describe("staff who answer in the WhatsApp Business app", () => {
  it("are shown, and silence the AI for the conversation and for nobody else", async () => {
    const engine = await startEngine();

    await store(engine, echo());
    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2", phone: BEN }))]);
    await applyAll(engine.store);

    expect((await inbox(engine)).map(({ role, content }) => [role, content]).sort()).toEqual([
      ["assistant", "on my way"],
      ["user", "wamid.1"],
      ["user", "wamid.2"],
    ]);
    expect(await waiting(engine)).toEqual([["wamid.2"]]);
    expect(
      await engine.rows(
        "select phone_number, ai_paused_until > now() + interval '59 minutes' as paused from whatsapp_contacts where ai_paused_until is not null",
      ),
    ).toEqual([{ phone_number: ADA, paused: true }]);
  });

  it("open no window", async () => {
    const engine = await startEngine();

    await store(engine, echo());
    await applyAll(engine.store);

    expect(await engine.rows("select 1 from whatsapp_sessions")).toEqual([]);
  });

  it("are heard again when the pause is over", async () => {
    const engine = await startEngine();
    await store(engine, echo());
    await applyAll(engine.store);
    await engine.rows("update whatsapp_contacts set ai_paused_until = now() - interval '1 second'");

    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(engine.store);

    expect(await waiting(engine)).toEqual([["wamid.1"]]);
  });

  it("who are faster than the AI leave it unasked", async () => {
    const asked: string[] = [];
    const channel = await channelFor({
      config: { coalesceMs: 60_000 },
      reply: (turn) => {
        asked.push(turn.turnId);
        return "too late";
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello?");
    await channel.until(async () => (await channel.rows("select 1 from whatsapp_turns"))[0], "the turn");
    await channel.rows("update whatsapp_contacts set ai_paused_until = now() + interval '1 hour'");
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'turn'");

    await quiet(channel);

    expect(asked).toEqual([]);
    expect(await channel.rows("select state from whatsapp_turns")).toEqual([{ state: 1 }]);
  });
});

describe("a person who changes what they wrote", () => {
  const edit = (targetId: string, text: string): ChannelEvent => ({
    ...base(),
    kind: "edit",
    messageId: `wamid.edit.${serial}`,
    from: who(),
    targetId,
    type: "text",
    text,
    content: null,
  });
  const revoke = (targetId: string): ChannelEvent => ({
    ...base(),
    kind: "revoke",
    messageId: `wamid.revoke.${serial}`,
    from: who(),
    targetId,
  });

  it("changes the host's row, and what the AI will be asked", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([
      delivery(message({ id: "wamid.1", text: "at fvie" }), message({ id: "wamid.2", text: "please" })),
    ]);
    await applyAll(engine.store);

    await store(engine, edit("wamid.1", "at five"));
    await applyAll(engine.store);

    expect((await inbox(engine)).map(({ content, metadata }) => [content, metadata.edited])).toEqual([
      ["at five", true],
      ["please", undefined],
    ]);
    expect(await waiting(engine)).toEqual([["at five", "please"]]);
  });

  it("does not deadlock with the turns that are just being asked, whoever else does so at the same moment", async () => {
    const engine = await startEngine();
    const { another, database, rows } = engine;
    for (const phone of [ADA, BEN])
      await engine.store.inbox.record([delivery(message({ id: `wamid.${phone}`, phone }))]);
    await applyAll(engine.store);
    const turns = await claimed(engine.store, "turn");
    await store(engine, edit(`wamid.${ADA}`, "at five"), {
      ...edit(`wamid.${BEN}`, "at six"),
      from: who({ phoneNumber: BEN }),
    } as ChannelEvent);
    const lanes = [...(await claimed(engine.store))].sort((a, b) => (a.laneKey < b.laneKey ? 1 : -1));
    const [first] = turns.map(({ laneKey }) => laneKey).sort();
    const somebody = await hold(database);
    await somebody.query("select 1 from whatsapp_turns where lane_key = $1 for update", [first]);

    const sealing = another().turns.seal(turns);
    await waiters(rows, 1);
    const changing = applyOnce(another(), lanes);
    await waiters(rows, 2);
    await somebody.commit();

    expect((await sealing).map((turn) => turn?.attempt)).toEqual([1, 1]);
    expect(await changing).toBe(true);
  });

  it("does not deadlock with the answers to both that are just being stored", async () => {
    const engine = await startEngine();
    const { database, rows, another } = engine;
    for (const phone of [ADA, BEN])
      await engine.store.inbox.record([delivery(message({ id: `wamid.${phone}`, phone }))]);
    await applyAll(engine.store);
    const lanes = await claimed(engine.store, "turn");
    const [first = "", second = ""] = lanes.map(({ laneKey }) => laneKey).sort();
    const sealed = (await engine.store.turns.seal(lanes)).filter((turn) => turn !== null);
    // By their ids, and where they stand in the table, the second comes first.
    const ids = new Map([
      [second, "00000000-0000-4000-8000-000000000000"],
      [first, "ffffffff-0000-4000-8000-000000000000"],
    ]);
    for (const [lane, id] of ids) await rows("update whatsapp_turns set id = ? where lane_key = ?", [id, lane]);
    const turns = sealed.map((turn) => ({ ...turn, turnId: ids.get(turn.lane.laneKey) as string }));
    const edits = await hold(database);
    const lockOf = (lane: string) =>
      edits.query("select 1 from whatsapp_turns where lane_key = $1 for no key update", [lane]);

    await lockOf(first);
    const finishing = another()
      .turns.finish(turns.map((turn) => ({ turn, send: null })))
      .catch((error: unknown) => error);
    await waiters(rows);
    await lockOf(second);
    await edits.commit();

    expect(await finishing).toEqual([true, true]);
  });

  it("takes a deleted message back from the AI as well", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }), message({ id: "wamid.2" }))]);
    await applyAll(engine.store);

    await store(engine, revoke("wamid.1"));
    await applyAll(engine.store);

    expect((await inbox(engine)).map(({ content }) => content)).toEqual(["[This message was deleted]", "wamid.2"]);
    expect(await waiting(engine)).toEqual([["wamid.2"]]);
  });

  it.each([
    ["a place", "location", { latitude: 51.501, longitude: -0.142, name: "51 Acacia Road" }],
    ["a card", "contacts", [{ name: { formatted_name: "Ben" }, phones: [{ phone: "+44 7700 900999" }] }]],
    [
      "a form",
      "interactive",
      {
        type: "nfm_reply",
        nfm_reply: { name: "flow", body: "Sent", response_json: '{"iban":"GB33BUKB20201555555555"}' },
      },
    ],
  ])("takes %s back: nothing of it stays in the host's row", async (_what, type, content) => {
    const engine = await startEngine();
    const said = message({ id: "wamid.1" }) as { value: { messages: Record<string, unknown>[] } };
    const { text, ...sent } = said.value.messages[0] ?? {};
    const written = { ...said, value: { ...said.value, messages: [{ ...sent, type, [type]: content }] } };
    await engine.store.inbox.record([delivery(written)]);
    await applyAll(engine.store);
    expect((await inbox(engine))[0]?.metadata).toHaveProperty("content");

    await store(engine, revoke("wamid.1"));
    await applyAll(engine.store);

    const [row] = await inbox(engine);
    expect(row).toMatchObject({ content: "[This message was deleted]", metadata: { type, deleted: true } });
    expect(JSON.stringify(row)).not.toMatch(/51\.501|Acacia|900999|GB33/);
  });

  it("takes back a picture that is just being settled: nothing of it returns to the host's row", async () => {
    const engine = await startEngine({ leaseMs: 60_000 });
    const said = message({ id: "wamid.1" }) as { value: { messages: Record<string, unknown>[] } };
    const { text, ...sent } = said.value.messages[0] ?? {};
    const picture = { ...sent, type: "image", image: { id: "123456", mime_type: "image/jpeg", sha256: "abc" } };
    await engine.store.inbox.record([delivery({ ...said, value: { ...said.value, messages: [picture] } })]);
    await applyAll(engine.store);
    const lanes = await claimed(engine.store, "media");
    const [pending] = await engine.store.inboundMedia.load(lanes);
    if (pending === undefined) throw new Error("no picture is awaited");
    await store(engine, revoke("wamid.1"));
    const holder = await hold(engine.database);
    await holder.query("select 1 from messages for update");

    const revoking = applyOnce(engine.store, await claimed(engine.store));
    await waiters(engine.rows, 1);
    const settling = engine.another().inboundMedia.expire(pending, "Meta keeps a file for 7 days.");
    await waiters(engine.rows, 2);
    await holder.commit();

    expect(await Promise.all([revoking, settling])).toEqual([true, false]);
    expect((await inbox(engine))[0]).toMatchObject({
      content: "[This message was deleted]",
      metadata: { deleted: true },
    });
    expect((await inbox(engine))[0]?.metadata).not.toHaveProperty("media");
    expect(await engine.rows("select 1 from whatsapp_lanes where stage = 'media'")).toEqual([]);
  });

  it("and deletes all of it is not answered", async () => {
    const thinking = gate<string>("late");
    const asked: number[] = [];
    const channel = await channelFor({
      reply: (turn) => {
        asked.push(turn.messages.length);
        return asked.length === 1 ? thinking.promise : "again";
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("first");
    await channel.until(() => asked.length === 1, "the first turn");
    const wamid = ada.says("second");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_turns where sealed_at is null"))[0],
      "the second turn",
    );
    await channel.rows("update whatsapp_turns set messages = '[]' where sealed_at is null and messages @> ?::jsonb", [
      JSON.stringify([{ externalId: wamid }]),
    ]);

    thinking.open("done");
    await quiet(channel);

    expect(asked).toEqual([1]);
  });

  it("never changes the row of another tenant, whatever wamid it names", async () => {
    const engine = await startEngine();
    const other = "00000000-0000-4000-8000-0000000000ff";
    await engine.rows("insert into customer_configs (id) values (?)", [other]);
    await engine.rows(
      "insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number) values (?, '399', '299', '1555')",
      [other],
    );
    await engine.store.inbox.record([delivery(message({ id: "wamid.theirs", to: "399" }))]);
    await applyAll(engine.store);

    await engine.store.inbox.record([delivery(message({ id: "wamid.mine" }))]);
    await store(engine, edit("wamid.theirs", "hacked"), revoke("wamid.theirs"));
    await applyAll(engine.store);

    expect((await inbox(engine)).map(({ content }) => content).sort()).toEqual(["wamid.mine", "wamid.theirs"]);
  });

  it("may react, and take the reaction back", async () => {
    const engine = await startEngine();
    const react = (emoji: string | null): ChannelEvent => ({
      ...base(),
      kind: "reaction",
      messageId: `wamid.r.${serial}`,
      from: who(),
      targetId: "wamid.1",
      emoji,
    });
    await engine.store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await store(engine, react("👍"));
    await applyAll(engine.store);

    expect((await inbox(engine))[0]?.metadata).toMatchObject({ reaction: "👍", type: "text" });

    await store(engine, react(null));
    await applyAll(engine.store);

    expect((await inbox(engine))[0]?.metadata).not.toHaveProperty("reaction");
    expect(await engine.rows("select 1 from messages")).toHaveLength(1);
  });
});

describe("what was written before the number was connected", () => {
  const history = (...ids: string[]): ChannelEvent => ({
    ...base(),
    kind: "history",
    person: who(),
    messages: ids.map((messageId, n) => ({
      messageId,
      direction: n % 2 === 0 ? "inbound" : "outbound",
      type: "text",
      text: messageId,
      content: null,
      occurredAt: new Date(Date.UTC(2026, 0, 1 + n)),
      status: "READ",
    })),
    progress: 100,
    errors: [],
  });

  it("is shown at its own time, once, and neither opens the window nor wakes the AI", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.live" }))]);
    await applyAll(engine.store);
    await engine.rows("delete from whatsapp_turns");
    await engine.rows("delete from whatsapp_sessions");

    await store(engine, history("wamid.h1", "wamid.h2", "wamid.live"));
    await store(engine, history("wamid.h1", "wamid.h2"));
    await applyAll(engine.store);

    expect((await inbox(engine)).map(({ role, content }) => [role, content])).toEqual([
      ["user", "wamid.h1"],
      ["assistant", "wamid.h2"],
      ["user", "wamid.live"],
    ]);
    expect(await waiting(engine)).toEqual([]);
    expect(await engine.rows("select 1 from whatsapp_sessions")).toEqual([]);
  });
});

describe("a person who changes their number", () => {
  const moved = (over: Partial<Person>, before: Partial<Person> = {}): ChannelEvent => ({
    ...base(),
    kind: "contact-changed",
    change: "phone-number",
    before: who({ userId: "GB.old", ...before }),
    person: who({ phoneNumber: "447700900888", userId: "GB.new", ...over }),
  });

  it("keeps contact and conversation, and whoever gets the old number is somebody else", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, moved({}));
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: "447700900888", userId: "GB.new" }))]);
    await applyAll(engine.store);

    expect(await engine.rows("select phone_number, user_id from whatsapp_contacts")).toEqual([
      { phone_number: "447700900888", user_id: "GB.new" },
    ]);
    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(1);

    await engine.store.inbox.record([delivery(message({ id: "wamid.3", userId: "GB.stranger" }))]);
    await applyAll(engine.store);

    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(2);
  });

  it("is one contact when they wrote under the new number before Meta told of the change", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: "447700900888", userId: "GB.new" }))]);
    await store(engine, moved({}));
    await applyAll(engine.store);

    expect(await engine.rows("select phone_number from whatsapp_contacts where merged_into is null")).toEqual([
      { phone_number: "447700900888" },
    ]);
    expect(await engine.rows("select external_id from messages order by created_at")).toEqual([
      { external_id: "wamid.1" },
      { external_id: "wamid.2" },
    ]);
  });

  it("is not written to at the old one where Meta does not tell the new one", async () => {
    const engine = await startEngine();
    await engine.store.inbox.record([delivery(message({ id: "wamid.1", userId: "GB.old" }))]);
    await store(engine, moved({ phoneNumber: null }));
    await applyAll(engine.store);

    expect(await engine.rows("select phone_number, user_id from whatsapp_contacts")).toEqual([
      { phone_number: null, user_id: "GB.new" },
    ]);
    expect(await phoneAliases(engine)).toEqual([]);
  });

  it.each([
    ["Brazil", "5511987654321", "551187654321"],
    ["Mexico", "5215512345678", "525512345678"],
    ["Argentina", "5491123456789", "541123456789"],
  ])("is one person in %s, with the digit and without it", async (_country, one, other) => {
    const engine = await startEngine();

    await engine.store.inbox.record([delivery(message({ id: "wamid.1", phone: one }))]);
    await engine.store.inbox.record([delivery(message({ id: "wamid.2", phone: other }))]);
    await applyAll(engine.store);

    expect(await engine.rows("select phone_number from whatsapp_contacts")).toEqual([{ phone_number: other }]);
    expect(await engine.rows("select distinct conversation_id from messages")).toHaveLength(1);
  });
});

describe("what concerns the account", () => {
  it("changes the template that it names", async () => {
    const engine = await startEngine();
    await engine.rows(
      "insert into whatsapp_templates (customer_config_id, waba_id, template_id, name, language, category, status) values (?, ?, '1', 'cart', 'en_US', 'UTILITY', 'APPROVED')",
      [TENANT, NUMBER.wabaId],
    );
    const template = { ...base(), kind: "template", templateId: "1", name: "cart", language: "en_US" } as const;
    const nothing = { status: null, quality: null, category: null, reason: null } as const;

    await store(
      engine,
      { ...template, ...nothing, phoneNumberId: null, change: "status", status: "REJECTED", reason: "INVALID_FORMAT" },
      { ...template, ...nothing, dedupeKey: "t2", phoneNumberId: null, change: "category", category: "MARKETING" },
      { ...template, ...nothing, dedupeKey: "t3", phoneNumberId: null, change: "quality", quality: "RED" },
    );
    await applyAll(engine.store);

    expect(
      await engine.rows("select status, category, quality_score, rejected_reason from whatsapp_templates"),
    ).toEqual([{ status: "REJECTED", category: "MARKETING", quality_score: "RED", rejected_reason: "INVALID_FORMAT" }]);
  });
});
