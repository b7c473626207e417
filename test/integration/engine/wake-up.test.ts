/** Rules 9 and 11: a kick makes it at once, a poll makes it certain, and one connection is enough for everything. */
import { describe, expect, it } from "vitest";
import { allQuiet, quiet, until } from "../../support/channel.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { channelFor, gate, transactionsEnd } from "./support.ts";

describe("work", () => {
  it("goes from webhook to answer by kicks alone, without waiting for any poll", async () => {
    const channel = await channelFor({ plugin: { pollMs: 600_000 }, config: { coalesceMs: 50 } });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    for (const text of ["one", "two"]) {
      ada.says(text);
      await channel.meta.waitFor(() => channel.meta.accepted.some((sent) => sent.text === `You said: ${text}`), 5_000);
    }

    await allQuiet(channel);
    expect(channel.events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["message", "status"]));
  });

  it("that another instance stored and left is done within a poll", async () => {
    const database = await createTestDatabase();
    const door = await channelFor({ database, start: false });
    const worker = await channelFor({
      database,
      connect: false,
      plugin: { pollMs: 200 },
      meta: { enforceWindow: false },
    });

    door.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await door.meta.idle();
    await worker.meta.waitFor(() => worker.meta.accepted.length === 1, 5_000);

    expect(worker.meta.accepted[0]?.text).toBe("You said: hello");
    expect(door.meta.accepted).toEqual([]);
    await quiet(worker);
  });

  it("is done by nobody before start", async () => {
    const channel = await channelFor({ start: false });

    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await channel.meta.idle();

    expect(await channel.rows("select pending, lease_token, attempts from whatsapp_lanes")).toEqual([
      { pending: 1, lease_token: null, attempts: 0 },
    ]);
    await channel.plugin.start();
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
  });
});

describe("with a pool of one connection", () => {
  it("thirty webhooks at once are all stored, answered and told", async () => {
    const database = await createTestDatabase();
    const knex = database.connect({ min: 0, max: 1 });
    const channel = await channelFor({ database, plugin: { knex }, meta: { webhookConcurrency: 30 } });

    const people = Array.from({ length: 30 }, (_, n) =>
      channel.meta.person({ name: `Person ${n}`, phoneNumber: String(447700900100 + n) }),
    );
    for (const [n, person] of people.entries()) person.says(`hello ${n}`);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 30, 15_000);
    await allQuiet(channel);

    expect(channel.meta.accepted.map(({ text }) => text).sort()).toEqual(
      people.map((_person, n) => `You said: hello ${n}`).sort(),
    );
    expect(
      new Set(channel.events.flatMap((event) => (event.kind === "message" ? event.event.messageId : []))).size,
    ).toBe(30);
  });

  it("the host may use the connection while it thinks, and others are answered meanwhile", async () => {
    const database = await createTestDatabase();
    const knex = database.connect({ min: 0, max: 1 });
    const thinking = gate("at last");
    let counted = 0;
    const channel = await channelFor({
      database,
      plugin: { knex },
      async reply(turn) {
        counted += Number((await knex("messages").count({ n: "*" }))[0]?.n);
        return turn.messages[0]?.text === "slow" ? thinking.promise : "quick";
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("slow");
    await until(() => counted > 0, "the slow turn");

    channel.meta.person({ name: "Ben", phoneNumber: "447700900456" }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);

    expect(channel.meta.accepted[0]?.text).toBe("quick");
    await transactionsEnd(channel.rows);
    thinking.open("at last");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    await allQuiet(channel);
  });
});
