/** A document as large as WhatsApp takes, uploaded and downloaded, sent and sent back: what it adds to the memory of the process. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startS3Server } from "../test/support/s3-server.ts";
import { buildDocument, sendAll, tenantOf } from "./load.ts";
import { startMediaGraph } from "./media-graph.ts";
import { type MeasuredServer, runServer } from "./run-server.ts";
import { judge, roundsOf, say, spread, type World } from "./world.ts";

const MiB = 1024 * 1024;
const BYTES = 100_000_000;
const CHUNK = Buffer.alloc(64 * 1024, "a document of a hundred megabytes ");
const MOST_MIB = 32;
const HEAD = Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="large.txt"\r\n\r\n');
const TAIL = Buffer.from("\r\n--x--\r\n");

type Sent = { readonly id: string; readonly sha256: string };

export async function benchMedia(world: World): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "omniops-bench-media-"));
  const s3 = await startS3Server();
  try {
    const inFolder = await benchStore(world, "folder", directory);
    const inBucket = await benchStore(world, "bucket", s3.url);
    return (await benchMeta(world, directory)) && inFolder && inBucket;
  } finally {
    await s3.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param place as `bench/server.ts` takes it. */
async function benchStore({ freshDatabase, graph }: World, name: string, place: string): Promise<boolean> {
  const rounds = roundsOf(5);
  console.log(`\nMedia: ${BYTES / 1e6} MB up and down, ${rounds} rounds, in a ${name}`);
  const server = await runServer("files", await freshDatabase(name), graph.url, "1", place);
  const up: number[] = [];
  const down: number[] = [];
  const rates: number[] = [];
  try {
    // For the compiler, and for what a process takes once.
    for (let i = 0; i < 3; i++) await download(server.port, await upload(server.port, 5_000_000), 5_000_000);
    for (let round = 0; round < rounds; round++) {
      const startedAt = performance.now();
      const [sent, upGrowth] = await growthOf(server, () => upload(server.port, BYTES));
      const [, downGrowth] = await growthOf(server, () => download(server.port, sent, BYTES));
      rates.push((2 * BYTES) / 1e3 / (performance.now() - startedAt));
      up.push(upGrowth);
      down.push(downGrowth);
    }
  } finally {
    await server.stop();
  }
  console.log(`  ${say(spread(rates), 0)} MB/s, both ways together`);
  const isLean = judgeGrowth("upload", up);
  return judgeGrowth("download", down) && isLean;
}

/** By the median: how many of its last buffers a process still has is a matter of when it collects. */
function judgeGrowth(what: string, growths: readonly number[]): boolean {
  const growth = spread(growths);
  return judge(`${what}: memory + ${say(growth, 1)} MiB, bar ${MOST_MIB}`, growth.median < MOST_MIB);
}

/** From Meta into the folder, by a turn back to Meta. */
async function benchMeta({ freshDatabase }: World, directory: string): Promise<boolean> {
  const rounds = roundsOf(5);
  console.log(`\nMedia: ${BYTES / 1e6} MB from Meta and back to it, ${rounds} rounds`);
  const meta = await startMediaGraph(BYTES);
  const server = await runServer("returns", await freshDatabase("meta"), meta.url, "1", directory);
  const growths: number[] = [];
  const rates: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const webhook = buildDocument(`wamid.large${round}`, meta.nextFile());
      const startedAt = performance.now();
      const [taken, growth] = await growthOf(server, async () => {
        const returned = meta.returned();
        await sendAll(server.port, [webhook], 1);
        return returned;
      });
      if (taken < BYTES) throw new Error(`${taken} of ${BYTES} bytes came back`);
      // The first is for the compiler.
      if (round === 0) continue;
      growths.push(growth);
      rates.push((2 * BYTES) / 1e3 / (performance.now() - startedAt));
    }
  } finally {
    await server.stop();
    meta.stop();
  }
  console.log(`  ${say(spread(rates), 0)} MB/s, both ways together`);
  return judgeGrowth("in and out", growths);
}

/** @returns by how many MiB the resident memory has grown at its highest, over what it was before. */
async function growthOf<T>(server: MeasuredServer, work: () => Promise<T>): Promise<readonly [T, number]> {
  const { rss: before } = await server.memory();
  await server.peak();
  const result = await work();
  return [result, ((await server.peak()) - before) / MiB];
}

async function upload(port: number, bytes: number): Promise<Sent> {
  const sending = request({
    port,
    method: "POST",
    path: "/api/whatsapp/media/upload",
    headers: {
      "x-tenant": tenantOf(0),
      "content-type": "multipart/form-data; boundary=x",
      "content-length": HEAD.byteLength + bytes + TAIL.byteLength,
    },
  });
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  const hash = createHash("sha256");
  sending.write(HEAD);
  for (let left = bytes; left > 0; left -= CHUNK.byteLength) {
    const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.byteLength));
    hash.update(chunk);
    if (!sending.write(chunk)) await once(sending, "drain");
  }
  sending.end(TAIL);
  const [response] = await answered;
  let text = "";
  for await (const chunk of response) text += String(chunk);
  const { id, sha256, size } = JSON.parse(text) as Sent & { readonly size: number };
  if (response.statusCode !== 201 || size !== bytes || sha256 !== hash.digest("hex")) throw new Error(text);
  return { id, sha256 };
}

async function download(port: number, { id, sha256 }: Sent, bytes: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/api/whatsapp/media/download/${id}`;
  const response = await get(url, { "x-tenant": tenantOf(0) });
  const hash: Hash = createHash("sha256");
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    hash.update(chunk);
  }
  if (length !== bytes || hash.digest("hex") !== sha256) throw new Error(`${length} of ${bytes} bytes came back`);
}

/** A bucket is asked by its link. */
async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const [response] = (await once(request(url, { headers }).end(), "response")) as [IncomingMessage];
  const { location } = response.headers;
  if (location === undefined) return response;
  response.resume();
  return get(location);
}
