/** `GET /media/download/:id`: to the tenant, inert, in ranges, and no faster than it is taken. */

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFilesystemMediaStore } from "../../../adapters/media-store/filesystem.ts";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createMediaRecords } from "../../../adapters/postgres/media.ts";
import { HEAD_BYTES, typeOf } from "../../../plugin/media/sniff-type.ts";
import type { MediaStore } from "../../../plugin/ports.ts";
import { startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { POLYGLOTS } from "../../support/polyglots.ts";

const OTHER = "00000000-0000-4000-8000-000000000002";
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(99_992)]);
/** What makes a browser run, read or load something. */
const ACTIVE = /html|svg|xml(?!formats)|script|multipart|flash|message\/|css|java/;

let channel: TestChannel;
/** Of the store, what the next test makes of it. */
let link: MediaStore["link"] = async () => null;
let openFiles = 0;
let readBytes = 0;

beforeAll(async () => {
  const mediaDir = `/tmp/omniops-downloads-${randomBytes(6).toString("hex")}`;
  const counted: typeof open = async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    if (flags !== "r") return file;
    openFiles += 1;
    const close = file.close.bind(file);
    const read = file.read.bind(file) as (...args: unknown[]) => Promise<{ bytesRead: number }>;
    file.close = async () => {
      openFiles -= 1;
      await close();
    };
    file.read = (async (...args: unknown[]) => {
      const result = await read(...args);
      readBytes += result.bytesRead;
      return result;
    }) as typeof file.read;
    return file;
  };
  const store = createFilesystemMediaStore(mediaDir, { open: counted });
  channel = await startChannel({
    start: false,
    config: { mediaDir },
    plugin: { mediaStore: { ...store, link: (...args) => link(...args) } },
  });
});
afterAll(async () => {
  const { rm } = await import("node:fs/promises");
  await rm(channel.mediaDir, { recursive: true, force: true });
});

/** As the inbound lane or an upload leaves them. */
async function keep(
  bytes: Buffer,
  { said = null, filename = null }: { said?: string | null; filename?: string | null } = {},
) {
  const records = createMediaRecords(createDatabase(channel.database.knex, { schema: "public", hostSchema: "public" }));
  const mime = typeOf(bytes.subarray(0, HEAD_BYTES), said);
  const storageKey = await records.reserve(TENANT);
  async function* whole() {
    yield bytes;
  }
  await createFilesystemMediaStore(channel.mediaDir).put(storageKey, whole(), { mime });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return records.keep(
    { customerConfigId: TENANT, kind: "document", filename, storageKey, mime, size: bytes.byteLength, sha256 },
    Number.POSITIVE_INFINITY,
  );
}

function get(id: string, headers: Record<string, string> = {}, method = "GET", tenant = TENANT): Promise<Response> {
  return fetch(`${channel.url}/media/download/${id}`, {
    method,
    redirect: "manual",
    headers: { "x-tenant": tenant, ...headers },
  });
}

