/** Files on their way through, on the disk and without a name: whatever ends the process, none is left behind. */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChannelError } from "../../plugin/errors.ts";
import type { Spool } from "../../plugin/ports.ts";

/** Enough to tell what a file is. */
const HEAD = 4_096;

/** @param folder default: the system's own for what is temporary. */
export function createSpool(folder: string = tmpdir()): Spool {
  return {
    async write(bytes) {
      const file = await asStoreError(() => openNameless(folder));
      try {
        const hash = createHash("sha256");
        let head = Buffer.alloc(0);
        let size = 0;
        for await (const chunk of bytes) {
          if (head.byteLength < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.byteLength)]);
          hash.update(chunk);
          size += chunk.byteLength;
          await asStoreError(() => file.writeFile(chunk));
        }
        return {
          size,
          sha256: hash.digest("hex"),
          head,
          open: () => file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>,
          close: () => file.close(),
        };
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

/** Its name goes at once; the bytes stay as long as the handle, which no process survives. */
async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `omniops-whatsapp-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

async function asStoreError<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new ChannelError("MEDIA_STORE_FULL", "The disk has no room for a file that is on its way through.", {
        retry: "backoff",
        cause: error,
      });
    throw new ChannelError("MEDIA_STORE_UNAVAILABLE", "A file on its way through cannot be written to the disk.", {
      retry: "backoff",
      cause: error,
    });
  }
}
