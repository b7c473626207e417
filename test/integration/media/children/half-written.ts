/** Writes four megabytes into a media store, and ends as a power cut ends a process. */
import { createFilesystemMediaStore } from "../../../../adapters/media-store/filesystem.ts";

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 4; i++) yield Buffer.alloc(1_000_000, i);
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

await createFilesystemMediaStore(process.argv[2] as string).put("tenant/half", bytes(), { mime: "image/png" });
