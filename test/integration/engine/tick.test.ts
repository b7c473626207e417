/** A host that is only alive while it is called: everything is done by ticks, once, and nothing is left behind by one. */
import type { Turn, WhatsAppPlugin } from "@omniops/whatsapp";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { APP_SECRET, quiet, type TestChannel, TOKEN_KEYS, VERIFY_TOKEN } from "../../support/channel.ts";
import { ADA, channelFor, gate } from "./support.ts";

/** So long that only giving a lane back can explain that it comes back. */
const LONG_LEASE_MS = 600_000;

const leased = (channel: TestChannel) =>
  channel.rows("select lane_key from whatsapp_lanes where lease_token is not null");

/** Another process on the same database, as a serverless host has many of. */
function another(channel: TestChannel, reply: (turn: Turn) => string | Promise<string>): WhatsAppPlugin {
  return createWhatsAppPlugin({
    knex: channel.database.connect(),
    config: {
      metaAppSecret: APP_SECRET,
      verifyToken: VERIFY_TOKEN,
      tokenKeys: TOKEN_KEYS,
      graphUrl: channel.meta.url,
      coalesceMs: 0,
      leaseMs: LONG_LEASE_MS,
    },
    reply,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
}

describe("a host that never calls start", () => {
  it("answers by one tick, a burst together, and hears of what became of it by the next", async () => {
    const channel = await channelFor({ start: false, config: { coalesceMs: 200 } });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("one");
    ada.says("two");
    await channel.meta.idle();

    const first = await channel.plugin.tick();
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["You said: one / two"]);
    // Meta's statuses may come while it is at it.
    expect(first).toMatchObject({ done: { turns: 1, sends: 1 }, upkeep: true });
    expect(first.done.events).toBeGreaterThanOrEqual(2);
    expect(first.done.hostEvents).toBeGreaterThanOrEqual(2);

    await channel.meta.idle();
    const second = await channel.plugin.tick();
    await quiet(channel);
    expect(second.done).toMatchObject({ turns: 0, sends: 0 });
    expect(channel.events.flatMap((event) => (event.kind === "status" ? [event.state] : []))).toEqual(
      expect.arrayContaining(["delivered"]),
    );
    expect(await channel.plugin.tick()).toMatchObject({
      done: { events: 0, turns: 0, sends: 0, hostEvents: 0 },
      more: false,
      nextInMs: null,
    });
  });

  it("is told when to come again: a turn that has failed is not waited for", async () => {
    let fails = true;
    const channel = await channelFor({
      start: false,
      reply: () => {
        if (fails) throw new Error("the AI is away");
        return "here again";
      },
      plugin: { retry: { maxAttempts: 3, baseMs: 60_000, maxMs: 60_000 } },
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await channel.meta.idle();

    const report = await channel.plugin.tick();
    expect(report.more).toBe(false);
    expect(report.nextInMs).toBeGreaterThan(30_000);

    fails = false;
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'turn'");
    await channel.plugin.tick();
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["here again"]);
  });
});

describe("ticks at the same time", () => {
  it("double nothing, and keep the order of each conversation, beside a running instance too", async () => {
    const channel = await channelFor({ start: false });
    const runs = another(channel, (turn) => `You said: ${turn.messages.map(({ text }) => text).join(" / ")}`);
    const people = Array.from({ length: 12 }, (_, i) =>
      channel.meta.person({ name: `Person ${i}`, phoneNumber: String(447700900200 + i) }),
    );
    for (const text of ["one", "two", "three"]) for (const person of people) person.says(text);
    await channel.meta.idle();

    await runs.start();
    await Promise.all([channel.plugin.tick(), channel.plugin.tick(), runs.tick()]);
    await channel.meta.idle();
    await channel.plugin.tick();
    await quiet(channel);
    await runs.stop();

    for (const [i] of people.entries()) {
      const answers = channel.meta.accepted
        .filter(({ recipient }) => recipient === String(447700900200 + i))
        .map(({ text }) => text);
      const heard = answers.flatMap((text) => text.replace("You said: ", "").split(" / "));
      expect(heard).toEqual(["one", "two", "three"]);
    }
    expect(await channel.rows("select 1 from whatsapp_send_attempts")).toHaveLength(channel.meta.accepted.length);
  });

  it("share the upkeep: one of them does it", async () => {
    const channel = await channelFor({ start: false, plugin: { upkeepMs: 600_000 } });
    await channel.rows(
      "insert into whatsapp_webhooks (webhook_type, body, created_at) values ('message', '', now() - interval '40 days')",
    );

    const reports = await Promise.all([channel.plugin.tick(), channel.plugin.tick(), channel.plugin.tick()]);

    expect(reports.filter(({ upkeep }) => upkeep)).toHaveLength(1);
    expect(await channel.rows("select 1 from whatsapp_webhooks")).toEqual([]);
    expect((await channel.plugin.tick()).upkeep).toBe(false);
    await channel.rows("update whatsapp_upkeep set due_at = now()");
    expect((await channel.plugin.tick()).upkeep).toBe(true);
  });

  it("do not wait for whoever does it more seldom: its turn came for longer than theirs lasts", async () => {
    const channel = await channelFor({ start: false, plugin: { upkeepMs: 600_000 } });
    await channel.rows("insert into whatsapp_upkeep (task, due_at) values ('all', now() + interval '290 seconds')");
    expect((await channel.plugin.tick()).upkeep).toBe(false);

    for (const due of ["now() + interval '330 seconds'", "'infinity'"]) {
      await channel.rows(`update whatsapp_upkeep set due_at = ${due}`);
      expect((await channel.plugin.tick()).upkeep).toBe(true);
      expect((await channel.plugin.tick()).upkeep).toBe(false);
    }
  });
});

describe("a tick whose time is over", () => {
  it("gives back what it holds and says that there is more: the next one asks the host for the same turn", async () => {
    const asked: Turn[] = [];
    const never = gate("too late");
    const channel = await channelFor({
      start: false,
      config: { leaseMs: LONG_LEASE_MS },
      reply(turn) {
        asked.push(turn);
        return never.promise;
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await channel.meta.idle();

    let report = await channel.plugin.tick({ maxMs: 400 });
    // A busy machine may not even come to the turn in that time.
    while (asked.length === 0) report = await channel.plugin.tick({ maxMs: 400 });

    expect(report).toMatchObject({ done: { turns: 0, sends: 0 }, more: true, nextInMs: 0 });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(await leased(channel)).toEqual([]);

    const other = another(channel, (turn) => {
      asked.push(turn);
      return "in time";
    });
    await other.tick();
    never.open("too late");
    await channel.plugin.tick();

    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ turnId: asked[0]?.turnId, attempt: (asked[0]?.attempt ?? 0) + 1 });
    expect(asked[1]?.messages).toEqual(asked[0]?.messages);
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["in time"]);
  });

  it("lets what is under way finish in the time that it keeps for that, and begins nothing new", async () => {
    const asked = gate();
    const thinking = gate("done");
    const channel = await channelFor({
      start: false,
      reply() {
        asked.open();
        return thinking.promise;
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await channel.meta.idle();

    const ticking = channel.plugin.tick({ maxMs: 40_000 });
    await asked.promise;
    thinking.open("done");

    expect((await ticking).done).toMatchObject({ turns: 1, sends: 1 });
    expect(await leased(channel)).toEqual([]);
  });
});

describe("tick", () => {
  it("refuses a time that is none", async () => {
    const channel = await channelFor({ start: false });

    for (const maxMs of [0, 99, 1.5, Number.NaN, 900_001])
      await expect(channel.plugin.tick({ maxMs })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("says so when the database is away", async () => {
    const channel = await channelFor({ start: false });
    const gone = another(channel, () => "hello");
    await channel.database.knex.raw("alter table whatsapp_lanes rename to gone");

    await expect(gone.tick({ maxMs: 500 })).rejects.toThrow();
    await channel.database.knex.raw("alter table gone rename to whatsapp_lanes");
    await expect(gone.tick({ maxMs: 500 })).resolves.toMatchObject({ more: false });
  });
});
