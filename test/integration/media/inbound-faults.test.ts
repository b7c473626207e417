/** Whatever goes wrong on the way from Meta: the message stands, half a file is never kept, and nobody asks Meta without end. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ChannelError } from "@omniops/whatsapp";
import type { DownloadFault } from "@omniops/whatsapp/simulator";
import { describe, expect, it, onTestFinished } from "vitest";
import { NUMBER, quiet } from "../../support/channel.ts";
import { ADA, DOCUMENT, PICTURE, startWithMedia, sumOf } from "./files.ts";

const QUICK = { mediaWaitMs: 0, mediaTimeouts: { stallMs: 2_000 }, retry: { maxAttempts: 3, baseMs: 20, maxMs: 40 } };

/** A server that must never be asked. */
async function startElsewhere(): Promise<{ readonly url: string; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end("here you are");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, asked: () => asked };
}

describe("a download that goes wrong once", () => {
  it.each<DownloadFault>([
    "truncated",
    "stalled",
    "wrong-length",
    "wrong-sum",
    "log-in-page",
    "redirect-loop",
    { status: 500 },
    { status: 404 },
    { status: 401 },
  ])("(%j) is tried again, and what is kept is whole", async (download) => {
    // Short where it is waited out only: elsewhere a slow machine would seem to stall.
    const plugin = download === "stalled" ? { ...QUICK, mediaTimeouts: { stallMs: 500 } } : QUICK;
    const { ada, meta, asked, settled, mediaStore, litter } = await startWithMedia({ plugin });
    meta.faults.next({ on: "media-download", do: { download } });

    ada.sendsMedia(DOCUMENT);
    const [message] = await asked();
    const [row] = await settled("stored");

    expect(message?.media).toMatchObject({ state: expect.stringMatching(/pending|stored/) });
    expect(row).toMatchObject({ sha256: sumOf(DOCUMENT.bytes), last_error: null });
    expect([...mediaStore.objects.values()].every((object) => object.equals(DOCUMENT.bytes))).toBe(true);
    expect(await litter()).toEqual([]);
    expect(meta.faults.injected).toHaveLength(1);
  });

  it("by resets and answers of Graph's is tried again as well", async () => {
    const { ada, meta, settled } = await startWithMedia({ plugin: QUICK });
    for (const fault of ["reset-before-accept", "accept-then-500", "garbage", { error: { code: 2 } }] as const)
      meta.faults.next({ on: "media", do: fault });

    ada.sendsMedia(PICTURE);

    await settled("stored");
    expect(meta.faults.injected).toHaveLength(4);
  });

  it("may lead to an address of Meta's, which gets no token", async () => {
    const { ada, meta, settled } = await startWithMedia({ plugin: QUICK });
    meta.faults.next({ on: "media-download", do: { download: "redirect" } });

    ada.sendsMedia(PICTURE);

    await settled("stored");
    expect(meta.downloads.map(({ hasToken, status }) => [hasToken, status])).toEqual([
      [true, 302],
      [false, 200],
    ]);
  });

  it("is never led to another host", async () => {
    const elsewhere = await startElsewhere();
    const { ada, meta, settled } = await startWithMedia({ plugin: QUICK });
    meta.faults.next({ on: "media-download", do: { download: { redirectTo: elsewhere.url } } });

    ada.sendsMedia(PICTURE);

    expect(await settled("expired")).toMatchObject([{ reason: "Meta names a host that is not one of its own." }]);
    expect(elsewhere.asked()).toBe(0);
  });
});

