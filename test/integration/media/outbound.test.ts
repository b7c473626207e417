/** Media that leave: fetched and given to Meta before the message is attempted, once for each number and content. */
import { createHash } from "node:crypto";
import type { AiResponse, OutboundMessage, SendReceipt } from "@omniops/whatsapp";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createFilesystemMediaStore } from "../../../adapters/media-store/filesystem.ts";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createMediaRecords } from "../../../adapters/postgres/media.ts";
import { quiet, startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { conversationOf, FILES } from "./outbound-media.ts";
import { fetched, names, pages } from "./table-web.ts";

vi.mock("../../../adapters/web/web.ts", async () => ({
  createWeb: (await import("./table-web.ts")).tableWeb,
}));

beforeEach(() => {
  pages.clear();
  names.clear();
  fetched.length = 0;
});

const SILENT = { reply: () => null };

async function sent(
  channel: TestChannel,
  conversationId: string,
  what: { message: OutboundMessage } | { response: AiResponse },
): Promise<SendReceipt> {
  const before = channel.meta.accepted.length;
  const { sendId } = await channel.plugin.send({ conversationId, ...what });
  await channel.meta.waitFor(() => channel.meta.accepted.length > before);
  await channel.meta.idle();
  await quiet(channel);
  return (await channel.plugin.receipt(sendId, TENANT)) as SendReceipt;
}

const lastBody = (channel: TestChannel) => channel.meta.accepted.at(-1)?.body;

/** As `/media/upload` keeps it. */
async function keep(
  channel: TestChannel,
  bytes: Uint8Array,
  about: { mime: string; kind?: "image" | "document" | "audio"; filename?: string; tenant?: string },
) {
  const db = createDatabase(channel.database.knex, { schema: "public", hostSchema: "public" });
  const records = createMediaRecords(db);
  const customerConfigId = about.tenant ?? TENANT;
  const storageKey = await records.reserve(customerConfigId);
  await createFilesystemMediaStore(channel.mediaDir).put(
    storageKey,
    (async function* () {
      yield bytes;
    })(),
    { mime: about.mime },
  );
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return records.keep(
    {
      customerConfigId,
      storageKey,
      kind: about.kind ?? "image",
      filename: about.filename ?? null,
      mime: about.mime,
      size: bytes.byteLength,
      sha256,
    },
    Number.POSITIVE_INFINITY,
  );
}

describe("a picture at an address", () => {
  it("is fetched, given to Meta and sent by its id, once for all who get it", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const bob = await conversationOf(channel, "Bob", "447700900456");
    const body = FILES.jpeg();
    pages.set("https://files.example/cake.jpg", { type: "image/jpeg", body });
    const message = { kind: "image", url: "https://files.example/cake.jpg", caption: "A cake" } as const;

    const receipt = await sent(channel, ada, { message });
    await sent(channel, ada, { message });
    await sent(channel, bob, { message });

    expect(receipt).toMatchObject({ degraded: [], parts: [{ kind: "image", error: null }] });
    expect(fetched).toEqual(["https://files.example/cake.jpg"]);
    const [upload] = channel.meta.uploads;
    expect(channel.meta.uploads).toMatchObject([
      { mime: "image/jpeg", sha256: createHash("sha256").update(body).digest("hex"), size: body.byteLength },
    ]);
    expect(channel.meta.accepted.map((one) => one.body.image)).toEqual(
      Array.from({ length: 3 }, () => ({ id: upload?.id, caption: "A cake" })),
    );
  });

  it("is found at Meta by its content, whatever its address", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const body = FILES.jpeg();
    for (const url of ["https://files.example/1.jpg", "https://files.example/2.jpg"]) {
      pages.set(url, { type: "image/jpeg", body });
      await sent(channel, ada, { message: { kind: "image", url } });
    }

    expect(fetched).toHaveLength(2);
    expect(channel.meta.uploads).toHaveLength(1);
  });

  it("in an answer leaves in its place among the texts", async () => {
    pages.set("https://files.example/cake.jpg", { type: "image/jpeg", body: FILES.jpeg() });
    const channel = await startChannel({
      reply: () => ({
        text: "Look:",
        media: [{ kind: "image", url: "https://files.example/cake.jpg" }],
        choices: [{ id: "a", title: "Nice" }],
      }),
    });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("show me");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 3);
    await quiet(channel);

    expect(channel.meta.accepted.map(({ type }) => type)).toEqual(["text", "image", "interactive"]);
    expect(channel.meta.accepted[1]?.body.image).toEqual({ id: channel.meta.uploads[0]?.id });
  });

  it("in a header and on cards is given to Meta too", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const url = "https://files.example/head.jpg";
    pages.set(url, { type: "image/jpeg", body: FILES.jpeg() });
    const buttons = [{ id: "a", title: "A" }];

    await sent(channel, ada, {
      message: { kind: "buttons", text: "Choose", header: { media: "image", url }, buttons },
    });
    const card = { header: { media: "image" as const, url }, buttons };
    await sent(channel, ada, { message: { kind: "carousel", text: "Choose", cards: [card, card] } });

    const id = channel.meta.uploads[0]?.id;
    expect(channel.meta.uploads).toHaveLength(1);
    expect(JSON.stringify(channel.meta.accepted.map(({ body }) => body)).split(`{"id":"${id}"}`)).toHaveLength(4);
    expect(JSON.stringify(channel.meta.accepted.map(({ body }) => body))).not.toContain("files.example");
  });

  it("that cannot be fetched is left to Meta", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);

    const receipt = await sent(channel, ada, { message: { kind: "image", url: "https://files.example/gone.jpg" } });

    expect(receipt.degraded).toEqual([]);
    expect(lastBody(channel)?.image).toEqual({ link: "https://files.example/gone.jpg" });
    expect(channel.meta.uploads).toEqual([]);
  });

  it("that Meta does not take from us is left to Meta", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/a.jpg", { type: "image/jpeg", body: FILES.jpeg() });
    channel.meta.faults.next({ on: "media-upload", do: "accept-then-reset" });

    await sent(channel, ada, { message: { kind: "image", url: "https://files.example/a.jpg" } });

    expect(lastBody(channel)?.image).toEqual({ link: "https://files.example/a.jpg" });
  });

  it.each([
    ["leads inside", "https://inside.example/a.jpg"],
    ["redirects inside", "https://files.example/redirect"],
    ["names an address inside", "https://169.254.169.254/latest"],
  ])("that %s is a link in the text", async (_what, url) => {
    names.set("inside.example", ["10.0.0.7"]);
    pages.set("https://inside.example/a.jpg", { type: "image/jpeg", body: FILES.jpeg() });
    pages.set("https://files.example/redirect", { status: 302, location: "https://inside.example/a.jpg" });
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);

    const receipt = await sent(channel, ada, { message: { kind: "image", url, caption: "Look" } });

    expect(fetched.filter((one) => one.includes("inside"))).toEqual([]);
    expect(lastBody(channel)).toMatchObject({ type: "text", text: { body: `Look\n${url}` } });
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "media", from: "image", to: "link" }],
      parts: [{ kind: "text", error: null }],
    });
    const shown = await channel.rows("select content, media_type from messages where role = 'assistant'");
    expect(shown).toEqual([{ content: `Look\n${url}`, media_type: null }]);
  });

  it("whose link Meta refuses too is a link in the text", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await sent(channel, ada, { message: { kind: "image", url: "https://files.example/gone.jpg" } });

    expect(lastBody(channel)).toMatchObject({ type: "text", text: { body: "https://files.example/gone.jpg" } });
    expect(receipt.degraded).toEqual([{ part: 0, what: "media", from: "image", to: "link" }]);
    expect(channel.meta.accepted).toHaveLength(1);
  });
});

