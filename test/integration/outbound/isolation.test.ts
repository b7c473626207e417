/** A slow or lost send is its own conversation's trouble: not the database's, not other people's, not the next worker's. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { createStore } from "../../../adapters/postgres/store.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";
import { APP_SECRET, NUMBER, quiet, type TestChannel, until } from "../../support/channel.ts";
import { attemptsOf, inState, keepBack, meet, settled, startSilent, texts } from "./outbound.ts";

const POSTS = "POST /301777000333444/messages";

function storeOf(channel: TestChannel) {
  return createStore(channel.database.connect(), {
    schema: "public",
    hostSchema: "public",
    leaseMs: 2_000,
    coalesceMs: 0,
    hasListener: true,
    advance,
    isPending,
  });
}

describe("a Graph that hangs for some", () => {
  it("does not delay others, and holds no database connection", async () => {
    const channel = await startSilent();
    const slow = [];
    // More than the pool has connections.
    for (let i = 0; i < 12; i += 1)
      slow.push(await meet(channel, { name: `Slow ${i}`, phoneNumber: `44770090020${String(i).padStart(2, "0")}` }));
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await quiet(channel);
    for (const { person } of slow) channel.meta.faults.next({ do: "slow", ms: 8_000, to: person.phoneNumber! });

    const receipts = [];
    for (const { conversationId } of slow)
      receipts.push(await channel.plugin.send({ conversationId, response: "slow" }));
    await channel.meta.waitFor(() => channel.meta.accepted.length === slow.length);
    const started = performance.now();
    await settled(channel, await channel.plugin.send({ conversationId: ada.conversationId, response: "quick" }));
    const took = performance.now() - started;

    // Well before anybody who hangs was answered.
    expect(took).toBeLessThan(4_000);
    // A slow machine's own transactions end soon; one that waited for Graph would be there for longer than is looked for.
    await until(
      async () => {
        const busy = await channel.rows(
          `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
             and xact_start < clock_timestamp() - interval '500 milliseconds'`,
        );
        return busy.length === 0;
      },
      "every transaction to be short",
      3_000,
    );
    for (const receipt of receipts) await inState(channel, receipt, "read");
  });
});

describe("a lease that is lost during a request", () => {
  it("still records the acceptance, and whoever took the lane over sends nothing again", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada" });
    const thief = "00000000-0000-4000-8000-0000000000ff";
    channel.meta.faults.next({ do: "slow", ms: 1_500 });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await channel.rows(
      "update whatsapp_lanes set lease_token = ?, ready_at = now() + interval '4 seconds' where lane_key = ?",
      [thief, `out:contact:${ada.contactId}`],
    );
    const done = await inState(channel, receipt, "accepted");

    expect(done.parts[0]!.messageId).toBe(channel.meta.accepted[0]!.wamid);
    const [lane] = await channel.rows("select pending, lease_token from whatsapp_lanes where stage = 'out'");
    expect(lane).toEqual({ pending: 1, lease_token: thief });
    await channel.until(() => texts(channel).length === 2, "the next message, once that lease has ended");
    await quiet(channel);
    expect(texts(channel)).toEqual(["one", "two"]);
    expect(channel.meta.requests[POSTS]).toBe(2);
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["accepted"]);
  });

  it("begins nothing for a worker that no longer holds the lane, though it begins for the others of its group", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" });
    await quiet(channel);
    await channel.plugin.stop();
    await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.plugin.send({ conversationId: bob.conversationId, response: "one" });
    const { lanes, outbox } = storeOf(channel);
    const claimed = await lanes.claim("out", 10);
    const heads = await outbox.head(claimed);
    await channel.rows("update whatsapp_lanes set lease_token = gen_random_uuid() where lane_key = ?", [
      claimed[0]!.laneKey,
    ]);

    const begun = await outbox.begin(heads.map((part, i) => ({ part: part!, token: `token-${i}` })));

    expect(begun).toEqual([false, true]);
    expect(await channel.rows("select token from whatsapp_send_attempts")).toEqual([{ token: "token-1" }]);
  });
});

describe("a message that a status settles while a worker is about to send it again", () => {
  it("is not begun: the status wins", async () => {
    const channel = await startSilent({ config: { reconcileMs: 60_000 }, meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: "accept-then-reset" });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(async () => (await attemptsOf(channel, receipt))[0]?.state === "ambiguous", "the reset");
    await channel.plugin.stop();
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'out'");
    const { lanes, outbox } = storeOf(channel);
    const claimed = await lanes.claim("out", 10);
    const [part] = await outbox.head(claimed);
    await channel.rows("update whatsapp_outbox set state = 'sent', message_id = 'wamid.known'");
    await channel.rows("update whatsapp_lanes set pending = pending - 1 where stage = 'out'");

    const begun = await outbox.begin([{ part: part!, token: "a-second-attempt" }]);

    expect(begun).toEqual([false]);
    expect(await attemptsOf(channel, receipt)).toHaveLength(1);
    expect((await channel.rows("select state from whatsapp_outbox"))[0]).toEqual({ state: "sent" });
  });
});

describe("webhooks that are stored and not applied yet", () => {
  it("prove that silence means something, except while the message's own status is among them", async () => {
    const channel = await startSilent({ config: { reconcileMs: 60_000 }, meta: { statusDelayMs: 600_000 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await quiet(channel);
    channel.meta.faults.next({ do: "accept-then-reset" });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(async () => (await attemptsOf(channel, receipt))[0]?.state === "ambiguous", "the reset");
    await channel.plugin.stop();
    const { outbox } = storeOf(channel);
    const lane = {
      laneKey: `out:contact:${ada.contactId}`,
      token: "",
      attempts: 0,
      crashes: 0,
      pacedMs: 0,
      tenant: "",
    };
    const isAlive = async () => (await outbox.head([lane]))[0]?.ambiguous.webhooksAlive;

    expect(await isAlive()).toBe(false);
    await storeStatus(channel, "wamid.ofSomebodyElse", "another-token");
    expect(await isAlive()).toBe(true);
    const { wamid, callbackData } = channel.meta.accepted[0]!;
    await storeStatus(channel, wamid, callbackData ?? "");
    expect(await isAlive()).toBe(false);
  });
});

/** Nobody applies it: the pipeline has stopped. */
async function storeStatus(channel: TestChannel, wamid: string, token: string): Promise<void> {
  const rawBody = Buffer.from(
    JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
                statuses: [{ id: wamid, status: "sent", timestamp: "1790000000", biz_opaque_callback_data: token }],
              },
            },
          ],
        },
      ],
    }),
  );
  await channel.plugin.receive({ rawBody, signature: signatureOf(rawBody, APP_SECRET) });
}

