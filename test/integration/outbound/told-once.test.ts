/** The host hears of each outcome of a part once, whatever was tried again, came late, came twice or was taken over. */
import type { SendReceipt } from "@omniops/whatsapp";
import { expect, it } from "vitest";
import { allQuiet, quiet, type TestChannel } from "../../support/channel.ts";
import { chatter, inState, meet, startSilent } from "./outbound.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };
/** Where the acceptance is to be heard of: a status that is applied before it leaves it nothing to tell. */
const AFTER_THE_ANSWER = { meta: { statusDelayMs: 300 } };

/** What was told of a send's only part, in order. */
function told(channel: TestChannel, { sendId }: SendReceipt): string[] {
  return channel.events.flatMap((event) => (event.kind === "status" && event.sendId === sendId ? [event.state] : []));
}

/** What comes after everything else is told: whatever was told twice has been by then. */
async function heard(channel: TestChannel, receipt: SendReceipt): Promise<string[]> {
  await allQuiet(channel);
  return told(channel, receipt);
}

it.each<[string, object]>([
  ["nothing went wrong", {}],
  ["every webhook comes three times", { duplicate: 2 }],
  ["statuses overtake each other", { shuffle: "statuses", shuffleMs: 200 }],
  ["the first status overtakes the answer", { statusesBeforeResponse: true }],
])("each step once, where %s", async (_what, webhooks) => {
  const channel = await startSilent();
  const ada = await meet(channel, ADA);
  channel.meta.faults.webhooks(webhooks);

  for (let n = 0; n < 5; n++) {
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: `message ${n}` });
    await inState(channel, receipt, "read");
    const steps = await heard(channel, receipt);

    expect(steps).toEqual(["accepted", "sent", "delivered", "read"].filter((step) => steps.includes(step)));
    expect(steps.at(-1)).toBe("read");
  }
});

it("nothing of tries that were refused for a while", async () => {
  const channel = await startSilent(AFTER_THE_ANSWER);
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: { error: { code: 130429 } }, to: ADA.phoneNumber, times: 2 });

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  await inState(channel, receipt, "read");

  expect(await heard(channel, receipt)).toEqual(["accepted", "sent", "delivered", "read"]);
});

it("nothing of an answer that was lost, and each step that its statuses tell", async () => {
  const channel = await startSilent({ config: { reconcileMs: 5_000 } });
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: "accept-then-500", to: ADA.phoneNumber });

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  await inState(channel, receipt, "read");

  expect(await heard(channel, receipt)).toEqual(["sent", "delivered", "read"]);
});

it("nothing of an answer that comes when its statuses have told everything", async () => {
  const channel = await startSilent();
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: "slow", ms: 1_500, to: ADA.phoneNumber });

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  await channel.until(() => channel.logs.find(({ message }) => message === "accepted by Meta"), "the answer");
  await quiet(channel);

  expect(await heard(channel, receipt)).toEqual(["sent", "delivered", "read"]);
  await inState(channel, receipt, "read");
});

it("`unknown` once, and then what it turned out to be", async () => {
  const channel = await startSilent({
    config: { reconcileMs: 200 },
    plugin: { onAmbiguous: { session: "hold" } },
    meta: { statusDelayMs: { sent: 4_000, delivered: 4_010, read: 4_020 } },
  });
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: "accept-then-reset", to: ADA.phoneNumber });

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  const stop = await chatter(channel);
  await inState(channel, receipt, "unknown");
  stop();
  await inState(channel, receipt, "read");

  expect(await heard(channel, receipt)).toEqual(["unknown", "sent", "delivered", "read"]);
});

it("a refusal once, for the part that was refused and for each that stands behind it", async () => {
  const channel = await startSilent();
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: { error: { code: 131026 } }, to: ADA.phoneNumber });
  const text = ["A", "B", "C"].map((letter) => letter.repeat(4_000)).join("\n\n");

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: text });
  await inState(channel, receipt, "failed", "failed", "failed");

  expect(await heard(channel, receipt)).toEqual(["failed", "failed", "failed"]);
  const parts = channel.events.flatMap((event) => (event.kind === "status" ? [event.part] : []));
  expect(parts).toEqual([0, 1, 2]);
});

it("an answer once that comes after the lease was lost, although whoever took the lane over settles it too", async () => {
  const channel = await startSilent({ meta: { statusDelayMs: 600_000 }, config: { reconcileMs: 1_000 } });
  const ada = await meet(channel, ADA);
  channel.meta.faults.next({ do: "slow", ms: 1_500, to: ADA.phoneNumber });
  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
  // As after a pause of the process: the lane is anybody's, and the part is found with an attempt of unknown outcome.
  await channel.rows("update whatsapp_lanes set lease_token = null, ready_at = now() where stage = 'out'");
  await inState(channel, receipt, "accepted");
  await quiet(channel);

  expect(channel.meta.accepted).toHaveLength(1);
  expect(told(channel, receipt)).toEqual(["accepted"]);
});

it("once for each part, also when the host's own listener fails again and again", async () => {
  const heardBy: string[] = [];
  let failures = 2;
  const channel = await startSilent({
    ...AFTER_THE_ANSWER,
    plugin: {
      onEvent(event) {
        if (event.kind !== "status") return;
        if (failures-- > 0) throw new Error("the host is away");
        heardBy.push(event.state);
      },
    },
  });
  const ada = await meet(channel, ADA);

  const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
  await inState(channel, receipt, "read");
  await channel.until(() => heardBy.at(-1) === "read", "the host to have heard of it");

  expect(heardBy).toEqual(["accepted", "sent", "delivered", "read"]);
});
