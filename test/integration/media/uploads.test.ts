/** `POST /media/upload`: looked at while it comes in, and kept whole or not at all. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import express from "express";
import express4 from "express4";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";

const PDF = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(50_000)]);
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(1_000)]);
const OGG = (codec: string) =>
  Buffer.concat([Buffer.from("OggS"), Buffer.alloc(24), Buffer.from(codec), randomBytes(100)]);
const QUOTA = 120_000_000;

let channel: TestChannel;
beforeAll(async () => {
  channel = await startChannel({
    start: false,
    plugin: {
      mediaQuotaBytes: QUOTA,
      authenticate: ({ headers }: { headers: Record<string, string> }) => ({
        customerConfigId: headers["x-tenant"] ?? "",
        permissions: ["operate"],
      }),
    },
    config: { metaAppId: "700700700700700" },
  });
});

type Part = readonly [name: string, value: string | Blob, filename?: string];

async function upload(...parts: readonly Part[]) {
  const form = new FormData();
  for (const [name, value, filename] of parts)
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, filename);
  const answer = await fetch(`${channel.url}/media/upload`, {
    method: "POST",
    headers: { "x-tenant": TENANT },
    body: form,
  });
  return {
    status: answer.status,
    body: (await answer.json()) as Record<string, unknown> & { error?: { code: string } },
  };
}

const file = (bytes: Buffer, name = "a.bin", type = "application/octet-stream"): Part => [
  "file",
  new Blob([bytes], { type }),
  name,
];

async function stored() {
  const rows = await channel.rows<{ storage_key: string; size: string }>(
    "select * from whatsapp_media order by created_at",
  );
  const names = existsSync(channel.mediaDir)
    ? (await readdir(channel.mediaDir, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
    : [];
  return { rows, files: names.map((one) => `${one.parentPath.slice(channel.mediaDir.length + 1)}/${one.name}`) };
}

/** Every file has its row, and every row its file: nothing half, nothing of nobody. */
afterEach(async () => {
  const { rows, files } = await until(async () => {
    const found = await stored();
    return found.files.every((one) => !one.startsWith(".partial")) && found;
  }, "what is half to be gone");
  // One that was refused after its last byte is noted as left over, and goes with the next upkeep.
  const leftOver = await channel.rows<{ storage_key: string }>("select storage_key from whatsapp_media_leftovers");
  const owned = [...rows, ...leftOver].map((row) => row.storage_key);
  expect(files.filter((one) => !owned.includes(one))).toEqual([]);
  expect(rows.filter((row) => !files.includes(row.storage_key))).toEqual([]);
});

