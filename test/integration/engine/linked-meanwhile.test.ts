/** What is under way while two names turn out to be one person ends as if they had always been one. */
import { describe, expect, it } from "vitest";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import { planSend, type SendWishes } from "../../../plugin/pipeline/plan-send.ts";
import type { Store } from "../../../plugin/ports.ts";
import { until } from "../../support/channel.ts";
import { applyAll, claimed, delivery, type Engine, hold, message, startEngine, status, waiters } from "./support.ts";

const PHONE = "447700900123";
const USER = "GB.5512oQx81Zk09";
const byPhone = (id: string) => message({ id, phone: PHONE });
const byUser = (id: string, text = id) => message({ id, phone: null, userId: USER, text });
const byBoth = (id: string, text = id) => message({ id, phone: PHONE, userId: USER, text });

const OUTSIDE_WINDOW = 131_047;
const MEDIA_UPLOAD = 131_053;
const LINK = { kind: "text", payload: { type: "text" }, content: "the link", mediaType: null, degraded: [] } as const;
const MARKETING = { kind: "template", name: "promo", language: "en", endpoint: "marketing" } as const;

type Contact = { readonly id: string; readonly conversation_id: string };

/** One person whom the store takes for two: the elder by phone, the younger by user id. */
async function meetTwice({ store, rows }: Engine): Promise<readonly [elder: Contact, younger: Contact]> {
  await store.inbox.record([delivery(byPhone("wamid.1"))]);
  await store.inbox.record([delivery(byUser("wamid.2"))]);
  await applyAll(store);
  const [elder, younger] = await rows<Contact>("select id, conversation_id from whatsapp_contacts order by id");
  if (elder === undefined || younger === undefined) expect.fail("there are not two contacts");
  return [elder, younger];
}

const answer = (text: string, onWindowClosed: SendWishes["onWindowClosed"] = "fail") =>
  planSend({ what: { response: text }, idempotencyKey: null, replyTo: null, onWindowClosed });

const promo = () =>
  planSend({ what: { message: MARKETING }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });

/** An answer that Meta takes, as `wamid.out`. */
async function accepted(store: Store, { conversation_id }: Contact, send = answer("hi")): Promise<void> {
  await store.outbox.enqueue(conversation_id, send);
  const [part] = await store.outbox.head(await claimed(store, "out"));
  if (!part) expect.fail("nothing waits to be sent");
  await store.outbox.begin([{ part, token: "token" }]);
  const next = { kind: "done", state: "accepted" } as const;
  const sent = { attempt: "accepted", messageId: "wamid.out", error: null, next } as const;
  await store.outbox.settle([{ part, token: "token", ...sent }]);
}

describe("what takes the place of an answer to the younger that Meta refuses", () => {
  it("is spared to a person who wants no marketing, whichever name they said it under", async () => {
    const engine = await startEngine();
    const { store } = engine;
    const [, younger] = await meetTwice(engine);
    await accepted(store, younger, answer("hi", MARKETING));
    await store.inbox.record([delivery(byBoth("wamid.3", "STOP"))]);
    await applyAll(store);

    await store.inbox.record([delivery(refusal(OUTSIDE_WINDOW, { userId: USER }))]);
    await applyAll(store);

    const [head] = await store.outbox.head(await claimed(store, "out"));
    expect(head).toMatchObject({ kind: "template", isUnwanted: true });
  });

  it("leaves by the one lane, in its order and at its pace", async () => {
    const engine = await startEngine({ insteadOf: () => LINK });
    const { store, rows } = engine;
    const [elder, younger] = await meetTwice(engine);
    await accepted(store, younger);
    await store.inbox.record([delivery(byBoth("wamid.3"))]);
    await applyAll(store);
    await store.outbox.enqueue(younger.conversation_id, answer("first"));

    await store.inbox.record([delivery(refusal(MEDIA_UPLOAD, { userId: USER }))]);
    await applyAll(store);

    expect(await waiting(rows)).toEqual([
      { lane_key: `out:contact:${elder.id}`, contact_id: elder.id },
      { lane_key: `out:contact:${elder.id}`, contact_id: elder.id },
    ]);
    expect(await pending(rows)).toEqual([{ lane_key: `out:contact:${elder.id}`, pending: 2 }]);
  });

  it("is found once more where they are being linked at that moment", async () => {
    const engine = await startEngine({ insteadOf: () => LINK });
    const { store, another, database, rows } = engine;
    const [elder, younger] = await meetTwice(engine);
    await accepted(store, younger);
    const worker = another();
    // It names nobody, so that it has a lane of its own, which the link does not take.
    await store.inbox.record([delivery(refusal(MEDIA_UPLOAD))]);
    const lanes = await claimed(worker);
    const events = await worker.inbox.load(lanes, 50);
    const holder = await hold(database);
    await holder.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [`out:contact:${younger.id}`]);

    const linking = store.inbox.record([delivery(byBoth("wamid.3"))]);
    await waiters(rows, 1);
    const applying = worker.inbox.apply(lanes, events, planEffects(events));
    await waiters(rows, 2);
    await holder.commit();
    await linking;
    expect(await applying).toBeNull();
    await until(async () => {
      await applyAll(store);
      return (await waiting(rows)).length > 0;
    }, "it to be applied by whoever has the lane next");

    expect(await waiting(rows)).toEqual([{ lane_key: `out:contact:${elder.id}`, contact_id: elder.id }]);
    expect(await pending(rows)).toEqual([{ lane_key: `out:contact:${elder.id}`, pending: 1 }]);
  });

  function refusal(code: number, { userId }: { readonly userId?: string } = {}): object {
    const names = { phone: null, ...(userId !== undefined && { userId }) };
    return status({ wamid: "wamid.out", status: "failed", token: "token", code, ...names });
  }

  const waiting = (rows: Engine["rows"]) =>
    rows("select lane_key, contact_id from whatsapp_outbox where state = 'queued' order by id");
  const pending = (rows: Engine["rows"]) =>
    rows("select lane_key, pending from whatsapp_lanes where stage = 'out' and pending <> 0");
});

