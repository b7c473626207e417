/** A media store that a test looks into, and lets fail. */
import type { MediaStore } from "@omniops/whatsapp";

export type MemoryMediaStore = MediaStore & {
  readonly objects: Map<string, Buffer>;
  /** Called with what has arrived so far, after every piece: throws to let the store fail. */
  onPiece: (size: number) => void | Promise<void>;
};

export function createMemoryMediaStore(): MemoryMediaStore {
  const objects = new Map<string, Buffer>();
  const store: MemoryMediaStore = {
    objects,
    onPiece: () => undefined,
    async put(key, bytes) {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of bytes) {
        size += piece.byteLength;
        await store.onPiece(size);
        pieces.push(Buffer.from(piece));
      }
      objects.set(key, Buffer.concat(pieces));
    },
    async get(key, range) {
      const object = objects.get(key);
      if (object === undefined) return null;
      const part = range === undefined ? object : object.subarray(range.first, range.last + 1);
      return {
        bytes: (async function* () {
          yield part;
        })(),
        size: object.byteLength,
      };
    },
    async remove(key) {
      objects.delete(key);
    },
    sweep: async () => 0,
    link: async () => null,
  };
  return store;
}
