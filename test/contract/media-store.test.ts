/** The two media stores against their one contract, and what only one of them does. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, open, readdir, rm, stat, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFilesystemMediaStore } from "../../adapters/media-store/filesystem.ts";
import { createS3MediaStore } from "../../adapters/media-store/s3.ts";
import { spawnNode } from "../support/node-process.ts";
import { BUCKET, type S3Server, startS3Server } from "../support/s3-server.ts";
import { describeMediaStore } from "./media-store.contract.ts";

const HALF_WRITTEN = fileURLToPath(new URL("../integration/media/children/half-written.ts", import.meta.url));
const HEADERS = { contentType: "image/png", contentDisposition: `inline; filename="a b.png"` };

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  return names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** A disk that has room for so many bytes, or is not there. */
function troubledOpen() {
  let trouble: "full" | "away" | null = null;
  let room = 0;
  const failed = (code: string) => Object.assign(new Error(`${code}: /a/path, write`), { code });
  const opened: typeof open = async (path, flags, mode) => {
    if (trouble === "away") throw failed("EIO");
    const file = await open(path, flags, mode);
    const write = file.write.bind(file) as (bytes: Uint8Array, at: number) => ReturnType<typeof file.write>;
    file.write = (async (bytes: Uint8Array, at: number) => {
      if (trouble === "full" && room <= 0) throw failed("ENOSPC");
      const some = trouble === "full" ? bytes.subarray(0, at + room) : bytes;
      const written = await write(some, at);
      room -= written.bytesWritten;
      return written;
    }) as typeof file.write;
    return file;
  };
  return {
    open: opened,
    breakWith(next: typeof trouble) {
      trouble = next;
      room = 2_500_000;
    },
  };
}

describeMediaStore("a folder", async () => {
  const directory = await mkdtemp(join(tmpdir(), "omniops-store-"));
  const disk = troubledOpen();
  return {
    store: createFilesystemMediaStore(directory, disk),
    everything: () => filesIn(directory),
    breakWith: disk.breakWith,
    stop: () => rm(directory, { recursive: true }),
  };
});

describeMediaStore("a bucket", async () => {
  const server = await startS3Server();
  return {
    store: createS3MediaStore({ client: server.client, bucket: BUCKET, prefix: "whatsapp/" }),
    everything: server.everything,
    breakWith(trouble) {
      const answers = {
        full: { status: 507, code: "XMinioStorageFull" },
        away: { status: 503, code: "ServiceUnavailable" },
      };
      server.fail(trouble === null ? null : answers[trouble]);
    },
    stop: server.stop,
  };
});

describe("a folder of media", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "omniops-store-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("is made when the first file comes, and read by nobody else", async () => {
    const place = join(directory, "not", "there", "yet");
    const store = createFilesystemMediaStore(place);
    expect(await store.get("tenant/a")).toBeNull();
    expect(await store.sweep(new Date())).toBe(0);
    expect(existsSync(place)).toBe(false);

    await store.put("tenant/a", whole(Buffer.from("x")), { mime: "text/plain" });

    expect((await stat(join(place, "tenant"))).mode & 0o077).toBe(0);
    expect((await stat(join(place, "tenant", "a"))).mode & 0o077).toBe(0);
  });

  it("has no links: bytes go through us", async () => {
    expect(await createFilesystemMediaStore(directory).link("tenant/a", HEADERS)).toBeNull();
  });

  it("says so when a file is shorter than it was", async () => {
    const store = createFilesystemMediaStore(directory);
    await store.put("tenant/short", whole(randomBytes(300_000)), { mime: "text/plain" });
    const found = await store.get("tenant/short");
    await truncate(join(directory, "tenant", "short"), 100_000);

    let length = 0;
    const reading = (async () => {
      for await (const chunk of found?.bytes ?? []) length += chunk.byteLength;
    })();

    await expect(reading).rejects.toMatchObject({ code: "MEDIA_STORE_UNAVAILABLE" });
    expect(length).toBe(100_000);
  });

  it("ends with one of them, whole, when the same key is written twice at once", async () => {
    const store = createFilesystemMediaStore(directory);
    const both = ["a", "b"].map((letter) => letter.repeat(300_000));
    async function* inPieces(text: string) {
      for (let at = 0; at < text.length; at += 10_000) yield Buffer.from(text.slice(at, at + 10_000));
    }

    await Promise.all(both.map((text) => store.put("tenant/twice", inPieces(text), { mime: "text/plain" })));

    let found = "";
    for await (const chunk of (await store.get("tenant/twice"))?.bytes ?? []) found += Buffer.from(chunk).toString();
    expect(both).toContain(found);
  });

  it("holds no half file under its name when the process is killed in the middle, and sweeps the rest later", {
    timeout: 30_000,
  }, async () => {
    const place = join(directory, "killed");
    const child = spawnNode(["--import", "tsx", HALF_WRITTEN, place]);
    const [, signal] = await once(child, "exit");
    const store = createFilesystemMediaStore(place);

    expect(signal).toBe("SIGKILL");
    expect(await store.get("tenant/half")).toBeNull();
    const [left, ...more] = await filesIn(place);
    expect(more).toEqual([]);
    expect((await stat(left as string)).size).toBeGreaterThan(1_000_000);

    const yesterday = new Date(Date.now() - 86_400_000);
    expect(await store.sweep(yesterday)).toBe(0);
    await utimes(left as string, yesterday, new Date(yesterday.getTime() - 1_000));
    expect(await store.sweep(yesterday)).toBe(1);
    expect(await filesIn(place)).toEqual([]);
  });
});