describe("media that are downloaded", () => {
  it("come back as they were, to their tenant, with nothing in them that a browser would carry out", async () => {
    const id = await keep(PNG, { filename: "März.png" });

    const answer = await get(id);

    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(PNG)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": "100000",
      "content-disposition": "inline; filename=\"Marz.png\"; filename*=UTF-8''M%C3%A4rz.png",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-site",
      "cache-control": "private, no-store",
      "accept-ranges": "bytes",
    });
  });

  it("are the same 404 for another tenant, for an id that nobody has and for what is none", async () => {
    const id = await keep(PNG);

    const answers = await Promise.all([
      get(id, {}, "GET", OTHER),
      get(id, { range: "bytes=0-1" }, "GET", OTHER),
      get("99999999-9999-4999-8999-999999999999"),
      get("not-an-id"),
      get("..%2f..%2fetc%2fpasswd"),
      get(`${id}%00`),
    ]);

    const [first, ...others] = await Promise.all(
      answers.map(async (one) => [
        one.status,
        await one.text(),
        one.headers.get("content-type"),
        one.headers.get("etag"),
      ]),
    );
    expect(first).toEqual([404, expect.stringContaining("MEDIA_NOT_FOUND"), expect.anything(), null]);
    for (const one of others) expect(one).toEqual(first);
  });

  it("are nobody's without a session", async () => {
    const id = await keep(PNG);
    expect((await fetch(`${channel.url}/media/download/${id}`)).status).toBe(403);
  });

  it.each(POLYGLOTS.map((one) => [one.name, one] as const))("are never an active type: %s", async (_name, polyglot) => {
    const id = await keep(polyglot.bytes, polyglot);

    const answer = await get(id, { accept: "text/html,*/*" });

    expect(Buffer.from(await answer.arrayBuffer()).equals(polyglot.bytes)).toBe(true);
    const type = answer.headers.get("content-type") ?? "";
    expect(type).not.toMatch(ACTIVE);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
    // Shown at once: only what a picture, a sound or a film is by its own bytes.
    const disposition = answer.headers.get("content-disposition") ?? "";
    expect(disposition.startsWith("inline;")).toBe(/^(?:image|audio|video)\//.test(type));
    expect(disposition).not.toMatch(/^inline.*\.(?:html?|svg|js|xml|mhtml|hta)"/);
  });

  it("are octets whatever their row has come to say", async () => {
    const id = await keep(PNG);
    await channel.rows("update whatsapp_media set mime = 'text/html' where id = ?", [id]);

    const { headers } = await get(id);

    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.get("content-disposition")).toMatch(/^attachment;/);
  });

  it("are told of by HEAD without being read", async () => {
    const id = await keep(PNG);
    const before = readBytes;

    const answer = await get(id, {}, "HEAD");

    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "100000", ""]);
    expect(readBytes).toBe(before);
  });

  it.each<[string, number, number]>([
    ["bytes=0-0", 0, 1],
    ["bytes=0-", 0, 100_000],
    ["bytes=99999-", 99_999, 100_000],
    ["bytes=-10", 99_990, 100_000],
    ["bytes=-200000", 0, 100_000],
    ["bytes=70000-140000", 70_000, 100_000],
    ["bytes=65535-65536", 65_535, 65_537],
  ])("come in the range %s", async (range, from, to) => {
    const answer = await get(await keep(PNG), { range });

    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/100000`);
    expect(answer.headers.get("content-length")).toBe(String(to - from));
    expect(Buffer.from(await answer.arrayBuffer()).equals(PNG.subarray(from, to))).toBe(true);
  });

  it.each(["bytes=100000-", "bytes=100000-100001", "bytes=-0"])("have nothing in the range %s", async (range) => {
    const answer = await get(await keep(PNG), { range });

    expect([answer.status, answer.headers.get("content-range"), await answer.text()]).toEqual([
      416,
      "bytes */100000",
      "",
    ]);
  });

  it.each(["bytes=5-2", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=-", "bytes=0-99999999999999999999"])(
    "come whole for %s",
    async (range) => {
      const answer = await get(await keep(PNG), { range });

      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 100_000]);
    },
  );

  it("go on in a range only when they are still the same", async () => {
    const id = await keep(PNG);
    const etag = (await get(id)).headers.get("etag") ?? "";

    expect((await get(id, { range: "bytes=5-9", "if-range": etag })).status).toBe(206);
    expect((await get(id, { range: "bytes=5-9", "if-range": '"other"' })).status).toBe(200);
  });

  it("say why there are none", async () => {
    const [pending, expired] = [await keep(PNG), await keep(PNG)];
    await channel.rows("update whatsapp_media set state = 'pending', storage_key = null where id = ?", [pending]);
    await channel.rows(
      "update whatsapp_media set state = 'expired', storage_key = null, reason = 'its checksum is another' where id = ?",
      [expired],
    );

    const answers = [await get(pending), await get(expired)];

    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(await answers[0]?.json()).toMatchObject({ error: { code: "MEDIA_PENDING" } });
    expect(await answers[1]?.json()).toMatchObject({
      error: { code: "MEDIA_EXPIRED", message: "Its bytes will never come: its checksum is another." },
    });
  });

  it("are a 503 in JSON when the store has lost them", async () => {
    const id = await keep(PNG);
    await channel.rows("update whatsapp_media set storage_key = ? where id = ?", [`${TENANT}/lost`, id]);

    const answer = await get(id);

    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-disposition")).toBeNull();
    expect(await answer.json()).toMatchObject({ error: { code: "MEDIA_STORE_UNAVAILABLE" } });
  });

  it("end the connection when the store breaks off in the middle, so that nobody takes half for whole", async () => {
    const id = await keep(PNG);
    await channel.rows("update whatsapp_media set size = 200000 where id = ?", [id]);
    const { truncate } = await import("node:fs/promises");
    const [row] = await channel.rows<{ storage_key: string }>("select storage_key from whatsapp_media where id = ?", [
      id,
    ]);
    await truncate(`${channel.mediaDir}/${row?.storage_key}`, 200_000);
    const store = createFilesystemMediaStore(channel.mediaDir);
    const found = await store.get(String(row?.storage_key));
    expect(found?.size).toBe(200_000);

    const answer = httpRequest(`${channel.url}/media/download/${id}`, { headers: { "x-tenant": TENANT } }).end();
    const [response] = (await once(answer, "response")) as [IncomingMessage];
    response.pause();
    await truncate(`${channel.mediaDir}/${row?.storage_key}`, 80_000);
    const ended = new Promise<string>((resolve) => {
      response.on("end", () => resolve("end")).on("error", () => resolve("error"));
    });
    response.resume();
    // Either it was read before the file shrank, or it breaks off: a short answer that looks whole is none of both.
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.byteLength;
    });
    expect([await ended, length === 200_000]).toEqual(length === 200_000 ? ["end", true] : ["error", false]);
  });

  it("are read no faster than they are taken, and their file is closed when the client goes away", async () => {
    const large = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(60_000_000)]);
    const id = await keep(large);
    const before = { openFiles, readBytes };

    const asking = httpRequest(`${channel.url}/media/download/${id}`, { headers: { "x-tenant": TENANT } }).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    response.pause();
    // As long as it takes somebody else to take all of it, it could be read for the one who takes nothing.
    expect((await (await get(id)).arrayBuffer()).byteLength).toBe(large.byteLength);
    await until(() => openFiles <= before.openFiles + 1, "the other one's file to be closed");
    expect(openFiles).toBe(before.openFiles + 1);
    expect(readBytes - before.readBytes - large.byteLength).toBeLessThan(20_000_000);

    response.destroy();
    await until(() => openFiles === before.openFiles, "the file to be closed");
  });
});

describe("a store that has links", () => {
  it("is where the browser is sent, with the headers that go with the bytes", async () => {
    const id = await keep(PNG, { filename: "a.png" });
    const asked: unknown[] = [];
    link = async (key, headers) => {
      asked.push(key, headers);
      return { url: "https://bucket.example/x?signature=1", expiresAt: new Date() };
    };
    try {
      const answer = await get(id);

      expect([answer.status, answer.headers.get("location")]).toEqual([302, "https://bucket.example/x?signature=1"]);
      expect(answer.headers.get("cache-control")).toBe("private, no-store");
      expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
      expect(asked).toEqual([
        expect.stringMatching(new RegExp(`^${TENANT}/`)),
        { contentType: "image/png", contentDisposition: 'inline; filename="a.png"' },
      ]);
      expect((await get(id, {}, "GET", OTHER)).status).toBe(404);
    } finally {
      link = async () => null;
    }
  });
});