describe("a file that is uploaded", () => {
  it("is kept, told by its bytes, and comes back", async () => {
    const { status, body } = await upload(file(PDF, "Angebot März.pdf", "text/html"));

    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: "document",
      mime: "application/pdf",
      size: PDF.byteLength,
      sha256: createHash("sha256").update(PDF).digest("hex"),
    });
    const answer = await fetch(`${channel.url}/media/download/${body.id}`, { headers: { "x-tenant": TENANT } });
    expect(Buffer.from(await answer.arrayBuffer()).equals(PDF)).toBe(true);
    expect(answer.headers.get("content-disposition")).toContain("M%C3%A4rz.pdf");
    const [row] = await channel.rows("select * from whatsapp_media where id = ?", [body.id]);
    expect(row).toMatchObject({ direction: "out", state: "stored", customer_config_id: TENANT, contact_id: null });
    expect(await channel.rows("select * from whatsapp_media_leftovers")).toEqual([]);
  });

  it.each<[string, string, Buffer, string]>([
    ["image", "image/png", PNG, ""],
    ["audio", "audio/ogg", OGG("OpusHead"), ""],
    ["document", "text/plain", Buffer.from("one;two\n"), "text/csv"],
    ["document", "application/msword", Buffer.from("d0cf11e0a1b11ae1", "hex"), "application/msword"],
    ["sticker", "image/webp", Buffer.from("RIFF\u0004\u0000\u0000\u0000WEBPVP8 ", "latin1"), ""],
  ])("is %s by its bytes: %s", async (kind, mime, bytes, said) => {
    expect((await upload(file(bytes, "x", said))).body).toMatchObject({ kind, mime });
    expect((await upload(["kind", kind], file(bytes, "x", said))).status).toBe(201);
  });

  it.each<[string, string, readonly Part[]]>([
    ["no file", "REQUEST_INVALID", [["kind", "image"]]],
    ["an empty file", "REQUEST_INVALID", [file(Buffer.alloc(0))]],
    ["bytes under another name", "REQUEST_INVALID", [["photo", new Blob([PNG]), "a.png"]]],
    ["two files", "REQUEST_INVALID", [file(PNG), file(PNG)]],
    ["a kind that is none", "REQUEST_INVALID", [["kind", "film"], file(PNG)]],
    ["a kind after the file", "REQUEST_INVALID", [file(PNG), ["kind", "image"]]],
    ["many fields", "REQUEST_INVALID", [...Array.from({ length: 20 }, (_, n): Part => [`f${n}`, "x"]), file(PNG)]],
    ["a picture as a film", "MEDIA_TYPE_UNSUPPORTED", [["kind", "video"], file(PNG, "a.mp4", "video/mp4")]],
    [
      "bytes of no known type",
      "MEDIA_TYPE_UNSUPPORTED",
      [file(Buffer.from("MZ\u0000\u0000"), "a.pdf", "application/pdf")],
    ],
    ["sound that WhatsApp does not play", "MEDIA_TYPE_UNSUPPORTED", [file(OGG("\u0001vorbis"), "a.ogg", "audio/ogg")]],
    ["a zip file", "MEDIA_TYPE_UNSUPPORTED", [file(Buffer.from("PK\u0003\u0004"), "a.zip", "application/zip")]],
    ["a picture that is too large", "MEDIA_TOO_LARGE", [file(Buffer.concat([PNG, Buffer.alloc(5_000_000)]))]],
    [
      "a sticker that is too large",
      "MEDIA_TOO_LARGE",
      [file(Buffer.concat([Buffer.from("RIFF\u0000\u0000\u0000\u0000WEBPVP8 ", "latin1"), Buffer.alloc(100_000)]))],
    ],
  ])("is refused: %s", async (_what, code, parts) => {
    const before = await stored();

    const { status, body } = await upload(...parts);

    expect([status, body.error?.code]).toEqual([
      { REQUEST_INVALID: 400, MEDIA_TYPE_UNSUPPORTED: 415, MEDIA_TOO_LARGE: 413 }[code],
      code,
    ]);
    expect(await stored()).toEqual(before);
  });

  it("may be a sticker that moves, up to five times the size", async () => {
    const head = Buffer.from("RIFF\u0000\u0000\u0000\u0000WEBPVP8X\u000a\u0000\u0000\u0000\u0002", "latin1");
    expect((await upload(file(Buffer.concat([head, Buffer.alloc(450_000)])))).status).toBe(201);
    expect((await upload(file(Buffer.concat([head, Buffer.alloc(500_000)])))).status).toBe(413);
  });

  it("is stored and not looked into: a picture of a pixel by 65,000 costs what its bytes cost", async () => {
    const bomb = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000fde80806000000", "hex");
    expect((await upload(file(bomb, "bomb.png"))).body).toMatchObject({ mime: "image/png", size: bomb.byteLength });
  });

  it.each([
    ["a\u0000b.pdf"],
    ["..\\..\\evil.pdf"],
    ["\u202efdp.exe.pdf"],
    [`${"x".repeat(5_000)}.pdf`],
    ["<script>.pdf"],
  ])("keeps no harm in its name: %j", async (name) => {
    const boundary = "frontier";
    const answer = await fetch(`${channel.url}/media/upload`, {
      method: "POST",
      headers: { "x-tenant": TENANT, "content-type": `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat([
        Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n`),
        PDF,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]),
    });
    const { id } = (await answer.json()) as { id: string };
    const [row] = await channel.rows<{ filename: string }>("select filename from whatsapp_media where id = ?", [id]);

    expect(answer.status).toBe(201);
    expect(row?.filename).toMatch(/^[\w.-]+\.pdf$/);
    expect(row?.filename.length).toBeLessThanOrEqual(200);
  });
});

