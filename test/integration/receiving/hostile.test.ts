/** Signed, and still not what anybody expects: stored as it came, applied as far as it goes, and nobody falls over. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { beforeEach, describe, expect, it } from "vitest";
import { APP_SECRET, quiet, startChannel, until } from "../../support/channel.ts";
import { bytesOf, change, delivery, inboxOf, post, stored, textOf } from "./deliveries.ts";
import { CANARY, useReceiver } from "./receiver.ts";

describe("a hostile delivery", () => {
  const receiver = useReceiver();
  beforeEach(() => receiver.channel.rows("truncate messages cascade"));

  const NESTED = `${'{"a":['.repeat(50_000)}${"]}".repeat(50_000)}`;
  it.each<[string, string | Buffer, RegExp]>([
    ["100,000 levels of nesting", NESTED, /^quarantined: nested deeper than 64 levels$/],
    ["words", "this is not JSON", /^quarantined: not JSON$/],
    ["half a delivery", textOf({ id: "wamid.half", text: "x" }).subarray(0, 200), /^quarantined: not JSON$/],
    ["bytes that are no text", Buffer.from([0, 1, 0xff, 0xfe, 0x80, 0]), /^quarantined: not JSON$/],
    ["nothing", "", /^quarantined: not JSON$/],
    ["a number that Postgres cannot hold", '{"entry":[],"n":1e400000}', /^quarantined: Postgres refused it \(22003\)$/],
  ])(
    "of %s is acknowledged, kept byte for byte with its reason, and the next one is applied",
    async (name, body, reason) => {
      const { channel } = receiver;
      const bytes = Buffer.from(body);

      expect(await post(channel, bytes)).toMatchObject({ status: 200, body: "" });
      expect(await post(channel, textOf({ id: `wamid.after.${name}`, text: "still here" }))).toMatchObject({
        status: 200,
      });
      await quiet(channel);

      const [webhook] = await stored(channel);
      expect(webhook).toMatchObject({ processed: false, payload: null, error: expect.stringMatching(reason) });
      expect(webhook?.body.equals(bytes)).toBe(true);
      expect(await inboxOf(channel)).toEqual(["still here"]);
    },
  );

  it("that cannot be read is a line in the log, with the reason and without a word of it", async () => {
    const { channel } = receiver;

    await post(channel, Buffer.from(`{"text":"${CANARY.text}"`));

    expect(channel.logs).toContainEqual({
      level: "warn",
      message: "webhook quarantined",
      fields: expect.objectContaining({ reason: "quarantined: not JSON", webhookId: expect.any(String) }),
    });
  });

  it("of JSON that is no delivery is acknowledged and leaves nothing to do", async () => {
    const { channel } = receiver;
    for (const json of ["null", "[]", "0", '"text"', "{}", '{"entry":{}}', '{"entry":[null,1,{"changes":"x"}]}'])
      expect(await post(channel, Buffer.from(json))).toMatchObject({ status: 200 });

    expect(await stored(channel)).toHaveLength(7);
    expect((await stored(channel)).filter(({ processed, error }) => !processed || error !== null)).toEqual([]);
  });

  it.each([
    ["NUL", "a\u0000b", "a\ufffdb"],
    ["half a character", "cut \ud83d", "cut \ufffd"],
    ["the other half", "\ude00 cut", "\ufffd cut"],
  ])("with %s is stored as it came, shown mended, and holds nobody up", async (name, text, shown) => {
    const { channel } = receiver;
    const bytes = textOf({ id: `wamid.${name}`, text });

    await post(channel, bytes);
    await post(channel, textOf({ id: `wamid.${name}.next`, text: "the next one" }));
    await quiet(channel);

    const [webhook] = await stored(channel);
    expect(webhook?.body.equals(bytes)).toBe(true);
    expect(webhook).toMatchObject({ processed: true, error: null });
    expect(JSON.stringify(webhook?.payload)).toContain(JSON.stringify(shown));
    expect(await inboxOf(channel)).toEqual([shown, "the next one"]);
  });

  it("fails alone when it shares a commit with others", async () => {
    const { channel } = receiver;
    const good = Array.from({ length: 20 }, (_, i) => textOf({ id: `wamid.neighbour${i}`, text: `neighbour ${i}` }));
    const bad = Buffer.from('{"entry":[],"n":1e400000}');

    // In one turn of the event loop, so that they do share it; what is received may be answered 200.
    const received = await Promise.all(
      [...good.slice(0, 10), bad, ...good.slice(10)].map((rawBody) =>
        channel.plugin.receive({ rawBody, signature: signatureOf(rawBody, APP_SECRET) }),
      ),
    );
    await quiet(channel);

    expect(received.map(({ events }) => events.length)).toEqual(received.map((_, i) => (i === 10 ? 0 : 1)));
    expect(await inboxOf(channel)).toHaveLength(20);
    expect((await stored(channel)).filter(({ error }) => error !== null)).toHaveLength(1);
    expect(
      channel.logs.filter(({ level, message }) => level === "warn" && message === "webhook quarantined"),
    ).toHaveLength(1);
  });

  it("with an id of 2 MB is kept as unsupported and does not block the number", async () => {
    const { channel } = receiver;

    expect(await post(channel, textOf({ id: "x".repeat(2_000_000), text: "long id" }))).toMatchObject({ status: 200 });
    await post(channel, textOf({ id: "wamid.short", text: "short id" }));
    await quiet(channel);

    expect((await stored(channel)).map(({ processed, error }) => ({ processed, error }))).toEqual([
      { processed: true, error: null },
      { processed: true, error: null },
    ]);
    expect(await inboxOf(channel)).toEqual(["short id"]);
  });

  it("of more events than Meta would ever put together is kept and not applied", async () => {
    const { channel } = receiver;
    const messages = Array.from({ length: 5_001 }, (_, i) => ({
      id: `wamid.${i}`,
      from: "447700900123",
      type: "text",
    }));
    const metadata = { phone_number_id: "301777000333444" };
    const changes = [{ field: "messages", value: { metadata, messages } }];

    const answer = await post(channel, bytesOf({ entry: [{ id: "201555000111222", changes }] }));

    expect(answer.status).toBe(200);
    expect(await stored(channel)).toMatchObject([{ payload: null, error: "quarantined: more than 5000 events" }]);
  });
});

describe("the largest delivery that Meta may send", () => {
  it("of 1,000 changes in 2.9 MB from 400 people is acknowledged, stored byte for byte and applied to the last", async () => {
    const channel = await startChannel({ reply: () => null });
    const filler = "lorem ipsum ".repeat(215);
    const changes = Array.from({ length: 1_000 }, (_, i) =>
      change({ id: `wamid.big${i}`, text: `${i} ${filler}`, from: `4477001${String(i % 400).padStart(5, "0")}` }),
    );
    const bytes = delivery(changes);
    expect(bytes.length).toBeGreaterThan(2_850_000);
    expect(bytes.length).toBeLessThan(3 * 1024 * 1024);
    const startedAt = performance.now();

    const answer = await post(channel, bytes);
    const acknowledgedAt = performance.now();
    await until(async () => (await stored(channel))[0]?.processed, "all of it to be applied", 50_000);
    const appliedAt = performance.now();

    expect(answer.status).toBe(200);
    const [webhook] = await stored(channel);
    expect(webhook).toMatchObject({ processed: true, error: null });
    expect(webhook?.body.equals(bytes)).toBe(true);
    const texts = new Set((await inboxOf(channel)).map((text) => text.split(" ")[0]));
    expect(texts.size).toBe(1_000);
    const [people] = await channel.rows<{ count: string }>("select count(*) from conversations");
    expect(people?.count).toBe("400");
    const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(2);
    console.log(
      `${(bytes.length / 1e6).toFixed(1)} MB, 1,000 changes, 400 people: acknowledged in ` +
        `${seconds(startedAt, acknowledgedAt)} s, applied ${seconds(acknowledgedAt, appliedAt)} s later`,
    );
  }, 60_000);
});
