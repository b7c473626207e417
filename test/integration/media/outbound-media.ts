/** For tests of media that leave: files of each type, and a conversation to send into. */
import { quiet, type TestChannel } from "../../support/channel.ts";

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
  await channel.meta.idle();
  await quiet(channel);
  const rows = await channel.rows<{ id: string }>("select id from conversations order by created_at desc limit 1");
  return rows[0]?.id ?? "";
}
