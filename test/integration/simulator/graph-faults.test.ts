/** What may go wrong with a call, on purpose. */
import { describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  ADA,
  call,
  NUMBER,
  PROOF,
  send,
  startHost,
  startSimulator,
  statuses,
  textTo,
} from "./simulated.ts";

describe("faults of Graph", () => {
  it.each([
    ["reset-before-accept", 0],
    ["accept-then-reset", 1],
  ] as const)("%s breaks the connection with %d messages accepted", async (kind, accepted) => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.person(ADA).says("Hi");
    meta.faults.next({ do: kind });

    await expect(send(meta, textTo(ADA.phoneNumber, "one"))).rejects.toThrow("fetch failed");
    await meta.idle();

    expect(meta.accepted).toHaveLength(accepted);
    expect(statuses(host)).toHaveLength(accepted * 3);
    expect((await send(meta, textTo(ADA.phoneNumber, "two"))).status).toBe(200);
    expect(meta.faults.injected).toMatchObject([{ do: kind, on: "messages", to: ADA.phoneNumber }]);
  });

  it.each([
    ["accept-then-500", 500, ""],
    ["garbage", 200, "<!doctype html><title>Sorry</title>"],
  ] as const)("%s accepts and answers nonsense", async (kind, status, text) => {
    const meta = await startSimulator();
    meta.faults.next({ on: "messages", do: kind });

    const response = await fetch(`${meta.url}/v25.0/${NUMBER.phoneNumberId}/messages?appsecret_proof=${PROOF}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ACCESS_TOKEN}` },
      body: JSON.stringify(textTo(ADA.phoneNumber, "Hi")),
    });

    expect([response.status, await response.text()]).toEqual([status, text]);
    expect(meta.accepted).toHaveLength(1);
  });

  it.each([
    ["hang", 0],
    ["accept-then-hang", 1],
  ] as const)("%s never answers, with %d messages accepted", async (kind, accepted) => {
    const meta = await startSimulator();
    meta.faults.next({ do: kind });
    const caller = new AbortController();

    const sending = send(meta, textTo(ADA.phoneNumber, "Hi"), { signal: caller.signal });
    await meta.waitFor(() => meta.faults.injected.length === 1 && meta.accepted.length === accepted);
    caller.abort();

    await expect(sending).rejects.toThrow("aborted");
    expect(meta.accepted).toHaveLength(accepted);
  });

  it("slow accepts at once and answers late", async () => {
    const meta = await startSimulator();
    meta.faults.next({ do: "slow", ms: 60 });
    const startedAt = performance.now();

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hi"));

    expect(answer.status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
  });

  it("lets one message in so long through where less than one a second is allowed", async () => {
    let at = Date.parse("2026-11-28T12:00:00Z");
    const meta = await startSimulator({ messagesPerSecond: 0.5, now: () => new Date(at) });
    const codeNow = async () => (await send(meta, textTo(ADA.phoneNumber, "Hi"))).body.error?.code ?? 200;

    const codes = [await codeNow(), await codeNow()];
    at += 2_000;
    codes.push(await codeNow());

    expect(codes).toEqual([200, 130429, 200]);
  });

  it("answers any Graph error, for a recipient and a number of times", async () => {
    const meta = await startSimulator();
    meta.faults.next({ do: { error: { code: 130429 } }, times: 2, to: "+447700900123" });
    meta.faults.next({ do: { error: { code: 131000, subcode: 7, message: "Ouch" } }, to: "447700900124" });

    const answers = [];
    for (const to of ["447700900124", "447700900123", "447700900123", "447700900123", "447700900124"]) {
      answers.push(await send(meta, textTo(to, "Hi")));
    }

    expect(answers.map(({ body }) => body.error?.code ?? 200)).toEqual([131000, 130429, 130429, 200, 200]);
    expect(answers[0]).toMatchObject({ status: 500, body: { error: { message: "Ouch", error_subcode: 7 } } });
    expect(meta.accepted).toHaveLength(2);
  });

  it("befalls other calls by name", async () => {
    const meta = await startSimulator();
    meta.faults.next({ on: "subscribed_apps", do: { error: { code: 200 } } });

    const sent = await send(meta, textTo(ADA.phoneNumber, "Hi"));
    const refused = await call(meta, `${NUMBER.wabaId}/subscribed_apps`, { method: "POST" });

    expect([sent.status, refused.status]).toEqual([200, 403]);
  });

  it("happens at random in the same places for the same seed, until cleared", async () => {
    const run = async () => {
      const meta = await startSimulator();
      meta.faults.random({ rate: 0.5, kinds: [{ error: { code: 131000 } }, { error: { code: 131016 } }], seed: 42 });
      const codes = [];
      for (let count = 0; count < 20; count += 1) {
        codes.push((await send(meta, textTo("447700900123", "x"))).body.error?.code ?? 200);
      }
      meta.faults.clear();
      return { codes, afterwards: (await send(meta, textTo("447700900123", "x"))).status };
    };

    const first = await run();
    const second = await run();

    expect(second).toEqual(first);
    expect(new Set(first.codes)).toEqual(new Set([200, 131000, 131016]));
    expect(first.afterwards).toBe(200);
  });
});
