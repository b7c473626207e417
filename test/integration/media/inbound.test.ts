/** What people send: a message at once, its bytes in the turn when they come in time, and told when they come later. */
import { describe, expect, it } from "vitest";
import { NUMBER, quiet, TENANT } from "../../support/channel.ts";
import { APP_ID } from "../../support/connecting.ts";
import { ADA, DOCUMENT, PICTURE, readAll, startWithMedia, sumOf, VOICE } from "./files.ts";

describe("a picture", () => {
  it("is in the store, in the inbox and in the turn, with bytes that can be read", async () => {
    const { ada, asked, media, mediaStore, channel, told } = await startWithMedia();

    const wamid = ada.sendsMedia(PICTURE);
    const [message] = await asked();

    const [row] = await media();
    expect(message?.media).toMatchObject({
      kind: "image",
      mimeType: "image/jpeg",
      voice: false,
      id: row?.id,
      state: "stored",
      size: PICTURE.bytes.length,
      url: `/api/whatsapp/media/download/${row?.id}`,
    });
    expect((await readAll((await message?.media?.open()) as AsyncIterable<Uint8Array>)).equals(PICTURE.bytes)).toBe(
      true,
    );
    expect(row).toMatchObject({ state: "stored", sha256: sumOf(PICTURE.bytes), mime: "image/jpeg", message_id: wamid });
    expect(row?.storage_key).toMatch(new RegExp(`^${TENANT}/[A-Za-z0-9_-]{16,}$`));
    expect([...mediaStore.objects.keys()]).toEqual([row?.storage_key]);
    const [shown] = await channel.rows("select media_type, media_url, channel_metadata from messages");
    expect(shown).toMatchObject({
      media_type: "image",
      media_url: `/api/whatsapp/media/download/${row?.id}`,
      channel_metadata: { media: { id: row?.id, state: "stored" } },
    });
    await quiet(channel);
    // The turn has shown it already.
    expect(told()).toEqual([]);
    expect(channel.logs.filter(({ message }) => message === "media stored")).toMatchObject([
      { level: "info", fields: { mediaId: row?.id } },
    ]);
    expect(await channel.rows("select 1 from whatsapp_lanes where stage = 'media'")).toEqual([]);
    expect(await channel.rows("select 1 from whatsapp_media_leftovers")).toEqual([]);
  });

  it("is a message at once, and told when it comes after the turn", async () => {
    const { ada, meta, asked, told, channel } = await startWithMedia({ plugin: { mediaWaitMs: 0 } });
    meta.faults.next({ on: "media-download", do: "slow", ms: 3_000 });

    const wamid = ada.sendsMedia(PICTURE);
    const [message] = await asked();

    expect(message?.media).toMatchObject({ state: "pending", size: null, mimeType: "image/jpeg" });
    await expect(message?.media?.open()).rejects.toMatchObject({ code: "MEDIA_PENDING" });
    await channel.until(() => told().length > 0, "the host event");
    expect(told()).toMatchObject([
      {
        kind: "media",
        customerConfigId: TENANT,
        externalId: wamid,
        media: { id: message?.media?.id, kind: "image", state: "stored", size: PICTURE.bytes.length, reason: null },
      },
    ]);
  });

  it("lets its turn wait, and the turn go on at once when the last has come", async () => {
    const { ada, meta, asked, channel, turns } = await startWithMedia({ plugin: { mediaWaitMs: 60_000 } });
    meta.faults.next({ on: "media-download", do: "slow", ms: 300 });

    ada.says("Look at these:");
    ada.sendsMedia(PICTURE);
    ada.sendsMedia(DOCUMENT);
    const messages = await asked(3);

    // What was written before the first picture was known may have been a turn of its own.
    expect(messages.map(({ media }) => media?.state ?? null)).toEqual([null, "stored", "stored"]);
    expect(messages[2]?.media).toMatchObject({ filename: "order.pdf", mimeType: "application/pdf" });
    await quiet(channel);
    expect(turns.flatMap(({ attempt }) => attempt)).toEqual(turns.map(() => 1));
  });

  it("is not waited for longer than the host wants", async () => {
    const { ada, meta, asked, told, channel } = await startWithMedia({ plugin: { mediaWaitMs: 150 } });
    meta.faults.next({ on: "media-download", do: "slow", ms: 1_500 });

    ada.sendsMedia(VOICE);
    const [message] = await asked();

    expect(message?.media).toMatchObject({ kind: "audio", voice: true, state: "pending" });
    await channel.until(() => told().length > 0, "the host event");
  });

  it("that its sender takes back keeps what they wrote beside it waiting no longer", async () => {
    const { ada, meta, asked, channel } = await startWithMedia({ plugin: { mediaWaitMs: 600_000 } });
    meta.faults.next({ on: "media-download", do: "slow", ms: 30_000 });
    const wamid = ada.sendsMedia(PICTURE);
    ada.says("and what does it cost?");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_turns where jsonb_array_length(messages) = 2"))[0],
      "the turn with both",
    );

    ada.sends({ type: "revoke", revoke: { original_message_id: wamid } });

    expect((await asked(1)).map(({ text }) => text)).toEqual(["and what does it cost?"]);
  });

  it("that its sender takes back before it comes is never fetched, and its turn waits for nothing", async () => {
    const { ada, asked, media, mediaStore, channel } = await startWithMedia({ plugin: { mediaWaitMs: 600_000 } });
    ada.sends({ type: "revoke", revoke: { original_message_id: "wamid.later" } });
    await channel.until(async () => (await channel.rows("select 1 from whatsapp_events where state = 3"))[0], "it");

    ada.sends({ id: "wamid.later", type: "image", image: channel.meta.keepMedia(PICTURE) });
    ada.says("sorry");

    expect((await asked(1)).map(({ text }) => text)).toEqual(["sorry"]);
    await quiet(channel);
    expect(await media()).toMatchObject([{ state: "expired", reason: "The sender has deleted it." }]);
    expect(mediaStore.objects.size).toBe(0);
  });

  it("that its sender takes back is forgotten, with its bytes", async () => {
    const { ada, settled, mediaStore, channel } = await startWithMedia();
    const wamid = ada.sendsMedia(PICTURE);
    await settled("stored");

    ada.sends({ type: "revoke", revoke: { original_message_id: wamid } });

    const [row] = await settled("expired");
    expect(row).toMatchObject({
      reason: "The sender has deleted it.",
      storage_key: null,
      sha256: null,
      said_sha256: null,
      meta_media_id: null,
    });
    await channel.until(() => mediaStore.objects.size === 0, "the bytes to go");
    const [shown] = await channel.rows("select content, media_type, media_url, channel_metadata from messages");
    expect(shown).toMatchObject({ content: "[This message was deleted]", media_type: null, media_url: null });
    expect(Object.keys(shown!.channel_metadata as object).sort()).toEqual([
      "changed_at",
      "deleted",
      "reply_to",
      "timestamp",
      "type",
    ]);
  });
});