describe("a file is sent as what it is", () => {
  it.each([
    ["a WebP picture", "image", FILES.webp(), "image/webp", "document"],
    ["a film that was called a picture", "image", FILES.mp4(), "image/jpeg", "video"],
    ["a picture that was called a sticker", "sticker", FILES.jpeg(), "image/webp", "image"],
    ["a page that was called a film", "video", FILES.pdf(), "video/mp4", "document"],
    ["Opus in two channels", "audio", FILES.opus(2), "audio/ogg", "document"],
  ] as const)("%s", async (_what, kind, body, type, to) => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/a%20b.bin", { type, body });

    const receipt = await sent(channel, ada, { message: { kind, url: "https://files.example/a%20b.bin" } });

    const id = channel.meta.uploads[0]?.id;
    expect(lastBody(channel)).toMatchObject({
      type: to,
      [to]: to === "document" ? { id, filename: "a b.bin" } : { id },
    });
    expect(receipt).toMatchObject({ degraded: [{ part: 0, what: "media", from: kind, to }], parts: [{ kind: to }] });
    expect(channel.meta.accepted.at(-1)?.failureCode).toBeNull();
  });

  it("a picture that is too large, and a type that Meta takes by link only, stay links, as documents", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/large.jpg", { type: "image/jpeg", body: FILES.jpeg(5_000_001) });
    pages.set("https://files.example/all.zip", { type: "application/zip", body: FILES.zip() });

    await sent(channel, ada, { message: { kind: "image", url: "https://files.example/large.jpg" } });
    expect(lastBody(channel)?.document).toEqual({ link: "https://files.example/large.jpg", filename: "large.jpg" });
    await sent(channel, ada, {
      message: { kind: "document", url: "https://files.example/all.zip", filename: "all.zip" },
    });
    expect(lastBody(channel)?.document).toEqual({ link: "https://files.example/all.zip", filename: "all.zip" });
    expect(channel.meta.uploads).toEqual([]);
  });

  it("Opus in one channel is a voice note, and a sticker a sticker", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/a.ogg", { type: "audio/ogg", body: FILES.opus(1) });
    pages.set("https://files.example/a.webp", { type: "image/webp", body: FILES.webp() });

    await sent(channel, ada, { message: { kind: "audio", url: "https://files.example/a.ogg", voice: true } });
    expect(lastBody(channel)?.audio).toEqual({ id: channel.meta.uploads[0]?.id, voice: true });
    const receipt = await sent(channel, ada, { message: { kind: "sticker", url: "https://files.example/a.webp" } });
    expect(lastBody(channel)?.sticker).toEqual({ id: channel.meta.uploads[1]?.id });
    expect(receipt.degraded).toEqual([]);
  });

  it("another sound is no voice note, and the receipt says so", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/a.m4a", { type: "audio/mp4", body: FILES.mp4() });

    const receipt = await sent(channel, ada, {
      message: { kind: "audio", url: "https://files.example/a.m4a", voice: true },
    });

    expect(lastBody(channel)?.audio).toEqual({ id: channel.meta.uploads[0]?.id });
    expect(receipt.degraded).toEqual([{ part: 0, what: "media.voice", from: "voice note", to: "audio" }]);
  });
});

