/** More than the database takes is refused while there is memory, and Meta brings it again. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Inbox } from "../../../plugin/ports.ts";
import { createReceive } from "../../../plugin/receive.ts";

const SECRET = "test-app-secret";
const MB = 1024 * 1024;

/** A database that stores nothing until it is let go. */
function setUp() {
  let letGo = () => {};
  const stopped = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let stored = 0;
  const receive = createReceive({
    appSecrets: [SECRET],
    inbox: {
      async record(deliveries: readonly unknown[]) {
        await stopped;
        return deliveries.map(() => ({ webhookId: String(++stored), events: [], error: null }));
      },
    } as unknown as Inbox,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onStored() {},
  });
  const post = (bytes: number) => {
    const rawBody = Buffer.alloc(bytes, " ");
    const digest = createHmac("sha256", SECRET).update(rawBody).digest("hex");
    return receive({ rawBody, signature: `sha256=${digest}` });
  };
  return { post, letGo };
}

const REFUSED = expect.objectContaining({ code: "STORE_UNAVAILABLE", retry: "backoff" });

describe("deliveries that wait to be stored", () => {
  it("are refused beyond 64 MB together, and taken again once the others are stored", async () => {
    const { post, letGo } = setUp();
    const waiting = Array.from({ length: 21 }, () => post(3 * MB));
    // The bytes are counted while they wait and while they are being stored.
    await new Promise((resolve) => setImmediate(resolve));

    await expect(post(3 * MB)).rejects.toEqual(REFUSED);
    const small = post(MB);
    await expect(post(1)).rejects.toEqual(REFUSED);
    letGo();
    await Promise.all([...waiting, small]);

    await expect(post(3 * MB)).resolves.toMatchObject({ events: [] });
  });

  it("are refused beyond 2,000, however small", async () => {
    const { post, letGo } = setUp();
    const waiting = Array.from({ length: 2_000 }, () => post(10));

    await expect(post(10)).rejects.toEqual(REFUSED);
    letGo();
    await Promise.all(waiting);
  });
});
