/** T7, T8, T10, T16, T17, T22, H4: signed by the wrong app, captured and played again, cut in pieces, dressed up, misnamed. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it, onTestFinished } from "vitest";
import { allQuiet, NUMBER, quiet, startChannel, type TestChannel, until } from "../../support/channel.ts";
import {
  answeredBodies,
  bytesOf,
  change,
  delivery,
  inboxOf,
  post,
  request,
  signed,
  stored,
  tenantRows,
  textOf,
} from "../receiving/deliveries.ts";
import { connect, head, linesOf } from "../receiving/raw-http.ts";

async function channelFor(options: Parameters<typeof startChannel>[0] = {}): Promise<TestChannel> {
  const channel = await startChannel({ reply: () => null, ...options });
  onTestFinished(() => channel.stop());
  return channel;
}

describe("three Meta apps at one host", () => {
  it("take each what its own app has signed, and nothing of the others'", async () => {
    const first = await channelFor({
      config: { metaAppSecret: "secret-of-app-0" },
      meta: { appSecret: "secret-of-app-0" },
    });
    const others = await Promise.all(
      ["secret-of-app-1", "secret-of-app-2"].map((secret) =>
        channelFor({
          config: { metaAppSecret: secret },
          meta: { appSecret: secret },
          database: first.database,
          connect: false,
        }),
      ),
    );
    const apps = [first, ...others];

    const matrix: number[][] = [];
    for (const [route, app] of apps.entries()) {
      matrix[route] = [];
      for (const signer of apps.keys()) {
        const bytes = textOf({ id: `wamid.app${route}${signer}`, text: "crossed" });
        const headers = { "x-hub-signature-256": signatureOf(bytes, `secret-of-app-${signer}`) };
        matrix[route].push((await post(app, bytes, headers)).status);
      }
    }

    expect(matrix).toEqual([
      [200, 401, 401],
      [401, 200, 401],
      [401, 401, 200],
    ]);
    expect(await stored(first)).toHaveLength(3);
  });
});

describe("a delivery that was captured", () => {
  const DAY = 24 * 3600 * 1000;
  /** As Meta wrote it so long ago. */
  const written = (id: string, days: number) => {
    const one = change({ id, text: `text ${id}` }) as { value: { messages: { timestamp: string }[] } };
    for (const message of one.value.messages) message.timestamp = String(Math.floor((Date.now() - days * DAY) / 1000));
    return one;
  };
  const age = async (channel: TestChannel, days: number) => {
    for (const table of ["whatsapp_webhooks", "whatsapp_events", "whatsapp_turns", "whatsapp_host_events", "messages"])
      await channel.rows(`update ${table} set created_at = created_at - ${days} * interval '1 day'`);
  };
  const effects = (channel: TestChannel) =>
    channel.rows(
      `select (select count(*)::int from messages) as messages, (select count(*)::int from conversations) as conversations,
         (select count(*)::int from whatsapp_turns) as turns, (select count(*)::int from whatsapp_outbox) as parts,
         (select max(session_expires) > now() from whatsapp_sessions) as is_open`,
    );

  it("has its effects once when it is played a hundred times, and put together otherwise", async () => {
    const channel = await channelFor({ reply: () => "answered" });
    const three = ["wamid.r1", "wamid.r2", "wamid.r3"].map((id) => written(id, 0));
    const bytes = delivery(three);

    await post(channel, bytes);
    // Also what Meta tells of the answer afterwards: it fails it, since nobody has written in the simulator, and the window closes.
    await allQuiet(channel);
    const before = await effects(channel);
    expect(before).toMatchObject([{ messages: 4, parts: 1 }]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(channel, bytes)));
    for (const part of [three.slice(0, 1), three.slice(1), [...three].reverse()]) await post(channel, delivery(part));
    await allQuiet(channel);

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await effects(channel)).toEqual(before);
    expect(channel.events.filter(({ kind }) => kind === "message")).toHaveLength(3);
  });

  it("is known as the same for 29 days, and after that too old to wake, answer or open anything", async () => {
    const channel = await channelFor({ reply: () => "answered" });
    const marker = delivery([written("wamid.marker", 31)]);
    await post(channel, marker);
    await quiet(channel);
    await age(channel, 2);
    const bytes = delivery([written("wamid.played", 29)]);
    await post(channel, bytes);
    await quiet(channel);
    await age(channel, 29);
    await channel.rows("update whatsapp_sessions set session_expires = session_expires - interval '29 days'");
    const events = async () =>
      (await channel.rows<{ external_id: string }>("select external_id from whatsapp_events")).map(
        (one) => one.external_id,
      );
    await until(async () => !(await events()).includes("wamid.marker"), "what is older than 30 days to go");
    const before = await effects(channel);

    await post(channel, bytes);
    await quiet(channel);
    expect(await events()).toEqual(["wamid.played"]);
    expect(await effects(channel)).toEqual(before);

    await age(channel, 11);
    await until(async () => (await events()).length === 0, "its key to go as well");
    await post(channel, bytes);
    await quiet(channel);
    // Shown once, whoever remembers it; late, so that nobody answers and no window opens.
    expect(await events()).toEqual(["wamid.played"]);
    expect(await effects(channel)).toEqual(before);
    expect(channel.meta.accepted).toEqual([]);
  });
});

