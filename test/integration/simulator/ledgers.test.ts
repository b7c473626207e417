/** What tests read and wait for. */
import { describe, expect, it } from "vitest";
import { createActivity } from "../../../simulator/activity.ts";
import { createLedgers } from "../../../simulator/ledgers.ts";
import { ADA, NUMBER, raise, send, startHost, startSimulator, statuses, textTo } from "./simulated.ts";

describe("ledgers and waiting", () => {
  it("count requests, keep what was accepted, and tell listeners", async () => {
    const meta = await startSimulator();
    const heard: string[] = [];
    const stopListening = meta.onAccepted(({ text }) => heard.push(text));

    await send(meta, textTo("+447700900123", "one", { biz_opaque_callback_data: "token-1" }));
    stopListening();
    await send(meta, textTo("447700900123", "two"));

    expect(heard).toEqual(["one"]);
    expect(meta.requests[`POST /${NUMBER.phoneNumberId}/messages`]).toBe(2);
    expect(meta.accepted[0]).toMatchObject({
      recipient: "447700900123",
      type: "text",
      text: "one",
      callbackData: "token-1",
      body: { to: "+447700900123" },
      at: expect.any(Date),
    });
    meta.clearLedgers();
    expect([meta.accepted, meta.deliveries, meta.requests]).toEqual([[], [], {}]);
  });

  it("keep the latest refusals, for whoever is refused without end", () => {
    const ledgers = createLedgers(createActivity());
    const refusal = { request: "GET /1", httpStatus: 401, subcode: null, message: "no", at: new Date() };

    for (let code = 1; code <= 1_001; code += 1) ledgers.refuse({ ...refusal, code });

    expect(ledgers.refusals).toHaveLength(1_000);
    expect([ledgers.refusals[0]?.code, ledgers.refusals.at(-1)?.code]).toEqual([2, 1_001]);
  });

  it("is idle only after the last status was acknowledged", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, statusDelayMs: 15 });
    meta.person(ADA).says("Hi");
    await meta.idle();
    host.answers.push(200, 200, 503);

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read", "read"]);
    expect(meta.deliveries.every(({ outcome }) => outcome === "acknowledged")).toBe(true);
  });

  it("waits for what a predicate describes, says when it did not come, and passes its errors on", async () => {
    const meta = await startSimulator();
    const waiting = meta.waitFor(() => meta.accepted.find(({ text }) => text === "two"));

    await send(meta, textTo("447700900123", "one"));
    await send(meta, textTo("447700900123", "two"));

    await expect(waiting).resolves.toMatchObject({ text: "two" });
    await expect(meta.waitFor(() => meta.accepted.length > 2, 10)).rejects.toThrow("within 10 ms");
    await expect(meta.waitFor(() => raise("bad predicate"))).rejects.toThrow("bad predicate");
  });

  it("stops with hanging callers, pending retries and waiting tests, and leaves nothing running", async () => {
    const host = await startHost();
    host.answers.push(...Array(50).fill(500));
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: () => 10_000, statusDelayMs: 10_000 });
    meta.faults.next({ do: "hang", to: "447700900999" });
    meta.person(ADA).says("Hi");
    const outcomes = [
      send(meta, textTo("447700900999", "never answered")),
      meta.idle(),
      meta.waitFor(() => false, 60_000),
    ].map((promise) =>
      promise.then(
        () => "resolved",
        (error: Error) => error.message,
      ),
    );
    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.waitFor(() => meta.deliveries[0]?.attempts.length === 1 && meta.faults.injected.length === 1);

    await meta.stop();

    expect(await Promise.all(outcomes)).toEqual([
      "fetch failed",
      expect.stringContaining("stopped"),
      expect.stringContaining("stopped"),
    ]);
    expect(meta.deliveries.map(({ outcome }) => outcome)).toEqual(["abandoned"]);
    await expect(fetch(meta.url)).rejects.toThrow("fetch failed");
  });
});
