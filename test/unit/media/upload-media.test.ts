/** What ends an upload before its last byte, and what is left then. */
import { describe, expect, it } from "vitest";
import { createUploadMedia } from "../../../plugin/media/upload-media.ts";
import type { ByteStream } from "../../../plugin/ports.ts";

const TENANT = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const PDF = Buffer.from("%PDF-1.7\n");

function start({ used = 0, quotaBytes = 1_000_000 } = {}) {
  const reserved = new Set<string>();
  const discarded: string[] = [];
  let taken = 0;
  const upload = createUploadMedia({
    records: {
      async reserve(tenant) {
        const key = `${tenant}/${reserved.size}`;
        reserved.add(key);
        return key;
      },
      keep: async () => "an id",
      discard: async (key) => void discarded.push(key),
      used: async () => used,
    },
    mediaStore: {
      async put(_key, bytes) {
        for await (const chunk of bytes) taken += chunk.byteLength;
      },
    },
    quotaBytes,
  });
  const send = (bytes: ByteStream, customerConfigId = TENANT) =>
    upload({ customerConfigId, bytes, filename: null, said: null, kind: null });
  return { send, reserved, discarded, taken: () => taken };
}

async function* pdfOf(chunks: number, onEnd: () => void = () => undefined) {
  try {
    yield PDF;
    for (let i = 0; i < chunks; i++) yield Buffer.alloc(100_000);
  } finally {
    onEnd();
  }
}

describe("an upload", () => {
  it("is refused as soon as it passes the tenant's share, and its source is ended", async () => {
    const { send, reserved, discarded, taken } = start({ used: 500_000 });
    let isEnded = false;

    await expect(
      send(
        pdfOf(900, () => {
          isEnded = true;
        }),
      ),
    ).rejects.toMatchObject({ code: "MEDIA_QUOTA_EXCEEDED", retry: "fix" });

    expect(taken()).toBeLessThanOrEqual(500_000);
    expect(isEnded).toBe(true);
    expect(discarded).toEqual([...reserved]);
  });

  it("gives its key up when the store or the rows fail, and throws what they threw", async () => {
    const failure = new Error("away");
    const discarded: string[] = [];
    const records = {
      reserve: async () => "t/1",
      keep: () => Promise.reject(failure),
      discard: async (key: string) => void discarded.push(key),
      used: async () => 0,
    };
    async function put(_key: string, bytes: ByteStream): Promise<void> {
      for await (const _ of bytes);
    }
    const upload = createUploadMedia({ records, mediaStore: { put }, quotaBytes: 1_000 });

    await expect(
      upload({ customerConfigId: TENANT, bytes: pdfOf(0), filename: null, said: null, kind: null }),
    ).rejects.toBe(failure);
    expect(discarded).toEqual(["t/1"]);
  });

  it("is one of eight at most that a tenant has under way, and no other tenant waits", async () => {
    const { send } = start();
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* slow() {
      yield PDF;
      await held;
    }
    const eight = Array.from({ length: 8 }, () => send(slow()));

    await expect(send(pdfOf(0))).rejects.toMatchObject({ code: "OVERLOADED", retry: "backoff" });
    await expect(send(pdfOf(0), OTHER)).resolves.toMatchObject({ size: PDF.byteLength });

    go();
    await Promise.all(eight);
    await expect(send(pdfOf(0))).resolves.toMatchObject({ kind: "document", mime: "application/pdf" });
  });
});
