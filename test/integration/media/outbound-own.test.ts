/** Media of the tenant's own and bytes: kept before they are sent, uploaded before the attempt begins. */
import { createHash } from "node:crypto";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { APP_SECRET, allQuiet, quiet, TENANT, TOKEN_KEYS, until, VERIFY_TOKEN } from "../../support/channel.ts";
import { APP_ID } from "../../support/connecting.ts";
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

describe("the tenant's own media", () => {
  it("leave by the id of ours, with the name that they were kept under", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: { error: { code: 131016 } } });

    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(receipt.parts).toMatchObject([{ kind: "image", error: null }]);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[0]?.id });
  });

  it("end failed when Meta never takes them, with the reason", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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

  it("wait while Meta does not take our app secret, and the number goes on", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: { error: { code: 104 } } });

    const { sendId } = await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await until(
      // Half a minute is its safety net.
      async () =>
        (
          await channel.rows(
            "update whatsapp_lanes set ready_at = now() where stage = 'out' and ready_at > now() + interval '20 seconds' returning 1",
          )
        )[0],
      "it to be kept",
    );
    await quiet(channel);

    expect((await channel.plugin.receipt(sendId, TENANT))?.parts).toMatchObject([{ error: null }]);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[0]?.id });
    expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "connected" }]);
  });

  it.each([133010, 131031, 368])(
    "wait while Meta refuses what is of their number (%i), which is paused",
    async (code) => {
      const channel = await start(SILENT);
      const ada = await conversationOf(channel);
      const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
      channel.meta.faults.next({ on: "media-upload", do: { error: { code } } });

      const { sendId } = await channel.plugin.send({
        conversationId: ada,
        response: { text: "look", media: [{ kind: "image", mediaId }], choices: [{ id: "a", title: "A" }] },
      });

      await channel.until(
        async () => (await channel.rows("select 1 from whatsapp_connections where pause_strikes = 1"))[0],
        "the number to be paused",
      );
      expect(await channel.rows("select state, error ->> 'excused' as excused from whatsapp_send_attempts")).toEqual([
        { state: "rejected", excused: "true" },
      ]);
      await channel.rows("update whatsapp_connections set paused_until = now()");
      await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'out'");
      await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
      await allQuiet(channel);
      expect((await channel.plugin.receipt(sendId, TENANT))?.parts.map(({ state }) => state)).toEqual(["read", "read"]);
    },
  );

  it("fail when Meta refuses them to a token that it calls valid, and the number goes on", async () => {
    const channel = await start({ ...SILENT, config: { metaAppId: APP_ID } });
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: { error: { code: 10 } } });

    const { sendId } = await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await quiet(channel);

    expect((await channel.plugin.receipt(sendId, TENANT))?.parts).toMatchObject([
      { state: "failed", error: { code: "GRAPH_REJECTED", meta: { code: 10 } } },
    ]);
    expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "connected" }]);
  });
});