describe("a bucket of media", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  it("links to an object for fifteen minutes, with the headers that it is to be shown with", async () => {
    const store = createS3MediaStore({ client: server.client, bucket: BUCKET });
    const bytes = randomBytes(1_000);
    // As what it is to be shown is decided by the link alone.
    await store.put("tenant/linked", whole(bytes), { mime: "application/octet-stream" });

    const link = await store.link("tenant/linked", HEADERS);
    const answer = await fetch(String(link?.url));

    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.headers.get("content-disposition")).toBe(HEADERS.contentDisposition);
    expect(new URL(String(link?.url)).searchParams.get("X-Amz-Expires")).toBe("900");
    const left = Number(link?.expiresAt.getTime()) - Date.now();
    expect(left).toBeGreaterThan(880_000);
    expect(left).toBeLessThanOrEqual(900_000);
  });

  it.each([
    [
      "another object",
      (url: URL) => {
        url.pathname = url.pathname.replace("linked", "other");
      },
    ],
    ["another type", (url: URL) => url.searchParams.set("response-content-type", "text/html")],
    ["another disposition", (url: URL) => url.searchParams.set("response-content-disposition", "inline")],
    ["a later end", (url: URL) => url.searchParams.set("X-Amz-Expires", "90000")],
    ["no signature", (url: URL) => url.searchParams.delete("X-Amz-Signature")],
  ])("links to nothing else: %s", async (_what, change) => {
    const store = createS3MediaStore({ client: server.client, bucket: BUCKET });
    await store.put("tenant/linked", whole(Buffer.from("mine")), { mime: "image/png" });
    await store.put("tenant/other", whole(Buffer.from("theirs")), { mime: "image/png" });
    const url = new URL(String((await store.link("tenant/linked", HEADERS))?.url));
    expect((await fetch(url)).status).toBe(200);

    change(url);

    expect((await fetch(url)).ok).toBe(false);
  });

  it("links by way of a CDN, just as signed", async () => {
    const plain = createS3MediaStore({ client: server.client, bucket: BUCKET });
    const store = createS3MediaStore({ client: server.client, bucket: BUCKET, cdnUrl: "https://media.example.com" });
    await plain.put("tenant/cdn", whole(Buffer.from("mine")), { mime: "image/png" });

    const url = new URL(String((await store.link("tenant/cdn", HEADERS))?.url));
    expect(url.origin).toBe("https://media.example.com");

    expect(await (await fetch(new URL(`${url.pathname}${url.search}`, server.url))).text()).toBe("mine");
  });

  it("is swept of uploads that a process has begun and never ended", async () => {
    const store = createS3MediaStore({ client: server.client, bucket: BUCKET });
    await server.client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: "tenant/begun" }));

    expect(await store.sweep(new Date(Date.now() - 60_000))).toBe(0);
    expect(await server.pending()).toEqual(["tenant/begun"]);
    expect(await store.sweep(new Date(Date.now() + 60_000))).toBe(1);
    expect(await server.pending()).toEqual([]);
  });
});
