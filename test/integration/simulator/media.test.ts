/** Media that people send: what Graph says of it, how long its addresses live, and how its bytes can go wrong. */
import { createHash } from "node:crypto";
import type { DownloadFault } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, ADA, call, NUMBER, startSimulator } from "./simulated.ts";

const BYTES = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.alloc(200_000, 7)]);
const HEX = createHash("sha256").update(BYTES).digest("hex");
const PICTURE = { kind: "image", bytes: BYTES, mime: "image/jpeg", caption: "My cake" } as const;
const authorization = { Authorization: `Bearer ${ACCESS_TOKEN}` };

type Meta = Awaited<ReturnType<typeof startSimulator>>;

async function sent(meta: Meta): Promise<string> {
  meta.person(ADA).sendsMedia(PICTURE);
  return (await meta.waitFor(
    () =>
      Buffer.from(meta.deliveries[0]?.bytes ?? [])
        .toString("utf8")
        .match(/"image":\{"id":"(\d{15})"/)?.[1],
  )) as string;
}

async function addressOf(meta: Meta, id: string): Promise<string> {
  const { body } = await call(meta, `${id}?phone_number_id=${NUMBER.phoneNumberId}`);
  return (body as { url: string }).url;
}

describe("a picture", () => {
  it("has its sum in base64 in the webhook, and in hex in Graph's answer", async () => {
    const meta = await startSimulator();

    const id = await sent(meta);
    const found = await call(meta, `${id}?phone_number_id=${NUMBER.phoneNumberId}`);

    expect(
      Buffer.from(meta.deliveries[0]?.bytes ?? [])
        .toString("utf8")
        .replaceAll("\\/", "/"),
    ).toContain(createHash("sha256").update(BYTES).digest("base64"));
    expect(found).toMatchObject({
      status: 200,
      body: {
        id,
        mime_type: "image/jpeg",
        sha256: HEX,
        file_size: String(BYTES.length),
        messaging_product: "whatsapp",
      },
    });
  });

  it("is given to who has the token, for five minutes", async () => {
    let now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ now: () => now });
    const url = await addressOf(meta, await sent(meta));

    const given = await fetch(url, { headers: authorization });
    const page = await fetch(url);
    const refused = await fetch(url, { headers: { Authorization: "Bearer EAAother" } });
    now = new Date("2026-11-27T12:05:00Z");
    const late = await fetch(url, { headers: authorization });

    expect(Buffer.from(await given.arrayBuffer()).equals(BYTES)).toBe(true);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect([refused.status, late.status]).toEqual([401, 404]);
    expect(meta.downloads.map(({ hasToken, status }) => [hasToken, status])).toEqual([
      [true, 200],
      [false, 200],
      [true, 401],
      [true, 404],
    ]);
  });

  it("is gone after seven days, when it is deleted, and for another number", async () => {
    let now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ now: () => now });
    const [kept, deleted] = [await sent(meta), meta.keepMedia({ bytes: BYTES, mime: "image/jpeg" }).id];

    const other = await call(meta, `${kept}?phone_number_id=301777000999999`);
    const removed = await call(meta, deleted, { method: "DELETE" });
    const after = await call(meta, deleted);
    now = new Date("2026-12-04T12:00:01Z");
    const late = await call(meta, kept);

    expect(removed).toMatchObject({ status: 200, body: { success: true } });
    for (const refused of [other, after, late])
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 33 } } });
  });
});

describe("a fault of a download", () => {
  async function get(download: DownloadFault) {
    const meta = await startSimulator();
    const url = await addressOf(meta, await sent(meta));
    meta.faults.next({ on: "media-download", do: { download } });
    return { meta, url, answer: await fetch(url, { headers: authorization, redirect: "manual" }) };
  }

  it("cuts the bytes off", async () => {
    const { answer } = await get("truncated");

    expect(answer.headers.get("content-length")).toBe(String(BYTES.length));
    await expect(answer.arrayBuffer()).rejects.toThrow("terminated");
  });

  it("makes them fewer, or others", async () => {
    const fewer = await (await get("wrong-length")).answer.arrayBuffer();
    const others = Buffer.from(await (await get("wrong-sum")).answer.arrayBuffer());

    expect(fewer.byteLength).toBe(BYTES.length / 2);
    expect([others.length, others.equals(BYTES)]).toEqual([BYTES.length, false]);
  });

  it("sends elsewhere, to an address that needs no token", async () => {
    const { answer, url } = await get("redirect");

    const there = await fetch(new URL(answer.headers.get("location") as string, url));

    expect(answer.status).toBe(302);
    expect(Buffer.from(await there.arrayBuffer()).equals(BYTES)).toBe(true);
  });

  it("answers any status, or a page that asks to log in", async () => {
    expect((await get({ status: 500 })).answer.status).toBe(500);
    expect(await (await get("log-in-page")).answer.text()).toContain("Log in");
  });
});