describe("a send that waits for the link", () => {
  it.each([
    ["elder", 0],
    ["younger", 1],
  ])("goes by the window that the person has then, in the conversation of the %s", async (_which, nth) => {
    const engine = await startEngine();
    const { store, another, rows } = engine;
    const contacts = await meetTwice(engine);
    await rows("update whatsapp_sessions set session_expires = now() - interval '1 hour' where conversation_id = ?", [
      contacts[0].conversation_id,
    ]);
    const linking = await linkingIsHeld(engine, contacts);

    const sending = another().outbox.enqueue((contacts[nth] as Contact).conversation_id, answer("hi"));
    await waiters(rows, 2);
    await linking.goesOn();

    expect((await sending).parts).toMatchObject([{ state: "queued" }]);
    expect(await store.sessions.status(contacts[1].conversation_id)).toMatchObject({ state: "open" });
  });

  it("heeds what the person has said under the other name", async () => {
    const engine = await startEngine();
    const { store, another, rows } = engine;
    const contacts = await meetTwice(engine);
    await store.inbox.record([delivery(byUser("wamid.stop", "STOP"))]);
    await applyAll(store);
    const linking = await linkingIsHeld(engine, contacts);

    const sending = another().outbox.enqueue(contacts[0].conversation_id, promo());
    const refused = expect(sending).rejects.toMatchObject({ code: "OPTED_OUT" });
    await waiters(rows, 2);
    await linking.goesOn();

    await refused;
  });
});

it("the first message of the elder goes to the conversation that the younger has brought, and none is made for it", async () => {
  const engine = await startEngine();
  const { store, another, rows } = engine;
  const worker = another({ leaseMs: 60_000 });
  await store.inbox.record([delivery(byPhone("wamid.1"))]);
  const lanes = await claimed(worker);
  await store.inbox.record([delivery(byUser("wamid.2"))]);
  await applyAll(store);
  const [elder, younger] = await rows<Contact>("select id, conversation_id from whatsapp_contacts order by id");
  if (elder === undefined || younger === undefined) expect.fail("there are not two contacts");
  const linking = await linkingIsHeld(engine, [elder, younger]);
  await worker.lanes.renew(lanes);
  const events = await worker.inbox.load(lanes, 50);

  const applying = worker.inbox.apply(lanes, events, planEffects(events));
  await waiters(rows, 2);
  await linking.goesOn();
  expect(await applying).not.toBeNull();
  await applyAll(store);

  expect(await rows("select id from conversations")).toEqual([{ id: younger.conversation_id }]);
  expect(await rows("select external_id from messages order by external_id")).toEqual(
    ["wamid.1", "wamid.2", "wamid.3"].map((external_id) => ({ external_id })),
  );
});

describe("whom an earlier version has linked beside this one, so that each name has its own word", () => {
  const stopped =
    "insert into whatsapp_preferences (contact_id, category, value, source, updated_at) values (?, 'marketing_messages', ?, ?, now())";

  it.each<[string, "meta" | "keyword", "meta" | "keyword", boolean]>([
    ["a typed word lifts what was typed", "keyword", "keyword", true],
    ["a typed word lifts nothing that was told to Meta", "meta", "keyword", false],
    ["a word to Meta lifts what was told to Meta", "meta", "meta", true],
  ])(
    "gets no marketing after a stop under the younger, and again when they take it back: %s",
    async (_rule, said, takenBack, isLifted) => {
      const engine = await startEngine();
      const { store, rows } = engine;
      const [elder, younger] = await meetTwice(engine);
      // One that was queued under the younger name still.
      await store.outbox.enqueue(younger.conversation_id, promo());
      await rows("update whatsapp_contacts set merged_into = ? where id = ?", [elder.id, younger.id]);
      await rows(stopped, [younger.id, "stop", said]);

      for (const { conversation_id } of [elder, younger])
        await expect(store.outbox.enqueue(conversation_id, promo())).rejects.toMatchObject({ code: "OPTED_OUT" });
      const lanes = await claimed(store, "out");
      expect(await store.outbox.head(lanes)).toMatchObject([{ isUnwanted: true }]);

      await rows(stopped, [elder.id, "resume", takenBack]);

      expect(await store.outbox.head(lanes)).toMatchObject([{ isUnwanted: !isLifted }]);
    },
  );
});

/** The link has everything but the last of its locks. */
async function linkingIsHeld({ store, database, rows }: Engine, [, younger]: readonly [Contact, Contact]) {
  const holder = await hold(database);
  await holder.query("select 1 from whatsapp_lanes where lane_key = $1 for update", [`turn:contact:${younger.id}`]);
  const linking = store.inbox.record([delivery(byBoth("wamid.3"))]);
  await waiters(rows, 1);
  return {
    async goesOn() {
      await holder.commit();
      await linking;
    },
  };
}