describe("the tenant's own media", () => {
  it("leave by the id of ours, with the name that they were kept under", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.pdf(), {
      mime: "application/pdf",
      kind: "document",
      filename: "menu.pdf",
    });

    await sent(channel, ada, { message: { kind: "document", mediaId, caption: "The menu" } });
    await sent(channel, ada, { response: { media: [{ kind: "document", mediaId }] } });

    const id = channel.meta.uploads[0]?.id;
    expect(channel.meta.uploads).toHaveLength(1);
    expect(channel.meta.accepted.map((one) => one.body.document)).toEqual([
      { id, caption: "The menu", filename: "menu.pdf" },
      { id, filename: "menu.pdf" },
    ]);
  });

  it("of another tenant are refused before anything is stored", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const other = "00000000-0000-4000-8000-000000000002";
    await channel.rows("insert into customer_configs (id) values (?)", [other]);
    const theirs = await keep(channel, FILES.jpeg(), { mime: "image/jpeg", tenant: other });

    for (const mediaId of [theirs, "00000000-0000-4000-8000-00000000000f"])
      for (const what of [
        { message: { kind: "image" as const, mediaId } },
        { response: { media: [{ kind: "image" as const, mediaId }] } },
        {
          message: {
            kind: "buttons" as const,
            text: "a",
            header: { media: "image" as const, mediaId },
            buttons: [{ id: "a", title: "A" }],
          },
        },
      ])
        await expect(channel.plugin.send({ conversationId: ada, ...what })).rejects.toMatchObject({
          code: "MEDIA_NOT_FOUND",
        });

    expect(await channel.rows("select 1 from whatsapp_sends")).toEqual([]);
    expect(channel.meta.uploads).toEqual([]);
  });

  it("wait for Meta to take them, because they have no link", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: { error: { code: 131016 } } });

    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(receipt.parts).toMatchObject([{ kind: "image", error: null }]);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[0]?.id });
  });

  it("end failed when Meta never takes them, with the reason", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: { error: { code: 131016 } }, times: 9 });

    const { sendId } = await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await quiet(channel);

    expect((await channel.plugin.receipt(sendId, TENANT))?.parts).toMatchObject([
      { state: "failed", error: { code: "GRAPH_REJECTED", meta: { code: 131016 } } },
    ]);
    expect(channel.meta.accepted).toEqual([]);
  });

  it("wait for a reconnect when Meta refuses the token", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.revokeToken();

    const { sendId } = await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await until(
      async () => (await channel.rows("select 1 from whatsapp_connections where state = 'reauth_required'"))[0],
      "the refusal",
    );

    expect((await channel.plugin.receipt(sendId, TENANT))?.parts).toMatchObject([{ state: "queued" }]);
    expect(await channel.rows("select 1 from whatsapp_send_attempts")).toEqual([]);
  });
});

