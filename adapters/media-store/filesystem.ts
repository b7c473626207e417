/** Media in a folder: whole under their own name, or not at all. */
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ChannelError } from "../../plugin/errors.ts";
import type { ByteStream, MediaStore } from "../../plugin/ports.ts";
import { checkKey } from "./media-key.ts";

/** Where files are that are still being written. A tenant's folder never begins with a dot. */
const PARTIAL = ".partial";
const READ_BYTES = 64 * 1024;
/** No room on the disk, in the user's share of it, or in one file. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export type FilesystemOptions = {
  /** For tests: the disk that fails. */
  readonly open?: typeof open;
};

/** @param directory made when the first file comes, readable by this user only. */
export function createFilesystemMediaStore(directory: string, options: FilesystemOptions = {}): MediaStore {
  const openFile = options.open ?? open;
  const pathOf = (key: string) => join(directory, ...checkKey(key).split("/"));
  const partial = join(directory, PARTIAL);

  async function write(path: string, bytes: ByteStream): Promise<void> {
    const file = await explained(openFile(path, "wx", 0o600));
    try {
      for await (const chunk of bytes) await explained(writeAll(file, chunk));
      await explained(file.sync());
    } finally {
      await explained(file.close());
    }
  }

  /** A name is on the disk when its folder is. */
  async function syncFolder(path: string): Promise<void> {
    const folder = await openFile(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  return {
    async put(key, bytes) {
      const path = pathOf(key);
      const temporary = join(partial, randomBytes(16).toString("hex"));
      await explained(mkdir(partial, { recursive: true, mode: 0o700 }));
      try {
        await write(temporary, bytes);
        await explained(mkdir(dirname(path), { recursive: true, mode: 0o700 }));
        await explained(rename(temporary, path));
      } catch (error) {
        // What cannot be removed now is swept later; why it was not kept matters more.
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
      await explained(syncFolder(dirname(path)));
    },

    async get(key, range) {
      const path = pathOf(key);
      const size = await explained(sizeOf(path));
      return size === null ? null : { size, bytes: read(openFile, path, range?.first ?? 0, range?.last ?? size - 1) };
    },

    async remove(key) {
      await explained(rm(pathOf(key), { force: true }));
    },

    sweep: (before) => explained(sweepFolder(partial, before)),
    link: async () => null,
  };
}

/** Opened when the first byte is asked for, so that nothing stays open that nobody reads. */
async function* read(
  openFile: typeof open,
  path: string,
  first: number,
  last: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await explained(openFile(path, "r"));
  try {
    for (let at = first; at <= last; ) {
      const length = Math.min(READ_BYTES, last - at + 1);
      // A buffer of its own each time: whoever has a chunk may keep it.
      const { bytesRead, buffer } = await explained(file.read(Buffer.allocUnsafe(length), 0, length, at));
      if (bytesRead === 0) throw unavailable(new Error("The file is shorter than it was."));
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function sweepFolder(folder: string, before: Date): Promise<number> {
  let swept = 0;
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    // It may be renamed at this moment.
    const found = await stat(path).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return null;
      throw error;
    });
    if (found === null || found.mtime >= before) continue;
    await rm(path, { force: true });
    swept += 1;
  }
  return swept;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Says what is wrong with the disk, never the path, which a host's log need not have. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ChannelError) throw error;
    if (FULL.has(codeOf(error) ?? ""))
      throw new ChannelError(
        "MEDIA_STORE_FULL",
        "There is no room for media left: make some, or give it another place.",
        {
          retry: "backoff",
          cause: error,
        },
      );
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): ChannelError {
  return new ChannelError("MEDIA_STORE_UNAVAILABLE", "The folder of the media cannot be used.", {
    retry: "backoff",
    cause,
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
