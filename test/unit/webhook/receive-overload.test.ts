/** What is signed may come faster than it can be stored: then it is refused, before the memory is full. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import type { Inbox } from "../../../plugin/ports.ts";
import { createReceive } from "../../../plugin/receive.ts";

const SECRET = "an-app-secret";
const quiet = () => undefined;

function receiving() {
  let letGo = quiet as () => void;
  const stored = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const record: Inbox["record"] = async (deliveries) => {
    await stored;
    return deliveries.map((_, n) => ({ webhookId: String(n), events: [], error: null }));
  };
  const receive = createReceive({
    appSecrets: [SECRET],
    inbox: { record } as Inbox,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    onStored: quiet,
  });
  return { receive: (rawBody: Uint8Array) => receive({ rawBody, signature: signatureOf(rawBody, SECRET) }), letGo };
}

describe("deliveries that wait to be stored", () => {
  it.each([
    ["large ones", 4 * 1024 * 1024, 16],
    ["small ones", 2, 2_000],
  ])("are refused beyond a measure, of %s, and taken again once those are stored", async (_what, size, most) => {
    const { receive, letGo } = receiving();
    const bytes = Buffer.alloc(size, " ");
    bytes.write("{}");

    const waiting = Array.from({ length: most }, () => receive(bytes));
    await expect(receive(bytes)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retry: "backoff" });

    letGo();
    expect(await Promise.all(waiting)).toHaveLength(most);
    expect(await receive(bytes)).toMatchObject({ events: [] });
  });
});