describe("an answer that comes after the message was given up", () => {
  it("is what counts: accepted, with its wamid", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await quietExcept(channel);
    await channel.plugin.stop();
    await letGo();
    const { lanes, outbox } = storeOf(channel);
    const [lane] = await lanes.claim("out", 10);
    const [part] = await outbox.head([lane!]);
    await outbox.begin([{ part: part!, token: "the-token" }]);
    const settle = (next: Parameters<typeof outbox.settle>[0][number]) => outbox.settle([next]);
    await settle({
      part: part!,
      token: null,
      attempt: null,
      messageId: null,
      next: { kind: "done", state: "unknown" },
      error: { code: "GRAPH_AMBIGUOUS", message: "given up", meta: null },
    });

    await settle({
      part: part!,
      token: "the-token",
      attempt: "accepted",
      messageId: "wamid.late",
      next: { kind: "done", state: "accepted" },
      error: null,
    });

    expect((await inState(channel, receipt, "accepted")).parts[0]).toMatchObject({
      messageId: "wamid.late",
      error: null,
    });
    expect(await channel.rows("select pending from whatsapp_lanes where stage = 'out'")).toEqual([{ pending: 0 }]);
  });
});

/** The inbound work is done; the outbox is kept back on purpose. */
async function quietExcept(channel: TestChannel): Promise<void> {
  await channel.until(async () => {
    const [row] = await channel.rows<{ busy: number }>(
      "select count(*)::int as busy from whatsapp_lanes where stage <> 'out' and (pending <> 0 or lease_token is not null)",
    );
    return row?.busy === 0;
  }, "the inbound lanes to be empty");
}
