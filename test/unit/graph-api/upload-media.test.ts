/** Files that are given to Meta: streamed, to the byte, and what is made of each answer. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createSimulator } from "@omniops/whatsapp/simulator";
import { afterEach, describe, expect, it } from "vitest";
import { createGraphApi } from "../../../adapters/graph-api/graph-api.ts";
import { createFetchTransport, createHttpTransport } from "../../../adapters/graph-api/http-transport.ts";
import { NothingLeft } from "../../../plugin/errors.ts";
import type { GraphApi } from "../../../plugin/ports.ts";
import { APP_SECRET, NUMBER_ID, TOKEN, WABA_ID } from "./graph.ts";

const APP = "700700700700700";
const NUMBER = {
  phoneNumberId: NUMBER_ID,
  wabaId: WABA_ID,
  displayPhoneNumber: "+1 555-777-0100",
  verifiedName: "Corner Bakery",
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const PATIENT = { connectMs: 5_000, headersMs: 5_000, totalMs: 10_000 };
const TRANSPORTS = {
  "our own client": () => createHttpTransport(PATIENT),
  "the host's fetch": () => createFetchTransport(globalThis.fetch),
};

function graphAt(graphUrl: string, transport = createHttpTransport(PATIENT)): GraphApi {
  cleanups.push(() => transport.close());
  return createGraphApi({ graphUrl, graphVersion: "v25.0", appSecret: APP_SECRET, transport });
}

async function startMeta() {
  const meta = createSimulator({
    appId: APP,
    appSecret: APP_SECRET,
    verifyToken: "verify-me",
    accessToken: TOKEN,
    numbers: [NUMBER],
  });
  await meta.start();
  cleanups.push(() => meta.stop());
  return meta;
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => void handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function* pieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const BYTES = Buffer.concat([Buffer.from("%PDF-1.7\r\n--\r\n"), Buffer.alloc(500_000, 10)]);
const upload = { phoneNumberId: NUMBER_ID, accessToken: TOKEN, mime: "application/pdf", size: BYTES.byteLength };
const sample = {
  appId: APP,
  accessToken: TOKEN,
  mime: "application/pdf",
  filename: "menu & more.pdf",
  size: BYTES.byteLength,
};

describe("an upload", () => {
  it("of which nothing left says so, and one that broke on the way does not", async () => {
    const refused = await graphAt("http://127.0.0.1:1")
      .uploadMedia({ ...upload, bytes: pieces(BYTES) })
      .catch((error: Error) => error);
    const broken = await graphAt(await serve((request) => request.socket.destroy()))
      .uploadMedia({ ...upload, bytes: pieces(BYTES) })
      .catch((error: Error) => error);

    expect(refused).toMatchObject({ code: "GRAPH_UNREACHABLE", cause: expect.any(NothingLeft) });
    expect(broken).toMatchObject({ code: "GRAPH_UNREACHABLE" });
    expect(broken).not.toHaveProperty("cause");
  });

  it.each(Object.entries(TRANSPORTS))("arrives to the byte, by %s", async (_name, transport) => {
    const meta = await startMeta();

    const id = await graphAt(meta.url, transport()).uploadMedia({ ...upload, bytes: pieces(BYTES) });

    expect(meta.uploads).toMatchObject([
      { id, mime: "application/pdf", size: BYTES.byteLength, sha256: createHash("sha256").update(BYTES).digest("hex") },
    ]);
  });

  it("says its length before it begins, and proves that it is ours", async () => {
    const seen: IncomingMessage[] = [];
    const url = await serve(async (request, response) => {
      seen.push(request);
      let size = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) size += chunk.byteLength;
      expect(String(size)).toBe(request.headers["content-length"]);
      response.end(JSON.stringify({ id: "4410001" }));
    });

    expect(await graphAt(url).uploadMedia({ ...upload, bytes: pieces(BYTES) })).toBe("4410001");
    expect(seen[0]?.url).toMatch(/^\/v25\.0\/301777000333444\/media\?appsecret_proof=[0-9a-f]{64}$/);
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it("is read no faster than Meta takes it", async () => {
    let read = 0;
    const large = (async function* () {
      for (let i = 0; i < 1_000; i += 1) {
        read += 1;
        yield Buffer.alloc(64 * 1024);
      }
    })();
    const url = await serve((request) => void request.pause());

    const error = await graphAt(url, createHttpTransport({ ...PATIENT, headersMs: 300 }))
      .uploadMedia({ ...upload, size: 1_000 * 64 * 1024, bytes: large })
      .catch((thrown: unknown) => thrown);

    // Whoever takes nothing for so long is given up.
    expect(error).toMatchObject({ code: "GRAPH_UNREACHABLE", retry: "backoff" });
    expect(read).toBeLessThan(500);
  });

  it.each(Object.entries(TRANSPORTS))("fails with what its bytes throw, by %s", async (_name, transport) => {
    const meta = await startMeta();
    const broken = (async function* () {
      yield BYTES.subarray(0, 100);
      throw new Error("the disk is gone");
    })();
    const graph = graphAt(meta.url, transport());

    await expect(graph.uploadMedia({ ...upload, bytes: broken })).rejects.toThrow("the disk is gone");
    for (const size of [BYTES.byteLength - 1, BYTES.byteLength + 1])
      await expect(graph.uploadMedia({ ...upload, size, bytes: pieces(BYTES) })).rejects.toThrow("not as long");
    expect(meta.uploads).toEqual([]);
  });

  it("that Meta refuses says so, and one that breaks may be repeated", async () => {
    const meta = await startMeta();
    const graph = graphAt(meta.url);

    await expect(graph.uploadMedia({ ...upload, mime: "application/zip", bytes: pieces(BYTES) })).rejects.toMatchObject(
      {
        code: "GRAPH_REJECTED",
        retry: "never",
        meta: { code: 100 },
      },
    );
    for (const fault of ["accept-then-reset", "accept-then-500", "garbage"] as const) {
      meta.faults.next({ on: "media-upload", do: fault });
      const broken = graph.uploadMedia({ ...upload, bytes: pieces(BYTES) });
      await expect(broken).rejects.toMatchObject({ code: "GRAPH_UNREACHABLE", retry: "backoff" });
    }
    meta.faults.next({ on: "media-upload", do: { error: { code: 190, httpStatus: 401 } } });
    await expect(graph.uploadMedia({ ...upload, bytes: pieces(BYTES) })).rejects.toMatchObject({ retry: "reauth" });
  });

  it("goes to a number only, as a type only", async () => {
    const graph = graphAt("http://127.0.0.1:9");
    for (const wrong of [{ phoneNumberId: "../me" }, { mime: "image/png\r\nX: y" }, { mime: "" }])
      await expect(graph.uploadMedia({ ...upload, ...wrong, bytes: pieces(BYTES) })).rejects.toMatchObject({
        code: "REQUEST_INVALID",
      });
  });
});

describe("the sample of a template's header", () => {
  it("becomes a handle, which is kept as Meta gives it", async () => {
    const meta = await startMeta();

    const handle = await graphAt(meta.url).uploadSample({
      ...sample,
      from: (offset) => pieces(BYTES.subarray(offset)),
    });

    expect(handle).toContain(`4::aW:${createHash("sha256").update(BYTES).digest("base64")}:ARb\n4::aW:`);
  });

  it("goes on where it was interrupted, with the bytes that are missing only", async () => {
    const offsets: number[] = [];
    const asked: string[] = [];
    let received = Buffer.alloc(0);
    let isFirst = true;
    const url = await serve(async (request, response) => {
      asked.push(
        `${request.method} ${new URL(request.url ?? "", "http://x").pathname} ${request.headers.authorization?.split(" ")[0]}`,
      );
      if (request.url?.includes("/uploads")) return void response.end(JSON.stringify({ id: "upload:MTphd?sig=ARa1" }));
      expect(new URL(request.url ?? "", "http://x").searchParams.get("sig")).toBe("ARa1");
      if (request.method === "GET")
        return void response.end(JSON.stringify({ id: "upload:MTphd", file_offset: received.byteLength }));
      expect(Number(request.headers.file_offset)).toBe(received.byteLength);
      for await (const chunk of request as AsyncIterable<Buffer>) {
        received = Buffer.concat([received, chunk]);
        if (isFirst && received.byteLength > 100_000) {
          isFirst = false;
          request.socket.resetAndDestroy();
          return;
        }
      }
      response.end(JSON.stringify({ h: "4::aW\n4::bX" }));
    });

    const handle = await graphAt(url).uploadSample({
      ...sample,
      from(offset) {
        offsets.push(offset);
        return pieces(BYTES.subarray(offset));
      },
    });

    expect(handle).toBe("4::aW\n4::bX");
    expect(received.equals(BYTES)).toBe(true);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThan(100_000);
    expect(asked).toEqual([
      `POST /v25.0/${APP}/uploads Bearer`,
      "POST /v25.0/upload:MTphd OAuth",
      "GET /v25.0/upload:MTphd OAuth",
      "POST /v25.0/upload:MTphd OAuth",
    ]);
  });

  it("is given up after four interruptions, and at once when Meta refuses it", async () => {
    const meta = await startMeta();
    const graph = graphAt(meta.url);
    const from = (offset: number) => pieces(BYTES.subarray(offset));

    await expect(graph.uploadSample({ ...sample, mime: "application/zip", from })).rejects.toMatchObject({
      retry: "never",
    });
    await expect(graph.uploadSample({ ...sample, appId: "../me", from })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });

    let tries = 0;
    const url = await serve(async (request, response) => {
      for await (const chunk of request as AsyncIterable<Buffer>) expect(chunk.byteLength).toBeGreaterThan(0);
      if (request.url?.includes("/uploads")) response.end(JSON.stringify({ id: "upload:MTphd" }));
      else if (request.method === "GET") response.end(JSON.stringify({ file_offset: "0" }));
      else {
        tries += 1;
        response.writeHead(500).end();
      }
    });
    await expect(graphAt(url).uploadSample({ ...sample, from })).rejects.toMatchObject({ code: "GRAPH_UNREACHABLE" });
    expect(tries).toBe(4);
  });

  it.each(["upload:../../me", "me", "upload:", "https://graph.facebook.com/me", 7, null])(
    "has a session and nothing else: %j",
    async (id) => {
      const url = await serve((request, response) => {
        request.resume();
        expect(request.url).toContain("/uploads");
        response.end(JSON.stringify({ id }));
      });
      await expect(graphAt(url).uploadSample({ ...sample, from: () => pieces(BYTES) })).rejects.toMatchObject({
        code: "GRAPH_UNREACHABLE",
      });
    },
  );
});