describe("bytes", () => {
  it("are kept before the message is, so that a process that ends sends them when it comes back", async () => {
    const first = await start(SILENT);
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
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
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
    const channel = await start({
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const bob = await conversationOf(channel, "Bob", "447700900456");
    let go = () => {};
    const after = new Promise<void>((resolve) => {
      go = resolve;
    });
    pages.set("https://files.example/a.jpg", { type: "image/jpeg", body: FILES.jpeg(), after });

    await channel.plugin.send({ conversationId: ada, message: { kind: "image", url: "https://files.example/a.jpg" } });
    await channel.plugin.send({ conversationId: ada, response: "after the picture" });
    await until(() => fetched.length === 1, "the picture to be asked for");
    expect(await channel.rows("select 1 from whatsapp_send_attempts")).toEqual([]);
    for (let i = 0; i < 5; i += 1) await channel.plugin.send({ conversationId: bob, response: `to Bob ${i}` });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 5);
    go();

    await channel.meta.waitFor(() => channel.meta.accepted.length === 7);
    expect(channel.meta.accepted.map(({ type, text }) => (type === "text" ? text : type))).toEqual([
      ...Array.from({ length: 5 }, (_, i) => `to Bob ${i}`),
      "image",
      "after the picture",
    ]);
    await quiet(channel);
  });

  it("that a process did not survive is made again, and the message is sent once", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ on: "media-upload", do: "accept-then-hang" });

    await channel.plugin.send({ conversationId: ada, message: { kind: "image", mediaId } });
    await channel.meta.waitFor(() => channel.meta.uploads.length === 1);
    // As after a kill: the lease ends, and whoever comes next knows nothing of the upload.
    await channel.rows("update whatsapp_lanes set lease_token = null, ready_at = now() where stage = 'out'");
    const next = createWhatsAppPlugin({
      knex: channel.database.connect({ min: 0, max: 4 }),
      config: {
        metaAppSecret: APP_SECRET,
        verifyToken: VERIFY_TOKEN,
        tokenKeys: TOKEN_KEYS,
        graphUrl: channel.meta.url,
        mediaDir: channel.mediaDir,
      },
      reply: () => null,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      pollMs: 50,
    });
    await next.start();
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1, 15_000);
    await allQuiet(channel);

    await next.stop();
    expect(channel.meta.uploads).toHaveLength(2);
    expect(channel.meta.accepted).toHaveLength(1);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("that Meta has lost is made again, once", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    await sent(channel, ada, { message: { kind: "image", mediaId } });
    channel.meta.forgetUpload(channel.meta.uploads[0]?.id ?? "");

    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(receipt.parts).toMatchObject([{ error: null }]);
    expect(channel.meta.uploads).toHaveLength(2);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("that Meta took and could not use later is made again with the next message", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ do: { failed: { code: 131053 } } });
    await sent(channel, ada, { message: { kind: "image", mediaId } });

    const receipt = await sent(channel, ada, { message: { kind: "image", mediaId } });

    expect(receipt.parts).toMatchObject([{ error: null }]);
    expect(channel.meta.uploads).toHaveLength(2);
    expect(lastBody(channel)?.image).toEqual({ id: channel.meta.uploads[1]?.id });
  });

  it("is repeated when it is old, before Meta forgets it", async () => {
    const channel = await start(SILENT);
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
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    // Whoever asked them would fail.
    await channel.rows("alter table whatsapp_media_uploads rename to hidden_uploads");
    await channel.rows("alter table whatsapp_media rename to hidden_media");

    const receipt = await sent(channel, ada, { response: { text: "no picture" } });

    expect(receipt.parts).toMatchObject([{ kind: "text", error: null }]);
  });

  it("is not made for a raw message, which leaves as it was given", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const image = { link: "https://files.example/raw.jpg" };

    await sent(channel, ada, { message: { kind: "raw", type: "image", payload: { image }, content: "a picture" } });

    expect(lastBody(channel)?.image).toEqual(image);
    expect(fetched).toEqual([]);
  });

  it("is not made for what the host gives its Flow to work with, whatever its members are called", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const nobodys = "7d9f6c1e-3c1b-4c57-9b59-2f1f0a2f8a11";
    const data = {
      document: { id: nobodys, title: "Invoice" },
      image: { link: "https://files.example/data.jpg" },
      mediaId: nobodys,
      cards: [{ header: { media: "image", mediaId: "brochure-7" } }],
    };
    const flow = { kind: "flow", text: "Sign", flow: { id: "123456" }, label: "Open", screen: "SIGN", data } as const;

    await sent(channel, ada, { message: flow });

    expect(lastBody(channel)).toMatchObject({
      interactive: { action: { parameters: { flow_action_payload: { screen: "SIGN", data } } } },
    });
    expect(fetched).toEqual([]);
  });
});

it("an id in a template that cannot be one of ours is refused as such", async () => {
  const channel = await start(SILENT);
  const conversationId = await conversationOf(channel);
  const header = { media: "image", mediaId: "brochure-7" } as const;

  const template = { name: "spring_menu", language: "en_GB", params: { header, body: ["Ada"] } };

  await expect(channel.plugin.send({ conversationId, template })).rejects.toMatchObject({ code: "TEMPLATE_INVALID" });
});
