/** The routes over a bucket of S3: a file in, a link out, and nothing left of it when nobody wants it. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createS3MediaStore } from "../../../adapters/media-store/s3.ts";
import { startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { BUCKET, type S3Server, startS3Server } from "../../support/s3-server.ts";

/** More than one part. */
const PDF = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(12_000_000)]);

let server: S3Server;
let channel: TestChannel;
beforeAll(async () => {
  server = await startS3Server();
  channel = await startChannel({
    connect: false,
    plugin: { mediaStore: createS3MediaStore({ client: server.client, bucket: BUCKET, prefix: "chat/" }) },
  });
});
afterAll(async () => {
  await channel.stop();
  await server.stop();
});

async function upload(bytes: Buffer) {
  const form = new FormData();
  form.append("file", new Blob([bytes]), "Angebot.pdf");
  const answer = await fetch(`${channel.url}/media/upload`, {
    method: "POST",
    headers: { "x-tenant": TENANT },
    body: form,
  });
  return { status: answer.status, body: (await answer.json()) as { id: string; error?: { code: string } } };
}

describe("a file in a bucket", () => {
  it("comes back by a link, with the headers that it is to be shown with", async () => {
    const { status, body } = await upload(PDF);
    expect(status).toBe(201);

    const answer = await fetch(`${channel.url}/media/download/${body.id}`, { headers: { "x-tenant": TENANT } });

    expect(answer.redirected).toBe(true);
    expect(new URL(answer.url).origin).toBe(server.url);
    expect(new URL(answer.url).pathname).toMatch(new RegExp(`^/media/chat/${TENANT}/[\\w-]{32}$`));
    expect(answer.headers.get("content-type")).toBe("application/pdf");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="Angebot.pdf"');
    expect(Buffer.from(await answer.arrayBuffer()).equals(PDF)).toBe(true);
  });

  it("is removed from it when it is too old", async () => {
    await upload(Buffer.from("%PDF-1.7 old"));
    expect((await server.everything()).length).toBeGreaterThan(0);

    await channel.rows("update whatsapp_media set created_at = now() - interval '100 days'");

    await until(async () => (await server.everything()).length === 0, "the bucket to be empty");
    expect(await channel.rows("select 1 from whatsapp_media")).toEqual([]);
  });

  it("is refused with the store's own error while there is no room, and leaves nothing", async () => {
    server.fail({ status: 507, code: "XMinioStorageFull" });
    try {
      const { status, body } = await upload(PDF);
      expect([status, body.error?.code]).toEqual([507, "MEDIA_STORE_FULL"]);
    } finally {
      server.fail(null);
    }
    expect(await channel.rows("select 1 from whatsapp_media")).toEqual([]);
    expect(await server.everything()).toEqual([]);
  });
});
