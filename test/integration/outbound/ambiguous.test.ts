/** Answers that were lost: status webhooks tell what became of them, and nothing is ever sent twice on a guess. */
import type { FaultKind } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { keepWebhooksBack, quiet } from "../../support/channel.ts";
import { attemptsOf, chatter, inState, meet, startSilent, texts } from "./outbound.ts";

const POSTS = "POST /301777000333444/messages";

/** A host's fetch that gives its first message up early, so that a Graph that hangs does not hold up the test. */
function impatientOnce(): typeof fetch {
  let hasWaited = false;
  return (url, init) => {
    if (hasWaited || !String(url).includes("/messages")) return fetch(url, init);
    hasWaited = true;
    const soon = AbortSignal.timeout(500);
    return fetch(url, { ...init, signal: AbortSignal.any([init?.signal ?? soon, soon]) });
  };
}

describe("a message that was accepted without us hearing so", () => {
  it.each<[FaultKind]>([["accept-then-reset"], ["accept-then-500"], ["garbage"], ["accept-then-hang"]])(
    "is settled by its statuses after %s, with the next behind it, and nothing is sent again",
    async (fault) => {
      const hangs = fault === "accept-then-hang";
      const channel = await startSilent({
        config: { reconcileMs: 60_000 },
        plugin: hangs ? { fetch: impatientOnce() } : {},
      });
      const ada = await meet(channel, { name: "Ada" });
      channel.meta.faults.next({ do: fault });
      const tell = keepWebhooksBack(channel);

      const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
      const next = await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
      await channel.until(
        async () => (await attemptsOf(channel, receipt))[0]?.state === "ambiguous",
        "the attempt to be ambiguous",
      );
      expect(texts(channel)).toEqual(["one"]);
      tell();
      const done = await inState(channel, receipt, "read");
      await inState(channel, next, "read");
      await quiet(channel);

      expect(texts(channel)).toEqual(["one", "two"]);
      expect(channel.meta.requests[POSTS]).toBe(2);
      expect(done.parts[0]).toMatchObject({ messageId: channel.meta.accepted[0]!.wamid, error: null });
      expect(await attemptsOf(channel, receipt)).toEqual([
        expect.objectContaining({ state: "accepted", message_id: channel.meta.accepted[0]!.wamid }),
      ]);
    },
  );

  it("has one wamid and its highest state when the statuses overtake the answer", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.webhooks({ statusesBeforeResponse: true });

    const receipts = [];
    for (let i = 0; i < 10; i += 1)
      receipts.push(await channel.plugin.send({ conversationId: ada.conversationId, response: `message ${i}` }));
    for (const receipt of receipts) await inState(channel, receipt, "read");
    await quiet(channel);

    expect(texts(channel)).toEqual(receipts.map((_, i) => `message ${i}`));
    const wamids = channel.meta.accepted.map(({ wamid }) => wamid);
    const rows = await channel.rows("select message_id, state, attempts from whatsapp_outbox order by id");
    expect(rows).toEqual(wamids.map((message_id) => ({ message_id, state: "read", attempts: 1 })));
  });
});

describe("a message that was lost", () => {
  it("is sent again exactly once, when webhooks are alive and its time is over", async () => {
    const channel = await startSilent({ config: { reconcileMs: 600 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: "reset-before-accept", to: "447700900123" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const next = await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
    const stop = await chatter(channel);
    await inState(channel, receipt, "read");
    stop();
    await inState(channel, next, "read");

    expect(texts(channel, ada)).toEqual(["one", "two"]);
    const attempts = await attemptsOf(channel, receipt);
    expect(attempts.map(({ state }) => state)).toEqual(["ambiguous", "accepted"]);
    expect(attempts[1]!.started_at.getTime() - attempts[0]!.started_at.getTime()).toBeGreaterThanOrEqual(600);
    expect(attempts[1]!.token).not.toBe(attempts[0]!.token);
  });

  it("twice is `unknown`: one resend is all, and the conversation goes on", async () => {
    const channel = await startSilent({ config: { reconcileMs: 200 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: "reset-before-accept", to: "447700900123", times: 2 });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const next = await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
    const stop = await chatter(channel);
    const done = await inState(channel, receipt, "unknown");
    await inState(channel, next, "read");
    stop();

    expect(done.parts[0]).toMatchObject({ messageId: null, error: { code: "GRAPH_AMBIGUOUS", meta: null } });
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["ambiguous", "ambiguous"]);
    expect(texts(channel, ada)).toEqual(["two"]);
    await channel.until(
      () => channel.events.some((event) => event.kind === "status" && event.state === "unknown"),
      "the host to hear of it",
    );
  });

  it("is never sent again while all webhooks are silent, and ends `unknown`", async () => {
    const channel = await startSilent({ config: { reconcileMs: 100 } });
    const ada = await meet(channel, { name: "Ada" });
    await channel.meta.idle();
    channel.meta.faults.webhooks({ dropStatusesRate: 1 });
    channel.meta.faults.next({ do: "accept-then-reset" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "unknown");
    await quiet(channel);

    expect(texts(channel)).toEqual(["one"]);
    expect(channel.meta.requests[POSTS]).toBe(1);
    const [attempt] = await attemptsOf(channel, receipt);
    const [{ waited } = { waited: 0 }] = await channel.rows<{ waited: number }>(
      "select extract(epoch from updated_at - ?)::float8 * 1000 as waited from whatsapp_outbox",
      [attempt!.started_at],
    );
    // Ten times the usual wait: a host that was down for a while gets its statuses late.
    expect(waited).toBeGreaterThanOrEqual(1_000);
  });

  it("that is found after all, once it was `unknown`, is what Meta says it is", async () => {
    const channel = await startSilent({ config: { reconcileMs: 100 } });
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: "accept-then-500" });
    const tell = keepWebhooksBack(channel);

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "unknown");
    tell();
    const done = await inState(channel, receipt, "read");

    expect(done.parts[0]!.messageId).toBe(channel.meta.accepted[0]!.wamid);
    expect(texts(channel)).toEqual(["one"]);
  });

  it("waits for its own time, not for that of a refusal that came later", async () => {
    // A long time, so that a slow machine is no wait: the refusal's own pause is 20 ms.
    const channel = await startSilent({ config: { reconcileMs: 2_000 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: "reset-before-accept", to: "447700900123" });
    channel.meta.faults.next({ do: { error: { code: 130429 } }, to: "447700900123" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const stop = await chatter(channel);
    await inState(channel, receipt, "read");
    stop();

    const attempts = await attemptsOf(channel, receipt);
    expect(attempts.map(({ state }) => state)).toEqual(["ambiguous", "rejected", "accepted"]);
    expect(attempts[2]!.started_at.getTime() - attempts[1]!.started_at.getTime()).toBeLessThan(2_000);
  });
});

describe("a connection that never came about", () => {
  it("left no byte behind, so that the message is tried again at once and not counted as perhaps sent", async () => {
    let refusals = 2;
    const channel = await startSilent({
      plugin: {
        fetch: (url, init) => {
          if (!String(url).includes("/messages") || refusals-- <= 0) return fetch(url, init);
          const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" });
          return Promise.reject(new TypeError("fetch failed", { cause }));
        },
      },
    });
    const ada = await meet(channel, { name: "Ada" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "read");

    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual([
      "rejected",
      "rejected",
      "accepted",
    ]);
    expect(texts(channel)).toEqual(["one"]);
  });
});
