/** For tests of media that leave: files of each type, and a conversation to send into. */
import { createHash } from "node:crypto";
import type { AiResponse, OutboundMessage, SendReceipt } from "@omniops/whatsapp";
import { onTestFinished } from "vitest";
import { createFilesystemMediaStore } from "../../../adapters/media-store/filesystem.ts";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createMediaRecords } from "../../../adapters/postgres/media.ts";
import { allQuiet, startChannel, TENANT, type TestChannel, type TestChannelOptions } from "../../support/channel.ts";

const padded = (head: readonly (number | string)[], size = 1_000): Uint8Array =>
  Buffer.concat([
    ...head.map((one) => (typeof one === "string" ? Buffer.from(one, "latin1") : Buffer.from([one]))),
    Buffer.alloc(size, 7),
  ]);

let salt = 0;
/** Never the same twice, so that no test finds another's upload. */
export const FILES = {
  jpeg: (size?: number) => padded([0xff, 0xd8, 0xff, 0xe0, String(++salt)], size),
  pdf: (size?: number) => padded(["%PDF-1.7\n", String(++salt)], size),
  webp: (size?: number) => padded(["RIFF", 0, 0, 0, 0, "WEBPVP8 ", String(++salt)], size),
  gif: () => padded(["GIF89a", String(++salt)]),
  zip: () => padded(["PK\u0003\u0004", String(++salt)]),
  opus: (channels: number, size?: number) =>
    padded(["OggS", 0, 2, "\0".repeat(22), "OpusHead", 1, channels, String(++salt)], size),
  mp4: (size?: number) => padded([0, 0, 0, 24, "ftypisom", String(++salt)], size),
} as const;

export async function conversationOf(
  channel: TestChannel,
  name = "Ada",
  phoneNumber = "447700900123",
): Promise<string> {
  const person = channel.meta.person({ name, phoneNumber });
  person.says(`hello from ${name}`);
  await allQuiet(channel);
  const rows = await channel.rows<{ id: string }>("select id from conversations order by created_at desc limit 1");
  return rows[0]?.id ?? "";
}

/** Stopped with its test: many of them at once are more connections than Postgres has. */
export async function start(options: TestChannelOptions): Promise<TestChannel> {
  const channel = await startChannel(options);
  onTestFinished(() => channel.stop());
  return channel;
}

export const SILENT = { reply: () => null };

export async function sent(
  channel: TestChannel,
  conversationId: string,
  what: { message: OutboundMessage } | { response: AiResponse },
): Promise<SendReceipt> {
  const before = channel.meta.accepted.length;
  const { sendId } = await channel.plugin.send({ conversationId, ...what });
  await channel.meta.waitFor(() => channel.meta.accepted.length > before);
  await allQuiet(channel);
  return (await channel.plugin.receipt(sendId, TENANT)) as SendReceipt;
}

export const lastBody = (channel: TestChannel) => channel.meta.accepted.at(-1)?.body;

/** As `/media/upload` keeps it. */
export async function keep(
  channel: TestChannel,
  bytes: Uint8Array,
  about: { mime: string; kind?: "image" | "document" | "audio"; filename?: string; tenant?: string },
) {
  const db = createDatabase(channel.database.knex, { schema: "public", hostSchema: "public" });
  const records = createMediaRecords(db);
  const customerConfigId = about.tenant ?? TENANT;
  const storageKey = await records.reserve(customerConfigId);
  await createFilesystemMediaStore(channel.mediaDir).put(
    storageKey,
    (async function* () {
      yield bytes;
    })(),
    { mime: about.mime },
  );
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return records.keep(
    {
      customerConfigId,
      storageKey,
      kind: about.kind ?? "image",
      filename: about.filename ?? null,
      mime: about.mime,
      size: bytes.byteLength,
      sha256,
    },
    Number.POSITIVE_INFINITY,
  );
}
