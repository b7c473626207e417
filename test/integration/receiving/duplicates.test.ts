/** Meta delivers at least once, to several processes, in whatever batches: each change has one effect. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { quiet } from "../../support/channel.ts";
import { channelFor } from "../engine/support.ts";
import { change, delivery, inboxOf, post, stored, textOf } from "./deliveries.ts";

describe("the same delivery", () => {
  it("twenty times at once is acknowledged twenty times and has one effect", async () => {
    const channel = await channelFor({ reply: () => "answered" });
    const bytes = textOf({ id: "wamid.once", text: "hello" });

    const answers = await Promise.all(Array.from({ length: 20 }, () => post(channel, bytes)));
    await quiet(channel);
    await channel.meta.idle();

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const copies = (await stored(channel)).filter(({ body }) => body.equals(bytes));
    expect(copies).toHaveLength(20);
    expect(copies.every(({ processed }) => processed)).toBe(true);
    expect(await inboxOf(channel)).toEqual(["hello"]);
    expect(channel.events.filter(({ kind }) => kind === "message")).toHaveLength(1);
    expect(channel.meta.accepted).toHaveLength(1);
  });

  it("to two processes at once has one effect", async () => {
    const one = await channelFor({ reply: () => null });
    const other = await channelFor({ reply: () => null, database: one.database, connect: false });
    const texts = Array.from({ length: 10 }, (_, i) => textOf({ id: `wamid.two${i}`, text: `text ${i}` }));

    await Promise.all(texts.flatMap((bytes) => [post(one, bytes), post(other, bytes), post(other, bytes)]));
    await quiet(one);

    expect(await inboxOf(one)).toHaveLength(10);
    expect([...one.events, ...other.events].filter(({ kind }) => kind === "message")).toHaveLength(10);
  });

  it("put together otherwise, in another order and spelling, has no effect the second time", async () => {
    const channel = await channelFor({ reply: () => null });
    const written = ["a", "b", "c", "d"].map((text) => ({ id: `wamid.${text}`, text: `${text} é/` }));
    for (const one of written) await post(channel, textOf(one));
    await quiet(channel);
    const first = await inboxOf(channel);

    const again = delivery([...written, { id: "wamid.e", text: "new" }].reverse().map(change)).toString();
    await post(channel, Buffer.from(again));
    await post(channel, Buffer.from(JSON.stringify(JSON.parse(again), null, 2)));
    await quiet(channel);

    expect(first).toEqual(written.map(({ text }) => text));
    expect(await inboxOf(channel)).toEqual([...first, "new"]);
    expect((await stored(channel)).every(({ processed }) => processed)).toBe(true);
  });
});

describe("while the app secret is being rotated", () => {
  it.each([
    ["either secret", {}],
    ["either secret, though the other variable was left as it was", { appSecret: "the-old-app-secret" }],
  ])("deliveries signed with %s are taken, and the log and the row say which", async (_name, left) => {
    const NEW = "a-new-app-secret";
    const OLD = "the-old-app-secret";
    const channel = await channelFor({
      reply: () => null,
      config: { metaAppSecret: `${NEW},${OLD}`, ...left },
      meta: { appSecret: NEW },
    });
    const signedBy = (secret: string, id: string) => {
      const bytes = textOf({ id, text: id });
      return post(channel, bytes, { "x-hub-signature-256": signatureOf(bytes, secret) });
    };

    expect(await signedBy(NEW, "wamid.new")).toMatchObject({ status: 200 });
    expect(await signedBy(OLD, "wamid.old")).toMatchObject({ status: 200 });
    expect(await signedBy("some-third-secret", "wamid.third")).toMatchObject({ status: 401 });
    expect(await signedBy(`${NEW},${OLD}`, "wamid.both")).toMatchObject({ status: 401 });

    expect((await stored(channel)).map(({ secret_index }) => secret_index)).toEqual([0, 1]);
    expect(channel.logs.filter(({ message }) => message === "webhook stored, signed with the old app secret")).toEqual([
      { level: "info", message: expect.any(String), fields: expect.objectContaining({ secretIndex: 1, accepted: 1 }) },
    ]);
    expect(JSON.stringify(channel.logs)).not.toMatch(new RegExp(`${NEW}|${OLD}`));
  });
});