describe("bytes", () => {
  it("are kept before the message is, so that a process that ends sends them when it comes back", async () => {
    const first = await startChannel(SILENT);
    const ada = await conversationOf(first);
    await first.plugin.stop();
    const bytes = FILES.pdf(100_000);
    const message = { kind: "document", bytes, mime: "application/pdf", filename: "bill.pdf" } as const;

    const { sendId } = await first.plugin.send({ conversationId: ada, message });
    expect(first.meta.uploads).toEqual([]);
    // Nothing of it is in this process any more.
    bytes.fill(0);
    await first.plugin.start();
    await first.meta.waitFor(() => first.meta.accepted.length === 1);

    expect(first.meta.accepted[0]?.body.document).toEqual({ id: first.meta.uploads[0]?.id, filename: "bill.pdf" });
    expect(first.meta.uploads[0]?.sha256).not.toBe(createHash("sha256").update(bytes).digest("hex"));
    await quiet(first);
    expect((await first.plugin.receipt(sendId, TENANT))?.parts).toMatchObject([{ kind: "document", error: null }]);
  });

  it("belong to the person, and are kept once", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const bytes = FILES.jpeg();
    const send = (idempotencyKey?: string) =>
      channel.plugin.send({
        conversationId: ada,
        message: { kind: "image", bytes, mime: "image/jpeg" },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });

    const [one, again] = [await send("key"), await send("key")];
    await send();

    expect(again.sendId).toBe(one.sendId);
    await expect(
      channel.plugin.send({
        conversationId: ada,
        message: { kind: "image", bytes: FILES.jpeg(), mime: "image/jpeg" },
        idempotencyKey: "key",
      }),
    ).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    const rows = await channel.rows(
      "select m.contact_id = c.id as theirs from whatsapp_media m, whatsapp_contacts c where m.sha256 = ?",
      [createHash("sha256").update(bytes).digest("hex")],
    );
    expect(rows).toEqual([{ theirs: true }]);
    await quiet(channel);
  });

  it("that WhatsApp does not take are refused before anything is stored", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);

    for (const [bytes, mime, code] of [
      [FILES.zip(), "application/pdf", "MEDIA_TYPE_UNSUPPORTED"],
      [FILES.gif(), "image/gif", "MEDIA_TYPE_UNSUPPORTED"],
      [FILES.jpeg(5_000_001), "image/jpeg", "MEDIA_TYPE_UNSUPPORTED"],
      [new Uint8Array(), "image/jpeg", "MESSAGE_INVALID"],
    ] as const)
      await expect(
        channel.plugin.send({ conversationId: ada, message: { kind: "image", bytes, mime } }),
      ).rejects.toMatchObject({ code });

    expect(await channel.rows("select 1 from whatsapp_sends")).toEqual([]);
    expect(await channel.rows("select 1 from whatsapp_media")).toEqual([]);
  });

  it("may be in an answer", async () => {
    const bytes = FILES.opus(1);
    const channel = await startChannel({
      reply: () => ({ media: [{ kind: "audio", bytes, mime: "audio/ogg", voice: true }] }),
    });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("say something");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);

    expect(lastBody(channel)?.audio).toEqual({ id: channel.meta.uploads[0]?.id, voice: true });
    await quiet(channel);
  });
});

