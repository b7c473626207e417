/** Bytes that a host hands over and that cannot be kept after all. */
import { expect, it } from "vitest";
import { createKeepBytes } from "../../../plugin/media/keep-bytes.ts";

it.each(["put", "keepFor"] as const)("are left over at once, and not a day later, when %s fails", async (where) => {
  const discarded: string[] = [];
  const broken = new Error("broken");
  const failing = (at: string) => (where === at ? Promise.reject(broken) : Promise.resolve());
  const keepBytes = createKeepBytes({
    records: {
      reserve: async () => "tenant/key",
      discard: async (key) => void discarded.push(key),
    },
    mediaStore: { put: () => failing("put") },
    outboundMedia: { findKept: async () => null, keepFor: () => failing("keepFor").then(() => "id") },
    quotaBytes: 1_000,
  });

  const kept = keepBytes(
    { kind: "document", bytes: Buffer.from("a text"), mime: "text/plain", hasCaption: false },
    { customerConfigId: "tenant", conversationId: "conversation" },
  );

  await expect(kept).rejects.toBe(broken);
  expect(discarded).toEqual(["tenant/key"]);
});
