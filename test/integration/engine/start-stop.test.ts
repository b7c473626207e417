/** Starting and stopping: what is under way finishes, what cannot is given back at once, and another instance goes on. */
import type { Reply, Turn } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import type { Pipeline } from "../../../plugin/pipeline/pipeline.ts";
import type { Host } from "../../../plugin/ports.ts";
import { expectEnded } from "../../faults/support/pass-lines.ts";
import { allQuiet, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { instance, LONG_LEASE_MS } from "./instance.ts";
import { channelFor, delivery, type Engine, gate, message, startEngine } from "./support.ts";

describe("stop", () => {
  it("lets the turn under way finish, and claims nothing more", async () => {
    const engine = await startEngine({ leaseMs: LONG_LEASE_MS });
    const thinking = gate("hello");
    const asked: Turn[] = [];
    const one = instance(engine.store, asking(asked, thinking.promise));
    one.start();
    await store(engine, one, "wamid.1");
    await until(() => asked.length === 1, "the turn");

    const stopped = one.stop(5_000);
    await store(engine, one, "wamid.2", "447700900456");
    thinking.open("hello");
    await stopped;

    expect(await engine.rows("select state from whatsapp_turns")).toEqual([{ state: 1 }]);
    expect(await engine.rows("select external_id from messages where role = 'user'")).toEqual([
      { external_id: "wamid.1" },
    ]);
    expect(await engine.rows("select 1 from whatsapp_lanes where lease_token is not null")).toEqual([]);
  });

  it("aborts the turn that takes too long, and another instance asks its host at once, with the same turn", async () => {
    const engine = await startEngine({ leaseMs: LONG_LEASE_MS });
    const asked: Turn[] = [];
    const never = gate("too late");
    const one = instance(engine.store, asking(asked, never.promise));
    const other = instance(engine.another(), asking(asked, "in time"));
    one.start();
    await store(engine, one, "wamid.1");
    await until(() => asked.length === 1, "the turn");

    await one.stop(50);
    other.start();
    await until(
      async () => (await engine.rows("select 1 from whatsapp_turns where state = 1"))[0],
      "the other instance to answer",
    );

    expect(asked[0]?.signal.aborted).toBe(true);
    expect(asked.map(({ turnId, attempt }) => [turnId, attempt])).toEqual([
      [asked[0]?.turnId, 1],
      [asked[0]?.turnId, 2],
    ]);
    expect(asked[1]?.messages).toEqual(asked[0]?.messages);
    // The first host answers after all; its instance has no lane any more.
    never.open("too late");
    await other.stop(1_000);
    expect(await engine.rows("select content from messages where role = 'assistant'")).toEqual([
      { content: "in time" },
    ]);
  });

  it("may be called twice, and at once with start", async () => {
    const engine = await startEngine();
    const one = instance(engine.store, { reply: () => null });

    one.start();
    await Promise.all([one.stop(1_000), one.stop(1_000)]);
    await one.stop(1_000);

    expect(await engine.rows("select 1 from whatsapp_lanes where lease_token is not null")).toEqual([]);
  });

  it("without start does nothing", async () => {
    const engine = await startEngine();

    await instance(engine.store, { reply: () => null }).stop(1_000);
  });

  it("leaves receiving and storing to go on: the next instance answers", async () => {
    const channel = await channelFor();
    await channel.plugin.stop();

    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await channel.meta.idle();

    expect(await channel.rows("select pending from whatsapp_lanes")).toEqual([{ pending: 1 }]);
    expect(channel.meta.accepted).toEqual([]);
  });
});

describe("stop under load", () => {
  it("gives everything back while deliveries still come in, and another instance answers each message once, in order", async () => {
    const asked: string[] = [];
    const host = (name: string) => async (turn: Turn) => {
      asked.push(name);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return `You said: ${turn.messages.map(({ text }) => text).join(" / ")}`;
    };
    const channel = await channelFor({ config: { leaseMs: LONG_LEASE_MS }, reply: host("one") });
    const other = await channelFor({
      database: channel.database,
      connect: false,
      start: false,
      config: { leaseMs: LONG_LEASE_MS, graphUrl: channel.meta.url },
      reply: host("other"),
    });
    const phones = Array.from({ length: 40 }, (_, i) => String(447700900300 + i));
    const people = phones.map((phoneNumber) => channel.meta.person({ name: "Somebody", phoneNumber }));
    const say = (text: string) => {
      for (const person of people) person.says(text);
    };
    say("one");
    await until(() => channel.meta.accepted.length > 3, "the first answers", 30_000);
    say("two");

    const told = performance.now();
    const stopped = channel.plugin.stop().then(() => performance.now() - told);
    say("three");
    expectEnded("stop()", await stopped, 10_000);
    const askedThen = asked.length;
    expect(await channel.rows("select lane_key from whatsapp_lanes where lease_token is not null")).toEqual([]);
    await channel.meta.idle();
    expect(asked.length).toBe(askedThen);
    const deliveries = channel.meta.deliveries.flatMap(({ attempts }) => attempts.map(({ status }) => status));
    expect(new Set(deliveries)).toEqual(new Set([200]));

    await other.plugin.start();
    await until(
      async () => (await channel.rows("select 1 from whatsapp_lanes where pending > 0")).length === 0,
      "the rest",
      30_000,
    );
    expect(asked.slice(askedThen)).not.toEqual([]);
    expect(new Set(asked.slice(askedThen))).toEqual(new Set(["other"]));
    await allQuiet(channel);
    for (const phone of phones) {
      const texts = channel.meta.accepted.filter(({ recipient }) => recipient === phone).map(({ text }) => text);
      expect(texts.flatMap((text) => text.replace("You said: ", "").split(" / "))).toEqual(["one", "two", "three"]);
    }
    expect(await channel.rows("select 1 from whatsapp_send_attempts")).toHaveLength(channel.meta.accepted.length);
  }, 60_000);

  it("is told to a load balancer from its first moment, until the next start", async () => {
    const thinking = gate("done");
    const channel = await channelFor({ reply: () => thinking.promise });
    const health = async () => {
      const answer = await fetch(`${channel.url}/health`);
      return [answer.status, await answer.json()];
    };
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await until(async () => (await channel.rows("select 1 from whatsapp_turns where attempts = 1"))[0], "the turn");
    expect(await health()).toEqual([200, { status: "ok" }]);

    const stopped = channel.plugin.stop();
    expect(await health()).toEqual([503, { status: "draining" }]);
    thinking.open("done");
    await stopped;
    expect(await health()).toEqual([503, { status: "draining" }]);

    await channel.plugin.start();
    expect(await health()).toEqual([200, { status: "ok" }]);
  });
});

describe("a database that is behind this version", () => {
  const health = async ({ url }: TestChannel) => {
    const answer = await fetch(`${url}/health`);
    return [answer.status, ((await answer.json()) as { error?: { code: string; message: string } }).error];
  };
  const PENDING = { code: "MIGRATIONS_PENDING", message: expect.stringContaining("whatsapp-channel migrate") };

  it("is said by start, by the health route, and with its SQLSTATE by the log, until it is migrated", async () => {
    const channel = await channelFor({ connect: false, start: false, plugin: { schema: "not_migrated" } });

    await expect(channel.plugin.start()).rejects.toMatchObject(PENDING);
    expect(await health(channel)).toEqual([503, PENDING]);
    const status = await fetch(`${channel.url}/status`, { headers: { "x-tenant": TENANT } });
    expect(status.status).toBe(500);
    expect(channel.logs).toContainEqual(
      expect.objectContaining({ level: "error", fields: expect.objectContaining({ error: "error 42P01" }) }),
    );

    await channel.plugin.migrate();
    await channel.plugin.start();
    expect(await health(channel)).toEqual([200, undefined]);
  });

  it("is said by what is missing, and one that is ahead of it is as good", async () => {
    const channel = await channelFor({ connect: false, start: false });
    await channel.rows("insert into whatsapp_migrations (name) values ('29990101000001_of_a_newer_version')");
    await channel.plugin.start();
    await channel.plugin.stop();
    const [last] = await channel.rows<{ name: string }>(
      "delete from whatsapp_migrations where name like '%row_level_security' returning name",
    );

    await expect(channel.plugin.start()).rejects.toMatchObject({ message: expect.stringContaining(last!.name) });
  });

  it("is not said where its ledger is hidden from whoever runs the host", async () => {
    const channel = await channelFor({ connect: false, start: false });
    await channel.rows("delete from whatsapp_migrations");

    await channel.plugin.start();

    expect(await health(channel)).toEqual([200, undefined]);
  });
});

describe("start", () => {
  it("after stop works again, sends included", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("one");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await channel.plugin.stop();
    ada.says("two");

    await channel.plugin.start();
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    await allQuiet(channel);

    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["You said: one", "You said: two"]);
  });
});

/** A host that notes what it is asked. */
function asking(asked: Turn[], answer: Reply | Promise<Reply>): Pick<Host, "reply"> {
  return {
    reply(turn) {
      asked.push(turn);
      return answer;
    },
  };
}

async function store({ store: on }: Engine, pipeline: Pipeline, id: string, phone?: string): Promise<void> {
  await on.inbox.record([delivery(message({ id, ...(phone === undefined ? {} : { phone }) }))]);
  pipeline.onStored();
}
