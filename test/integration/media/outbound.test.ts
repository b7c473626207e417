/** Media at addresses: fetched and given to Meta, once for each number and content; where that fails, a link. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { allQuiet, NUMBER, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { conversationOf, FILES, keep, lastBody, SILENT, sent, start } from "./outbound-media.ts";
import { fetched, names, pages } from "./table-web.ts";

vi.mock("../../../adapters/web/web.ts", async () => ({
  createWeb: (await import("./table-web.ts")).tableWeb,
}));

beforeEach(() => {
  pages.clear();
  names.clear();
  fetched.length = 0;
});

const failedMedia = (id: string | null | undefined) => ({
  id,
  status: "failed",
  timestamp: "1700000000",
  recipient_id: "447700900123",
  errors: [{ code: 131053, title: "Media upload error" }],
});

function report(channel: TestChannel, status: object): void {
  const metadata = { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId };
  const value = { messaging_product: "whatsapp", metadata, statuses: [status] };
  channel.meta.deliver({
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  });
}

describe("a picture at an address", () => {
  it("is fetched, given to Meta and sent by its id, once for all who get it", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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
    const channel = await start({
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
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);

    const receipt = await sent(channel, ada, { message: { kind: "image", url: "https://files.example/gone.jpg" } });

    expect(receipt.degraded).toEqual([]);
    expect(lastBody(channel)?.image).toEqual({ link: "https://files.example/gone.jpg" });
    expect(channel.meta.uploads).toEqual([]);
  });

  it("that Meta does not take from us is left to Meta", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await sent(channel, ada, { message: { kind: "image", url: "https://files.example/gone.jpg" } });

    expect(lastBody(channel)).toMatchObject({ type: "text", text: { body: "https://files.example/gone.jpg" } });
    expect(receipt.degraded).toEqual([{ part: 0, what: "media", from: "image", to: "link" }]);
    expect(channel.meta.accepted).toHaveLength(1);
  });

  it.each([
    ["for the first time", 0],
    ["once more, though it was made anew", 1],
  ])("whose file Meta has from us and refuses %s is a link in the text", async (_when, before) => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const url = "https://files.example/cake.jpg";
    pages.set(url, { type: "image/jpeg", body: FILES.jpeg() });
    const message = { kind: "image", url, caption: "A cake" } as const;
    for (let i = 0; i < before; i += 1) await sent(channel, ada, { message });
    channel.meta.faults.next({ do: { error: { code: 131053 } }, times: 1 + before });

    const receipt = await sent(channel, ada, { message });

    expect(channel.meta.uploads).toHaveLength(1 + before);
    expect(lastBody(channel)).toMatchObject({ type: "text", text: { body: `A cake\n${url}` } });
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "media", from: "image", to: "link" }],
      parts: [{ kind: "text", error: null }],
    });
  });

  it("that was sent as something else, and is refused as that, is a link in the text", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const url = "https://files.example/a.webp";
    pages.set(url, { type: "image/webp", body: FILES.webp() });
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await sent(channel, ada, { message: { kind: "image", url } });

    expect(lastBody(channel)).toMatchObject({ type: "text", text: { body: `a.webp: ${url}` } });
    expect(receipt.degraded).toEqual([
      { part: 0, what: "media", from: "image", to: "document" },
      { part: 0, what: "media", from: "document", to: "link" },
    ]);
  });

  it("that Meta took and could not use later is made again with the next message", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const url = "https://files.example/cake.jpg";
    pages.set(url, { type: "image/jpeg", body: FILES.jpeg() });
    const message = { kind: "image", url } as const;
    channel.meta.faults.next({ do: { failed: { code: 131053 } } });
    await sent(channel, ada, { message });
    // The link that follows it.
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);

    const receipt = await sent(channel, ada, { message });

    expect(receipt.parts).toMatchObject([{ error: null }]);
    expect(channel.meta.uploads).toHaveLength(2);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("that Meta has accepted and then cannot show is followed by a link in a text, once, however often Meta says so", async () => {
    const url = "https://files.example/gone.jpg";
    // A status that is applied before the answer is leaves the acceptance nothing to tell.
    const channel = await start({ ...SILENT, meta: { cannotFetch: (link) => link === url, statusDelayMs: 300 } });
    const ada = await conversationOf(channel);
    channel.meta.faults.webhooks({ duplicate: 3 });

    const message = { kind: "image", url, caption: "Look" } as const;
    const { sendId } = await channel.plugin.send({ conversationId: ada, message });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    await allQuiet(channel);
    const pricing = { billable: false, pricing_model: "PMP", category: "service", type: "free_customer_service" };
    report(channel, { ...failedMedia(channel.meta.accepted[0]?.wamid), timestamp: "1800000000", pricing });
    await allQuiet(channel);

    expect(channel.meta.accepted.map(({ body }) => body.image ?? body.text)).toEqual([
      { link: url, caption: "Look" },
      { body: `Look\n${url}`, preview_url: true },
    ]);
    const receipt = await channel.plugin.receipt(sendId, TENANT);
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "media", from: "image", to: "link" }],
      parts: [
        { index: 0, kind: "image", state: "failed", error: { meta: { code: 131053 } } },
        { index: 1, kind: "text", state: "read", error: null },
      ],
    });
    const shown = await channel.rows(
      "select content, status from messages where role = 'assistant' order by created_at",
    );
    expect(shown).toEqual([expect.objectContaining({ status: "failed" }), { content: `Look\n${url}`, status: "read" }]);
    expect(channel.events.filter(({ kind }) => kind === "status")).toMatchObject([
      ...["accepted", "failed"].map((state) => ({ part: 0, state })),
      ...["accepted", "sent", "delivered", "read"].map((state) => ({ part: 1, state })),
    ]);
  });

  it("of the tenant's own, which no link shows, fails and nothing follows", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });
    report(channel, failedMedia(receipt.parts[0]?.messageId));
    await allQuiet(channel);

    expect((await channel.plugin.receipt(receipt.sendId, TENANT))?.parts).toHaveLength(1);
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
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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

  it("a document without a name has that of its address, in a header too, uploaded or left to Meta", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const url = "https://files.example/bills/invoice-7.pdf?sum=1";
    pages.set(url, { type: "application/pdf", body: FILES.pdf() });

    const receipt = await sent(channel, ada, { message: { kind: "document", url } });
    expect(lastBody(channel)?.document).toEqual({ id: channel.meta.uploads[0]?.id, filename: "invoice-7.pdf" });
    expect(receipt.degraded).toEqual([]);
    const header = { media: "document" as const, url };
    await sent(channel, ada, {
      message: { kind: "buttons", text: "Right?", header, buttons: [{ id: "a", title: "Yes" }] },
    });
    expect(lastBody(channel)?.interactive).toMatchObject({ header: { document: { filename: "invoice-7.pdf" } } });
    const gone = "https://files.example/gone.pdf";
    await sent(channel, ada, { message: { kind: "document", url: gone } });
    expect(lastBody(channel)?.document).toEqual({ link: gone, filename: "gone.pdf" });
  });

  it("Opus in one channel is a voice note, and a sticker a sticker", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    pages.set("https://files.example/a.m4a", { type: "audio/mp4", body: FILES.mp4() });

    const receipt = await sent(channel, ada, {
      message: { kind: "audio", url: "https://files.example/a.m4a", voice: true },
    });

    expect(lastBody(channel)?.audio).toEqual({ id: channel.meta.uploads[0]?.id });
    expect(receipt.degraded).toEqual([{ part: 0, what: "media.voice", from: "voice note", to: "audio" }]);
  });
});