describe("what is fetched", () => {
  it("what staff sends from the app is kept too; nobody is asked", async () => {
    const { meta, settled, turns, told, channel } = await startWithMedia();
    meta.person(ADA).says("hello");
    await channel.until(() => turns.length > 0, "a first turn");
    const image = meta.keepMedia(PICTURE);

    meta.deliver({
      object: "whatsapp_business_account",
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [
            {
              field: "smb_message_echoes",
              value: {
                messaging_product: "whatsapp",
                metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
                message_echoes: [
                  {
                    from: NUMBER.displayPhoneNumber,
                    to: ADA.phoneNumber,
                    id: "wamid.HBgMstaffpicture",
                    timestamp: String(Math.floor(Date.now() / 1000)),
                    type: "image",
                    image,
                  },
                ],
              },
            },
          ],
        },
      ],
    });

    await settled("stored");
    await channel.until(() => told().length > 0, "the host event");
    expect(turns).toHaveLength(1);
  });

  it("what Meta can have no longer is a message without a file", async () => {
    const { ada, meta, asked, media } = await startWithMedia({ plugin: { wakeOn: { late: true } } });

    ada.sends(
      { type: "image", image: meta.keepMedia(PICTURE) },
      { at: new Date(Date.now() - 8 * 24 * 60 * 60 * 1000) },
    );
    const [message] = await asked();

    expect(message?.media).toMatchObject({ id: null, state: "expired", url: null });
    expect(await media()).toEqual([]);
  });

  it("that Meta refuses once to a token that it calls valid comes a little later, and the number goes on", async () => {
    const { ada, meta, settled, channel } = await startWithMedia({ config: { metaAppId: APP_ID } });
    meta.faults.next({ on: "media", do: { error: { code: 10 } } });

    ada.sendsMedia(PICTURE);
    await settled("stored");

    expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "connected" }]);
  });

  it("that Meta does not give to our app secret comes once the secret is right, and the number goes on", async () => {
    const { ada, meta, settled, channel } = await startWithMedia();
    meta.faults.next({ on: "media", do: { error: { code: 100, message: "Invalid appsecret_proof provided" } } });

    ada.sendsMedia(PICTURE);
    await settled("stored");

    expect(await channel.rows("select state from whatsapp_connections")).toEqual([{ state: "connected" }]);
  });

  it("waits for the reconnect of its number, and comes then", async () => {
    const { ada, meta, media, settled, channel, asked } = await startWithMedia({ plugin: { mediaWaitMs: 60_000 } });
    meta.revokeToken();
    ada.sendsMedia(PICTURE);
    // Its turn does not wait that long.
    expect((await asked())[0]?.media).toMatchObject({ state: "pending" });
    await channel.until(
      async () =>
        (await channel.rows<{ state: string }>("select state from whatsapp_connections"))[0]?.state ===
        "reauth_required",
      "the number to ask for a reconnect",
    );
    expect(await media()).toMatchObject([{ state: "pending" }]);

    const accessToken = meta.issueToken();
    await channel.plugin.connect({
      customerConfigId: TENANT,
      accessToken,
      phoneNumberId: NUMBER.phoneNumberId,
      wabaId: NUMBER.wabaId,
    });

    await settled("stored");
  });

  it("a tick fetches it as well, and says so", async () => {
    const { ada, asked, channel } = await startWithMedia({ start: false });
    ada.sendsMedia(PICTURE);
    await channel.meta.idle();

    const { done, more } = await channel.plugin.tick({ maxMs: 20_000 });

    expect([done.media, done.turns, more]).toEqual([1, 1, false]);
    expect((await asked())[0]?.media).toMatchObject({ state: "stored" });
  });
});