describe("media that never come", () => {
  it("are expired after the last try of wrong bytes, with the reason, and nothing is kept", async () => {
    const { ada, meta, settled, channel, told, mediaStore, heard } = await startWithMedia({ plugin: QUICK });
    meta.faults.next({ on: "media-download", do: { download: "wrong-sum" }, times: 3 });

    ada.sendsMedia(PICTURE);
    const [row] = await settled("expired");
    await channel.until(() => told().length > 0, "the host event");

    expect(row?.reason).toMatch(/^Its bytes were never what was announced/);
    expect(channel.logs.filter(({ message }) => message === "media will not come")).toMatchObject([
      { level: "warn", fields: { mediaId: row?.id, reason: row?.reason } },
    ]);
    expect(told()).toMatchObject([{ media: { state: "expired", reason: row?.reason, size: null } }]);
    expect(mediaStore.objects.size).toBe(0);
    await expect(heard()[0]?.media?.open()).rejects.toMatchObject({ code: expect.stringMatching(/^MEDIA_/) });
    const [shown] = await channel.rows("select content, channel_metadata -> 'media' as media from messages");
    expect(shown).toMatchObject({ content: "My cake", media: { state: "expired", reason: row?.reason } });
  });

  it("are not asked for again when Meta does not know them", async () => {
    const { ada, meta, settled } = await startWithMedia({ plugin: QUICK });

    ada.sends({ type: "image", image: { id: "4410001", mime_type: "image/jpeg", sha256: "x" } });

    expect(await settled("expired")).toMatchObject([{ reason: "Graph refuses the look-up (code 100)." }]);
    expect(meta.requests["GET /4410001"]).toBe(1);
  });

  it("are given up when their address is gone twice", async () => {
    const { ada, meta, settled } = await startWithMedia({ plugin: QUICK });
    meta.faults.next({ on: "media-download", do: { download: { status: 404 } }, times: 2 });

    ada.sendsMedia(PICTURE);

    expect(await settled("expired")).toMatchObject([{ reason: "Meta answered 404 for the bytes." }]);
    expect(meta.downloads).toHaveLength(2);
  });

  it("are no picture when their bytes are none", async () => {
    const { ada, settled, mediaStore } = await startWithMedia({ plugin: QUICK });

    ada.sendsMedia({ ...PICTURE, bytes: Buffer.from("<!doctype html><script>alert(1)</script>".repeat(200)) });

    expect(await settled("expired")).toMatchObject([{ reason: "Its bytes are no image." }]);
    expect(mediaStore.objects.size).toBe(0);
  });

  it("are expired after seven days, with what went wrong last", async () => {
    const { ada, meta, settled, media, channel } = await startWithMedia({ plugin: QUICK });
    meta.faults.random({ on: "media-download", rate: 1, kinds: [{ download: "truncated" }] });
    ada.sendsMedia(PICTURE);
    await channel.until(async () => (await media())[0]?.last_error, "a first failure");

    await channel.rows("update whatsapp_media set fetch_until = now()");

    const [row] = await settled("expired");
    expect(row?.reason).toMatch(/^Meta keeps a file for 7 days\. The last try ended with: \S/);
  });

  it("are cut off at the cap of their kind", async () => {
    const { ada, meta, settled, mediaStore } = await startWithMedia({
      plugin: { ...QUICK, mediaMaxBytes: { image: 100_000 } },
    });
    const cap = "It is larger than the 100000 bytes that this host takes (image).";

    ada.sendsMedia(PICTURE);

    expect(await settled("expired")).toMatchObject([{ reason: cap }]);
    expect([meta.downloads.length, mediaStore.objects.size]).toEqual([0, 0]);
  });

  it("that have no end are cut off too", async () => {
    const { ada, meta, settled, mediaStore } = await startWithMedia({
      plugin: { ...QUICK, mediaMaxBytes: { image: 1_000_000 } },
    });
    meta.faults.next({ on: "media-download", do: { download: "endless" } });

    ada.sendsMedia(PICTURE);

    await settled("expired");
    expect(mediaStore.objects.size).toBe(0);
  });
});

