/** What every media store promises, whatever it is made of. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ByteStream, MediaStore } from "../../plugin/ports.ts";

export type StoreUnderTest = {
  readonly store: MediaStore;
  /** Everything that lies in it, the unfinished too. */
  everything(): Promise<readonly string[]>;
  /** From now on whatever is written or read fails like this; null: nothing does. */
  breakWith(trouble: "full" | "away" | null): Promise<void> | void;
  stop(): Promise<void>;
};

const MiB = 1024 * 1024;
const ABOUT = { mime: "image/png" };
const newKey = () => `tenant-1/${randomBytes(24).toString("base64url")}`;

async function* inChunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** So many bytes, then this error. */
async function* broken(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes);
  throw error;
}

async function all(stream: ByteStream | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream ?? []) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

export function describeMediaStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`a media store, ${name}`, () => {
    let under: StoreUnderTest;
    let store: MediaStore;
    beforeAll(async () => {
      under = await start();
      store = under.store;
    });
    afterAll(() => under.stop());

    it.each([0, 1, 64 * 1024, 6 * MiB + 1])("gives back %i bytes as they were", async (size) => {
      const [key, bytes] = [newKey(), randomBytes(size)];

      await store.put(key, inChunks(bytes), ABOUT);
      const found = await store.get(key);

      expect(found?.size).toBe(size);
      expect((await all(found?.bytes)).equals(bytes)).toBe(true);
    });

    it("gives back a range, its ends included", async () => {
      const [key, bytes] = [newKey(), randomBytes(200_000)];
      await store.put(key, inChunks(bytes), ABOUT);

      for (const [first, last] of [
        [0, 1],
        [0, 199_999],
        [70_000, 140_000],
        [199_999, 199_999],
      ] as const) {
        const found = await store.get(key, { first, last });
        expect(found?.size).toBe(200_000);
        expect((await all(found?.bytes)).equals(bytes.subarray(first, last + 1))).toBe(true);
      }
    });

    it("overwrites as a whole", async () => {
      const key = newKey();
      await store.put(key, inChunks(randomBytes(100_000)), ABOUT);
      await store.put(key, inChunks(Buffer.from("short")), ABOUT);

      expect((await all((await store.get(key))?.bytes)).toString()).toBe("short");
    });

    it("knows nothing of a key that was never written, and of one that was removed", async () => {
      const key = newKey();
      expect(await store.get(key)).toBeNull();

      await store.put(key, inChunks(Buffer.from("here")), ABOUT);
      await store.remove(key);
      await store.remove(key);

      expect(await store.get(key)).toBeNull();
      expect((await under.everything()).filter((one) => one.includes(key.split("/")[1] as string))).toEqual([]);
    });

    it.each([0, 1, 65_536, 5 * MiB, 5 * MiB + 1, 11 * MiB])(
      "keeps nothing when its source throws after %i bytes, and throws the same",
      async (size) => {
        const key = newKey();
        const before = await under.everything();
        const error = new Error("the line broke");

        await expect(store.put(key, broken(randomBytes(size), error), ABOUT)).rejects.toBe(error);

        expect(await store.get(key)).toBeNull();
        expect(await under.everything()).toEqual(before);
      },
    );

    it("keeps what was there when a second source throws", async () => {
      const key = newKey();
      await store.put(key, inChunks(Buffer.from("the first")), ABOUT);

      await expect(store.put(key, broken(randomBytes(6 * MiB), new Error("no")), ABOUT)).rejects.toThrow("no");

      expect((await all((await store.get(key))?.bytes)).toString()).toBe("the first");
    });

    it("shows nothing of it before it is whole", async () => {
      const key = newKey();
      const bytes = randomBytes(12 * MiB);
      const seen: unknown[] = [];
      async function* watched() {
        for await (const chunk of inChunks(bytes, MiB)) {
          seen.push(await store.get(key));
          yield chunk;
        }
      }

      await store.put(key, watched(), ABOUT);

      expect(seen).toEqual(Array.from({ length: 12 }, () => null));
      expect((await store.get(key))?.size).toBe(12 * MiB);
    });

    it("ends what it reads from when it cannot write", async () => {
      let isEnded = false;
      async function* endless() {
        try {
          for (;;) yield randomBytes(MiB);
        } finally {
          isEnded = true;
        }
      }
      const before = await under.everything();
      await under.breakWith("full");
      try {
        await expect(store.put(newKey(), endless(), ABOUT)).rejects.toMatchObject({
          code: "MEDIA_STORE_FULL",
          retry: "backoff",
        });
      } finally {
        await under.breakWith(null);
      }
      expect(isEnded).toBe(true);
      expect(await under.everything()).toEqual(before);
    });

    it("says that it is away, in words that name no path, key or bucket", async () => {
      const key = newKey();
      await store.put(key, inChunks(Buffer.from("here")), ABOUT);
      await under.breakWith("away");
      try {
        for (const work of [
          () => store.put(newKey(), inChunks(Buffer.from("x")), ABOUT),
          () => store.get(key).then((found) => all(found?.bytes)),
        ]) {
          const error = await work().catch((thrown: unknown) => thrown);
          expect(error).toMatchObject({ name: "ChannelError", code: "MEDIA_STORE_UNAVAILABLE", retry: "backoff" });
          expect((error as Error).message).not.toMatch(/[/\\]|tenant-1/);
        }
      } finally {
        await under.breakWith(null);
      }
      expect((await all((await store.get(key))?.bytes)).toString()).toBe("here");
    });

    it("takes many at once, each under its own key and whole", async () => {
      const many = Array.from({ length: 20 }, (_, i) => ({ key: newKey(), bytes: randomBytes(50_000 + i) }));

      await Promise.all(many.map(({ key, bytes }) => store.put(key, inChunks(bytes), ABOUT)));

      for (const { key, bytes } of many) expect((await all((await store.get(key))?.bytes)).equals(bytes)).toBe(true);
    });

    it("reads no further than it is asked", async () => {
      const key = newKey();
      await store.put(key, inChunks(randomBytes(3 * MiB)), ABOUT);

      let chunks = 0;
      for await (const _chunk of (await store.get(key))?.bytes ?? []) {
        chunks += 1;
        break;
      }

      expect(chunks).toBe(1);
      await store.remove(key);
    });

    it.each([
      "../escape",
      "tenant/../../etc",
      "/tenant/x",
      "tenant",
      "tenant/a/b",
      "tenant/a b",
      "",
      ".partial/x",
      "tenant/ä",
    ])("refuses the key %j", async (key) => {
      await expect(store.put(key, inChunks(Buffer.from("x")), ABOUT)).rejects.toThrow("A key of the media store");
      await expect(store.get(key)).rejects.toThrow("A key of the media store");
      await expect(store.remove(key)).rejects.toThrow("A key of the media store");
    });

    it("leaves alone what is being written when it sweeps", async () => {
      const [key, bytes] = [newKey(), randomBytes(11 * MiB)];
      async function* swept() {
        for await (const chunk of inChunks(bytes, MiB)) {
          expect(await store.sweep(new Date(Date.now() - 60_000))).toBe(0);
          yield chunk;
        }
      }

      await store.put(key, swept(), ABOUT);

      expect((await all((await store.get(key))?.bytes)).equals(bytes)).toBe(true);
    });
  });
}
