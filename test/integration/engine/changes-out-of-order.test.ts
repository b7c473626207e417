/** Meta brings things in no order and at the same time: what somebody takes back may come before what they wrote. */
import type { ChannelEvent, Person } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER } from "../../support/channel.ts";
import { ADA, applyAll, delivery, type Engine, eventsOf, message, startEngine } from "./support.ts";

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
