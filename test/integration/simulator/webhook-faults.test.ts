/** What may go wrong with deliveries, on purpose. */
import { describe, expect, it } from "vitest";
import {
  ADA,
  payloads,
  send,
  startHost,
  startSimulator,
  statuses,
  textTo,
  untilIn,
  values,
  wamidOf,
} from "./simulated.ts";

describe("faults of webhooks", () => {
  it("repeat deliveries byte for byte", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.faults.webhooks({ duplicate: 2 });

    meta.person(ADA).says("Hi");
    await meta.idle();

    expect(host.received).toHaveLength(3);
    expect(new Set(host.received.map(({ bytes }) => bytes.toString())).size).toBe(1);
    expect(meta.deliveries.map(({ copyOf }) => copyOf)).toEqual([null, 1, 1]);
  });

  it("lose statuses and nothing else", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ dropStatusesRate: 1 });
    ada.says("Hi");

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host)).toEqual([]);
    expect(host.received).toHaveLength(1);
    expect(ada.transcript().at(-1)?.status).toBe("read");
  });

  it("shuffle statuses and spare what people write", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, seed: 3 });
    const ada = meta.person(ADA);
    // Far more than what lies between two statuses, also on a slow machine.
    meta.faults.webhooks({ shuffle: "statuses", shuffleMs: 400 });
    for (const text of ["1", "2", "3"]) ada.says(text);

    for (let count = 0; count < 5; count += 1) await send(meta, textTo(ADA.phoneNumber, String(count)));
    await meta.idle();

    const written = values(host).flatMap(({ messages = [] }) => messages);
    expect(written.map(({ text }) => text)).toEqual([{ body: "1" }, { body: "2" }, { body: "3" }]);
    expect(statuses(host)).toHaveLength(15);
    const rank = { sent: 0, delivered: 1, read: 2 } as Record<string, number>;
    const isInOrder = ({ wamid }: { readonly wamid: string }) =>
      statuses(host)
        .filter(({ id }) => id === wamid)
        .every(({ status }, index) => rank[status] === index);
    expect(meta.accepted.every(isInOrder)).toBe(false);
  });

  it("let the first status overtake the answer to the send", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, statusBatch: { max: 9, windowMs: 50 } });
    meta.person(ADA).says("Hi");
    await meta.idle();
    meta.faults.webhooks({ statusesBeforeResponse: true });

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hello"));
    const receivedByThen = statuses(host).map(({ id, status }) => ({ id, status }));

    expect(receivedByThen[0]).toEqual({ id: wamidOf(answer), status: "sent" });
  });

  it("put retries together in one delivery", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: untilIn(500) });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ rebatchRetries: true });
    host.answers.push(500, 500, 500);

    const wamids = ["1", "2", "3"].map((text) => ada.says(text));
    await meta.idle();

    expect(meta.deliveries.map(({ outcome }) => outcome)).toEqual(["acknowledged", "acknowledged", "acknowledged"]);
    const together = payloads(host).flatMap(({ entry }) => entry.map(({ changes }) => changes.length));
    expect(Math.max(...together)).toBeGreaterThan(1);
    const seen = values(host).flatMap(({ messages = [] }) => messages.map(({ id }) => id));
    expect(new Set(seen)).toEqual(new Set(wamids));
  });
});