describe("a store that is full", () => {
  it("at half of a file leaves nothing of it, raises an alarm, and takes it when there is room", async () => {
    const { ada, channel, media, settled, mediaStore, litter } = await startWithMedia({
      plugin: { ...QUICK, alarms: {} },
    });
    let isFull = true;
    mediaStore.onPiece = (size) => {
      if (isFull && size > DOCUMENT.bytes.length / 2)
        throw new ChannelError("MEDIA_STORE_FULL", "No room.", { retry: "backoff" });
    };

    ada.sendsMedia(DOCUMENT);
    const alarmed = (state: string) => () =>
      channel.events.some(
        (event) => event.kind === "alarm" && event.alarm.kind === "media-store" && event.alarm.state === state,
      );
    await channel.until(alarmed("raised"), "the alarm");
    expect(await media()).toMatchObject([{ state: "pending", last_error: "MEDIA_STORE_FULL" }]);
    expect(mediaStore.objects.size).toBe(0);

    isFull = false;
    await settled("stored");
    await channel.until(alarmed("cleared"), "the end of the alarm");
    expect(await litter()).toEqual([]);
    expect(JSON.stringify(channel.logs)).not.toContain("dead letter");
  });

  it("by a tenant's quota waits too", async () => {
    const { ada, channel, media, mediaStore } = await startWithMedia({
      plugin: { ...QUICK, mediaQuotaBytes: DOCUMENT.bytes.length + 10 },
    });
    ada.sendsMedia(DOCUMENT);
    await channel.until(async () => (await media())[0]?.state === "stored", "the first");

    ada.sendsMedia(PICTURE);

    await channel.until(async () => (await media())[1]?.last_error, "the second to be refused");
    expect((await media())[1]).toMatchObject({ state: "pending", last_error: "MEDIA_QUOTA_EXCEEDED" });
    await channel.until(() => mediaStore.objects.size === 1, "its bytes to go");
  });
});

describe("errors of Meta's", () => {
  it("are no more than ten an hour for a number, however many files there are", async () => {
    const { meta, ada, channel, media } = await startWithMedia({ plugin: QUICK });
    meta.faults.random({ on: "media", rate: 1, kinds: [{ error: { code: 131000 } }] });

    for (let n = 0; n < 30; n++) ada.sendsMedia(PICTURE);

    await channel.until(async () => (await media()).length === 30, "all messages");
    await channel.until(
      async () =>
        (
          await channel.rows(
            "select 1 from whatsapp_lanes where stage = 'media' and ready_at > now() + interval '10 minutes'",
          )
        ).length === 30,
      "all to wait for the end of the hour",
    );
    expect(meta.faults.injected).toHaveLength(10);
    expect(await media()).toMatchObject(Array.from({ length: 30 }, () => ({ state: "pending" })));

    // An hour later.
    meta.faults.clear();
    await channel.rows("update whatsapp_connections set media_errors_since = now() - interval '61 minutes'");
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'media'");
    await channel.until(async () => (await media()).every(({ state }) => state === "stored"), "all to be stored");
  });

  it("of one number are not another's", async () => {
    const other = { ...NUMBER, phoneNumberId: "301777000333555", displayPhoneNumber: "15557770101" };
    const { meta, channel, media } = await startWithMedia({ plugin: QUICK, meta: { numbers: [NUMBER, other] } });
    await channel.rows("update whatsapp_connections set media_errors = 10, media_errors_since = now()");
    await channel.plugin.connect({
      customerConfigId: "00000000-0000-4000-8000-000000000001",
      accessToken: "EAAtestAccessToken",
      phoneNumberId: other.phoneNumberId,
      wabaId: other.wabaId,
    });
    const ada = meta.person(ADA);

    ada.sendsMedia(PICTURE);
    ada.sendsMedia(PICTURE, { to: other.phoneNumberId });

    await channel.until(async () => (await media()).filter(({ state }) => state === "stored").length === 1, "one");
    expect((await media()).map(({ state }) => state).sort()).toEqual(["pending", "stored"]);
    await channel.rows("update whatsapp_lanes set ready_at = null, pending = 0 where stage = 'media'");
    await quiet(channel);
  });
});
