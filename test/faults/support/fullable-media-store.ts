/** The media store of a host, on a disk that is full while a file says so. */
import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { MediaStore, WhatsAppPluginOptions } from "@omniops/whatsapp";
import { createFilesystemMediaStore } from "../../../adapters/media-store/filesystem.ts";

/** So much fits when the disk is full: half of what the experiment sends. */
const ROOM = 200_000;

export function createFullableMediaStore(flag: string, { mediaDir }: WhatsAppPluginOptions["config"]): MediaStore {
  const openFile = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    const file = await open(...args);
    let written = 0;
    const write = file.write.bind(file) as (bytes: Uint8Array, ...rest: unknown[]) => Promise<{ bytesWritten: number }>;
    const limited = async (bytes: Uint8Array, ...rest: unknown[]) => {
      written += bytes.byteLength;
      if (written > ROOM && existsSync(flag))
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      return write(bytes, ...rest);
    };
    return Object.assign(file, { write: limited });
  };
  return createFilesystemMediaStore(String(mediaDir), { open: openFile as typeof open });
}