describe("an upload", () => {
  it("ends before the attempt begins, holds up nobody else, and keeps the order of its own conversation", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const bob = await conversationOf(channel, "Bob", "447700900456");
    pages.set("https://files.example/a.jpg", { type: "image/jpeg", body: FILES.jpeg() });
    channel.meta.faults.next({ on: "media-upload", do: "slow", ms: 1_500 });

    await channel.plugin.send({ conversationId: ada, message: { kind: "image", url: "https://files.example/a.jpg" } });
    await channel.plugin.send({ conversationId: ada, response: "after the picture" });
    await channel.meta.waitFor(() => channel.meta.uploads.length === 1);
    expect(await channel.rows("select 1 from whatsapp_send_attempts")).toEqual([]);
    for (let i = 0; i < 5; i += 1) await channel.plugin.send({ conversationId: bob, response: `to Bob ${i}` });

    await channel.meta.waitFor(() => channel.meta.accepted.length === 7);
    expect(channel.meta.accepted.map(({ type, text }) => (type === "text" ? text : type))).toEqual([
      ...Array.from({ length: 5 }, (_, i) => `to Bob ${i}`),
      "image",
      "after the picture",
    ]);
    await quiet(channel);
  });

  it("that a process did not survive is made again, and the message is sent once", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: "accept-then-hang" });

    await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await channel.meta.waitFor(() => channel.meta.uploads.length === 1);
    // As after a kill: the lease ends, and whoever comes next knows nothing of the upload.
    await channel.rows(
      "update whatsapp_lanes set lease_token = gen_random_uuid(), ready_at = now() where stage = 'out'",
    );
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1, 15_000);
    await channel.meta.idle();
    await quiet(channel);

    expect(channel.meta.uploads).toHaveLength(2);
    expect(channel.meta.accepted).toHaveLength(1);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("that Meta has lost is made again, once", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    await sent(channel, ada, { message: { kind: "image", mediaId } });
    channel.meta.forgetUpload(channel.meta.uploads[0]?.id ?? "");

    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(receipt.parts).toMatchObject([{ error: null }]);
    expect(channel.meta.uploads).toHaveLength(2);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("is repeated when it is old, before Meta forgets it", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    await sent(channel, ada, { message: { kind: "image", mediaId } });
    const [row] = await channel.rows<{ days: number }>(
      "select extract(epoch from expires_at - now()) / 86400 as days from whatsapp_media_uploads",
    );
    expect(Number(row?.days)).toBeGreaterThan(28.9);
    expect(Number(row?.days)).toBeLessThan(29.1);
    await channel.rows("update whatsapp_media_uploads set expires_at = now()");

    await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(channel.meta.uploads).toHaveLength(2);
  });

  it("is nothing that a message without media knows of", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const statements: string[] = [];
    channel.database.knex.on("query", ({ sql }: { sql: string }) => void statements.push(sql));

    await sent(channel, ada, { response: { text: "no picture" } });

    expect(statements.length).toBeGreaterThan(3);
    expect(statements.filter((sql) => sql.includes("whatsapp_media"))).toEqual([]);
  });

  it("is not made for a raw message, which leaves as it was given", async () => {
    const channel = await startChannel(SILENT);
    const ada = await conversationOf(channel);
    const image = { link: "https://files.example/raw.jpg" };

    await sent(channel, ada, { message: { kind: "raw", type: "image", payload: { image }, content: "a picture" } });

    expect(lastBody(channel)?.image).toEqual(image);
    expect(fetched).toEqual([]);
  });
});
