/** F17: files that come wrong, a disk that is full, and processes that end in between: never half a file, and nothing left behind. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DownloadFault } from "@omniops/whatsapp/simulator";
import { expect } from "vitest";
import { ACCESS_TOKEN, until } from "../support/channel.ts";
import { experiment, type OnFinished } from "./support/experiment.ts";
import type { Random } from "./support/random.ts";
import { type Stage, startStage } from "./support/stage.ts";

const FAULTS: readonly (DownloadFault | null)[] = [
  "truncated",
  "wrong-sum",
  "wrong-length",
  "stalled",
  "redirect",
  { status: 404 },
  { status: 500 },
  "log-in-page",
  null,
  null,
];

/** The key is noted, the bytes are written, the row has them: before and after each. */
const MOMENTS = [
  { statement: /insert into "public"\."whatsapp_media_leftovers"/, at: "before-statement" },
  { statement: /insert into "public"\."whatsapp_media_leftovers"/, at: "after-commit" },
  { statement: /update "public"\."whatsapp_media" set state/, at: "before-statement" },
  { statement: /update "public"\."whatsapp_media" set state/, at: "before-commit" },
  { statement: /update "public"\."whatsapp_media" set state/, at: "after-commit" },
] as const;

const KIND = { kind: "document", mime: "application/octet-stream", filename: "order.bin" } as const;

experiment(
  "F17",
  "whatever comes wrong, and wherever the process is killed, each file is kept whole once, and nothing else is",
  { timeoutMs: 240_000 },
  async (random, onFinished) => {
    const { stage, mediaDir } = await startWithMedia(random, onFinished);
    const worker = stage.workers[0] as (typeof stage.workers)[number];
    const ada = stage.meta.person({ name: "Ada Q.", phoneNumber: "447700900123" });
    for (const download of shuffled(FAULTS, random))
      if (download !== null) stage.meta.faults.next({ on: "media-download", do: { download } });
    const sent = new Map<string, string>();
    const send = () => {
      const bytes = randomBytes(100_000 + Math.floor(random() * 400_000));
      sent.set(ada.sendsMedia({ ...KIND, bytes }), sumOf(bytes));
    };

    for (const moment of shuffled(MOMENTS, random)) {
      const died = stage.proxy.stopAt(moment, () => stage.end(worker, "SIGKILL"));
      for (let n = 0; n < 3; n++) send();
      await died;
      await stage.start(worker);
    }
    await stage.settle();

    expect(await keptBy(stage, mediaDir)).toEqual(sent);
    expect(await stage.rows("select external_id from messages where media_type = 'document'")).toHaveLength(sent.size);
    await upkeepOfTheNextDays(stage, mediaDir);
    expect((await filesIn(mediaDir)).sort()).toEqual(await keysOf(stage));
    expect(await stage.rows("select 1 from whatsapp_media_leftovers")).toEqual([]);
    expect(stage.meta.downloads.every(({ hasToken, status }) => hasToken || status === 200)).toBe(true);
    await worker.end("SIGTERM");
    expect(worker.exits).toEqual([0]);
    for (const canary of [ACCESS_TOKEN, "447700900", "order.bin", "whatsapp_business/attachments"])
      expect(worker.output()).not.toContain(canary);
  },
);

experiment(
  "F17",
  "a disk that is full at half of a file leaves nothing of it; the file comes when there is room, and others are answered meanwhile",
  { timeoutMs: 240_000 },
  async (random, onFinished) => {
    const { stage, mediaDir, fullDisk } = await startWithMedia(random, onFinished);
    const worker = stage.workers[0] as (typeof stage.workers)[number];
    await writeFile(fullDisk, "");
    const bytes = randomBytes(400_000);
    const wamid = stage.meta.person({ name: "Ada Q.", phoneNumber: "447700900123" }).sendsMedia({ ...KIND, bytes });

    await until(
      async () =>
        (await stage.rows("select 1 from whatsapp_media where state = 'pending' and last_error = 'MEDIA_STORE_FULL'"))
          .length > 0,
      "the disk to be full",
      30_000,
    );
    await stage.write(1);
    await until(
      () => stage.meta.accepted.some(({ text }) => text.includes("message 1")),
      "an answer to somebody else",
      30_000,
    );
    expect(await stage.rows("select 1 from messages where external_id = $1", [wamid])).toHaveLength(1);
    // One that is being tried again just now is not under any name that is read.
    expect((await filesIn(mediaDir)).filter((path) => !path.startsWith(".partial"))).toEqual([]);
    if (random() < 0.5) await stage.replace(worker);

    await rm(fullDisk);
    await stage.settle();
    expect(await keptBy(stage, mediaDir)).toEqual(new Map([[wamid, sumOf(bytes)]]));
    await upkeepOfTheNextDays(stage, mediaDir);
    expect(await filesIn(mediaDir)).toEqual(await keysOf(stage));
    await worker.end("SIGTERM");
    expect(worker.exits).toEqual([0]);
  },
);

async function startWithMedia(random: Random, onFinished: OnFinished) {
  const folder = await mkdtemp(join(tmpdir(), "omniops-media-"));
  onFinished(() => rm(folder, { recursive: true, force: true }));
  const [mediaDir, fullDisk] = [join(folder, "media"), join(folder, "full")];
  const stage = await startStage(random, onFinished, {
    mediaDir,
    fullDisk,
    options: {
      mediaWaitMs: 0,
      mediaTimeouts: { stallMs: 500 },
      retry: { maxAttempts: 12, baseMs: 50, maxMs: 100 },
    },
  });
  return { stage, mediaDir, fullDisk };
}

/** By wamid, the sum of what is on the disk under the row's key. */
async function keptBy(stage: Stage, mediaDir: string): Promise<Map<string, string>> {
  const rows = await stage.rows<{ message_id: string; storage_key: string | null; sha256: string | null }>(
    "select message_id, storage_key, sha256 from whatsapp_media",
  );
  const kept = new Map<string, string>();
  for (const { message_id, storage_key, sha256 } of rows) {
    const sum = storage_key === null ? "none" : sumOf(await readFile(join(mediaDir, storage_key)));
    expect([kept.has(message_id), sum]).toEqual([false, sha256]);
    kept.set(message_id, sum);
  }
  return kept;
}

/** What was noted is due, what was half written is old: the upkeep of one instance does the rest. */
async function upkeepOfTheNextDays(stage: Stage, mediaDir: string): Promise<void> {
  const longAgo = new Date(Date.now() - 2 * 86_400_000);
  const half = await readdir(join(mediaDir, ".partial"));
  for (const name of half) await utimes(join(mediaDir, ".partial", name), longAgo, longAgo);
  await stage.rows("update whatsapp_media_leftovers set remove_at = now() - interval '1 second'");
  await stage.rows("update whatsapp_upkeep set due_at = now() - interval '1 second'");
  expect(await stage.plugin.tick({ maxMs: 20_000 })).toMatchObject({ upkeep: true });
}

/** With what is half written. */
async function filesIn(mediaDir: string): Promise<string[]> {
  const found = await readdir(mediaDir, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name).slice(mediaDir.length + 1));
}

async function keysOf(stage: Stage): Promise<string[]> {
  const rows = await stage.rows<{ storage_key: string }>(
    "select storage_key from whatsapp_media where state = 'stored'",
  );
  return rows.map((row) => row.storage_key).sort();
}

const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
