/** Files that people send in these tests, and the channel that fetches them. */
import { createHash } from "node:crypto";
import type { Turn, TurnMessage } from "@omniops/whatsapp";
import type { SentMedia } from "@omniops/whatsapp/simulator";
import { onTestFinished } from "vitest";
import { startChannel, type TestChannelOptions } from "../../support/channel.ts";
import { createMemoryMediaStore } from "../../support/memory-media-store.ts";

export const ADA = { name: "Ada Q.", phoneNumber: "447700900123" };

const JPEG = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
  Buffer.from("JFIF\0"),
  Buffer.alloc(200_000, 7),
]);
export const PICTURE: SentMedia = { kind: "image", bytes: JPEG, mime: "image/jpeg", caption: "My cake" };
export const VOICE: SentMedia = {
  kind: "audio",
  bytes: Buffer.concat([Buffer.from("OggS\0\x02"), Buffer.alloc(40_000, 3)]),
  mime: "audio/ogg; codecs=opus",
  voice: true,
};
export const DOCUMENT: SentMedia = {
  kind: "document",
  bytes: Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(300_000, 9)]),
  mime: "application/pdf",
  filename: "order.pdf",
};

export const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export type MediaRow = {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly mime: string | null;
  readonly size: string | null;
  readonly sha256: string | null;
  readonly storage_key: string | null;
  readonly last_error: string | null;
};

/** With a store to look into, and the turns that the host was asked with. */
export async function startWithMedia(options: TestChannelOptions = {}) {
  const mediaStore = createMemoryMediaStore();
  const turns: Turn[] = [];
  const channel = await startChannel({
    ...options,
    async reply(turn) {
      turns.push(turn);
      return (await options.reply?.(turn)) ?? null;
    },
    plugin: { mediaStore, upkeepMs: 100, ...options.plugin },
  });
  // With its test: many of them beside each other leave a slow machine no time for the one that is looked at.
  onTestFinished(() => channel.stop());
  const heard = () => turns.flatMap(({ messages }) => messages) as readonly TurnMessage[];
  const media = () => channel.rows<MediaRow>("select * from whatsapp_media order by created_at, id");
  return {
    channel,
    meta: channel.meta,
    ada: channel.meta.person(ADA),
    mediaStore,
    turns,
    heard,
    media,
    /** Resolves with the message that the host was asked with. */
    asked: (count = 1) => channel.until(() => heard().length >= count && heard(), `${count} messages in turns`),
    settled: (state: string, count = 1) =>
      channel.until(async () => {
        const rows = (await media()).filter((row) => row.state === state);
        return rows.length >= count && rows;
      }, `${count} media ${state}`),
    told: () => channel.events.flatMap((event) => (event.kind === "media" ? [event] : [])),
    /** What is neither a row's nor noted to be removed. */
    async litter() {
      const rows = await channel.rows<{ storage_key: string }>(
        "select storage_key from whatsapp_media where storage_key is not null union select storage_key from whatsapp_media_leftovers",
      );
      const known = new Set(rows.map((row) => row.storage_key));
      return [...mediaStore.objects.keys()].filter((key) => !known.has(key));
    },
  };
}

export async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}