describe("headers that a proxy would set", () => {
  const SPOOFED = {
    "x-ssl-client-verify": "SUCCESS",
    "x-ssl-client-s-dn": "CN=client.webhooks.fbclientcerts.com",
    "x-client-cert": "-----BEGIN CERTIFICATE-----",
    "x-forwarded-for": "173.252.88.1",
    "x-forwarded-host": "graph.facebook.com",
    "x-forwarded-proto": "https",
    forwarded: "for=173.252.88.1;host=graph.facebook.com;proto=https",
    "x-hub-verified": "true",
  };

  it("prove nothing, and change nothing", async () => {
    const channel = await channelFor();
    const bytes = textOf({ id: "wamid.spoofed", text: "spoofed" });

    expect((await post(channel, bytes, { "content-type": "application/json", ...SPOOFED })).status).toBe(401);
    expect((await request("GET", `${channel.url}/status`, SPOOFED)).status).toBe(403);
    expect(await stored(channel)).toEqual([]);
    expect((await post(channel, bytes, { ...signed(bytes), ...SPOOFED })).status).toBe(200);
  });
});

describe("a body in chunks that breaks off", () => {
  it.each(["ends", "is reset"])("anywhere is never acknowledged when the connection %s", async (how) => {
    const channel = await channelFor({ start: false });
    const bytes = textOf({ id: "wamid.cut", text: "x" });
    const half = bytes.length >> 1;
    const chunks = [bytes.subarray(0, half), bytes.subarray(half)].flatMap((part) => [
      Buffer.from(`${part.length.toString(16)}\r\n`),
      part,
      Buffer.from("\r\n"),
    ]);
    const whole = Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
    const hook = `${channel.url}/webhook`;

    const told: (number | undefined)[] = [];
    for (let from = 0; from < whole.length; from += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, whole.length - from) }, async (_, i) => {
          const connection = await connect(hook);
          await connection.write(head(hook, ["Transfer-Encoding: chunked", ...linesOf(signed(bytes))]));
          await connection.write(whole.subarray(0, from + i));
          if (how === "ends") connection.end();
          else connection.reset();
          told.push((await connection.answer)?.status);
        }),
      );

    expect(told).toHaveLength(whole.length);
    expect(told.filter((status) => status !== undefined && status !== 400)).toEqual([]);
    expect(await stored(channel)).toEqual([]);
    expect(await post(channel, bytes)).toMatchObject({ status: 200 });
  });
});

describe("a change that says it is something else", () => {
  it("is never taken for a message: by its field alone is decided what it is", async () => {
    const channel = await channelFor();
    const { value } = change({ id: "wamid.confused", text: "as if it were a message" }) as { value: object };
    // One without a field at all is looked at: Meta's own examples leave it out.
    const fields = ["message_template_status_update", "account_update", "phone_number_quality_update", "no_such_field"];

    for (const field of fields)
      await post(channel, bytesOf({ entry: [{ id: NUMBER.wabaId, changes: [{ field, value }] }] }));
    await quiet(channel);

    expect((await stored(channel)).map(({ error }) => error)).toEqual(fields.map(() => null));
    expect(await tenantRows(channel)).toBe(0);
    expect(channel.events.filter(({ kind }) => kind === "message")).toEqual([]);
  });
});

describe("names that reach into every object", () => {
  it("reach nothing, from the delivery to what is stored, answered and told", async () => {
    const channel = await channelFor({ reply: () => "answered" });
    const poison = '"__proto__":{"polluted":"yes","toString":1},"constructor":{"prototype":{"polluted":"yes"}}';
    const bytes = Buffer.from(
      textOf({ id: "wamid.proto", text: "hello" }).toString().replaceAll("{", `{${poison},`).replaceAll(`,}`, "}"),
    );

    expect(await post(channel, bytes)).toMatchObject({ status: 200 });
    await quiet(channel);
    await channel.meta.idle();

    expect(await inboxOf(channel)).toEqual(["hello"]);
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["answered"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(`${{}}`).toBe("[object Object]");
    expect(answeredBodies.join()).not.toContain("polluted");
  });
});