describe("a template's sample", () => {
  const ask = async (body: object, tenant = TENANT) => {
    const answer = await fetch(`${channel.url}/templates/samples`, {
      method: "POST",
      headers: { "x-tenant": tenant, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as { handle?: string; error?: { code: string } } };
  };

  it("goes to Meta in pieces and comes back as a handle", async () => {
    const { body } = await upload(file(PDF, "offer.pdf"));

    const answer = await ask({ mediaId: body.id });

    expect(answer).toEqual({ status: 201, body: { handle: expect.stringMatching(/^\d+::/) } });
  });

  it("is refused before a byte leaves where Meta would not take it, or it is nobody's", async () => {
    const text = await upload(file(Buffer.from("one;two\n"), "x", "text/csv"));
    const pdf = await upload(file(PDF, "offer.pdf"));
    const before = channel.meta.uploads.length;

    expect(await ask({ mediaId: text.body.id })).toMatchObject({
      status: 415,
      body: { error: { code: "MEDIA_TYPE_UNSUPPORTED" } },
    });
    expect(await ask({ mediaId: "00000000-0000-4000-8000-00000000000f" })).toMatchObject({
      status: 404,
      body: { error: { code: "MEDIA_NOT_FOUND" } },
    });
    expect(await ask({ mediaId: pdf.body.id, wabaId: "999" })).toMatchObject({
      status: 409,
      body: { error: { code: "CONNECTION_MISSING" } },
    });
    expect(await ask({ mediaId: "menu.pdf" })).toMatchObject({
      status: 400,
      body: { error: { code: "REQUEST_INVALID" } },
    });
    expect(channel.meta.uploads).toHaveLength(before);
  });
});

describe("an upload that goes on", () => {
  it("is taken no faster than it is kept, so that what a browser calls its progress is true", async () => {
    let taken = 0;
    let open: () => void = () => undefined;
    const isOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow = await startChannel({
      start: false,
      plugin: {
        mediaStore: {
          async put(_key, bytes) {
            for await (const chunk of bytes) {
              taken += chunk.byteLength;
              await isOpen;
            }
          },
          get: async () => null,
          remove: async () => undefined,
          sweep: async () => 0,
          link: async () => null,
        },
      },
    });
    const { hostname, port } = new URL(slow.url);
    const head = `--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), PDF, Buffer.alloc(60_000_000), Buffer.from("\r\n--x--\r\n")]);
    let sent = 0;
    let isStuck = false;
    const request = httpRequest({
      hostname,
      port,
      path: "/api/whatsapp/media/upload",
      method: "POST",
      headers: {
        "x-tenant": TENANT,
        "content-type": "multipart/form-data; boundary=x",
        "content-length": body.byteLength,
      },
    });
    const answered = once(request, "response");
    async function pour(): Promise<void> {
      while (sent < body.byteLength) {
        const piece = body.subarray(sent, sent + 1_000_000);
        const isTaken = new Promise((resolve) => request.write(piece, resolve));
        isStuck = true;
        await isTaken;
        isStuck = false;
        sent += piece.byteLength;
      }
      request.end();
    }
    const poured = pour();

    // What the sockets between hold is all that can be on its way.
    let before = -1;
    await until(() => {
      const stands = isStuck && taken > 0 && sent === before;
      before = sent;
      return stands;
    }, "the sender to wait for the store");
    expect(sent).toBeLessThan(30_000_000);
    open();
    await poured;

    const [response] = (await answered) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(201);
    expect(taken).toBe(PDF.byteLength + 60_000_000);
    await slow.stop();
  });
});

describe("an upload that breaks off", () => {
  const HEAD = `--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n`;
  const TAIL = "\r\n--x--\r\n";

  async function socket(length: number | "chunked"): Promise<Socket> {
    const { hostname, port } = new URL(channel.url);
    const one = connect(Number(port), hostname);
    await once(one, "connect");
    const size = length === "chunked" ? "transfer-encoding: chunked" : `content-length: ${length}`;
    one.write(
      `POST /api/whatsapp/media/upload HTTP/1.1\r\nhost: x\r\nx-tenant: ${TENANT}\r\n${size}\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n`,
    );
    return one;
  }

  it.each([
    0,
    10,
    HEAD.length - 1,
    HEAD.length + 1,
    HEAD.length + 5_000,
    HEAD.length + PDF.byteLength,
    HEAD.length + PDF.byteLength + 5,
  ])("after %i bytes keeps nothing", async (after) => {
    const before = await stored();
    const all = Buffer.concat([Buffer.from(HEAD), PDF, Buffer.from(TAIL)]);
    const one = await socket(all.byteLength);
    one.write(all.subarray(0, after));
    // Its bytes have arrived when its key is noted, or it never came so far.
    if (after > HEAD.length + 4_096)
      await channel.until(
        async () => (await channel.rows("select 1 from whatsapp_media_leftovers where remove_at > now()")).length > 0,
        "the key",
      );
    one.destroy();

    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_media_leftovers where remove_at > now()")).length === 0,
      "the key to be given up",
    );
    expect((await stored()).rows).toEqual(before.rows);
  });

  it("by its own end, before the form's, is told so and keeps nothing", async () => {
    const before = await stored();
    const body = Buffer.concat([Buffer.from(HEAD), PDF]);
    const one = await socket(body.byteLength);
    one.write(body);
    const [answer] = (await once(one, "data")) as [Buffer];
    one.destroy();

    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.toString()).toContain("BODY_INCOMPLETE");
    expect((await stored()).rows).toEqual(before.rows);
  });
});

describe("a request that is no upload", () => {
  const post = async (headers: Record<string, string>, body: string | Buffer) => {
    const answer = await fetch(`${channel.url}/media/upload`, {
      method: "POST",
      headers: { "x-tenant": TENANT, ...headers },
      body,
    });
    return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code];
  };

  it.each([
    ["JSON", { "content-type": "application/json" }, "{}", [400, "REQUEST_INVALID"]],
    ["a form of letters", { "content-type": "application/x-www-form-urlencoded" }, "file=x", [400, "REQUEST_INVALID"]],
    ["a form without a frontier", { "content-type": "multipart/form-data" }, "x", [400, "REQUEST_INVALID"]],
    ["a form of nothing", { "content-type": "multipart/form-data; boundary=x" }, "--x--\r\n", [400, "REQUEST_INVALID"]],
    [
      "a form that is none",
      { "content-type": "multipart/form-data; boundary=x" },
      "nothing of the sort",
      [400, "BODY_INCOMPLETE"],
    ],
    [
      "a packed one",
      { "content-type": "multipart/form-data; boundary=x", "content-encoding": "gzip" },
      "x",
      [415, "ENCODING_UNSUPPORTED"],
    ],
    [
      "another site's",
      { "content-type": "multipart/form-data; boundary=x", "sec-fetch-site": "cross-site" },
      "x",
      [403, "NOT_AUTHENTICATED"],
    ],
  ] as const)("is refused: %s", async (_what, headers, body, expected) => {
    expect(await post(headers, body)).toEqual(expected);
  });

  it("is refused before a byte is read where it says that it is too long", async () => {
    const { hostname, port } = new URL(channel.url);
    const one = connect(Number(port), hostname);
    one.write(
      `POST /api/whatsapp/media/upload HTTP/1.1\r\nhost: x\r\nx-tenant: ${TENANT}\r\ncontent-length: 200000000\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n`,
    );
    const [answer] = (await once(one, "data")) as [Buffer];
    one.destroy();

    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toString()).toContain("BODY_TOO_LARGE");
  });
});

describe("a tenant's share", () => {
  it("is not passed, by one file nor by many at once", async () => {
    const { rows } = await stored();
    const used = rows.reduce((sum, { size }) => sum + Number(size), 0);
    const large = Buffer.concat([PDF, Buffer.alloc(40_000_000)]);
    expect(used).toBeLessThan(10_000_000);

    const answers = await Promise.all(Array.from({ length: 4 }, () => upload(file(large, "large.pdf"))));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 413, 413]);
    const refused = answers.find(({ status }) => status === 413);
    expect(refused?.body).toMatchObject({
      error: { code: "MEDIA_QUOTA_EXCEEDED", message: expect.stringContaining("raise mediaQuotaBytes") },
    });
    // Nobody else's is counted.
    const other = await fetch(`${channel.url}/media/upload`, {
      method: "POST",
      headers: { "x-tenant": "00000000-0000-4000-8000-000000000002" },
      body: (() => {
        const form = new FormData();
        form.append("file", new Blob([large]), "large.pdf");
        return form;
      })(),
    });
    expect(other.status).toBe(201);
  });
});

describe("a host's app", () => {
  const form = () => {
    const one = new FormData();
    one.append("file", new Blob([PDF]), "offer.pdf");
    return one;
  };

  async function serve(app: ReturnType<typeof express>): Promise<{ readonly url: string; close(): void }> {
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
  }

  it.each([
    ["Express 5", express],
    ["Express 4", express4 as unknown as typeof express],
  ])("of %s takes files in and gives them out, behind parsers of JSON", async (_name, make) => {
    const app = make();
    app.use(express.json(), express.urlencoded({ extended: true }));
    app.use("/chat", channel.plugin.router);
    const { url, close } = await serve(app);

    const sent = await fetch(`${url}/chat/media/upload`, {
      method: "POST",
      headers: { "x-tenant": TENANT },
      body: form(),
    });
    const { id } = (await sent.json()) as { id: string };
    const back = await fetch(`${url}/chat/media/download/${id}`, {
      headers: { "x-tenant": TENANT, range: "bytes=0-4" },
    });

    expect([sent.status, back.status, await back.text()]).toEqual([201, 206, "%PDF-"]);
    close();
  });

  it("that has read the form is told where to mount the router", async () => {
    const app = express();
    app.use((request, _response, next) => void request.resume().on("end", () => next()));
    app.use("/chat", channel.plugin.router);
    const { url, close } = await serve(app);

    const sent = await fetch(`${url}/chat/media/upload`, {
      method: "POST",
      headers: { "x-tenant": TENANT },
      body: form(),
    });

    expect(sent.status).toBe(400);
    expect(await sent.json()).toMatchObject({
      error: { message: expect.stringContaining("mount the WhatsApp router before") },
    });
    close();
  });
});
