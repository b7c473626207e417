/** A token is opened when a call needs it and forgotten after it: a dump of the heap is no list of customers' tokens. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it, onTestFinished } from "vitest";
import { bundleProgram } from "../../support/bundled-program.ts";
import { APP_SECRET, TOKEN_KEYS, until, VERIFY_TOKEN } from "../../support/channel.ts";
import { APP_ID, CONFIG_ID, FRESH } from "../../support/connecting.ts";
import { createHostProcess } from "../../support/host-process.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const HOST = bundleProgram("examples/host/main.ts");

describe("the memory of a host", () => {
  it("holds no token once it was used, nor a code or a PIN", { timeout: 120_000 }, async () => {
    const database = await createTestDatabase();
    const dumps = mkdtempSync(join(tmpdir(), "heap-"));
    onTestFinished(() => rmSync(dumps, { recursive: true, force: true }));
    const meta = createSimulator({
      appId: APP_ID,
      appSecret: APP_SECRET,
      verifyToken: VERIFY_TOKEN,
      accessToken: "unused",
      numbers: [FRESH],
      statusDelayMs: 1,
      login: { configId: CONFIG_ID },
    });
    await meta.start();
    onTestFinished(() => meta.stop());
    const host = await createHostProcess(HOST, {
      NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${dumps}`,
      DATABASE_URL: database.url,
      META_APP_ID: APP_ID,
      META_CONFIG_ID: CONFIG_ID,
      META_APP_SECRET: APP_SECRET,
      WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
      WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
      META_GRAPH_URL: meta.url,
      META_DIALOG_URL: meta.url,
      WHATSAPP_COALESCE_MS: "0",
    });
    await host.start();
    onTestFinished(async () => void (await host.end("SIGTERM")));
    meta.setWebhookUrl(`${host.url}/api/whatsapp/webhook`);
    const asTenant = { redirect: "manual", headers: { authorization: "Bearer demo-key" } } as const;
    const dialog = await fetch(`${host.url}/api/whatsapp/oauth/authorize?domain=x`, asTenant);
    const back = meta.login.decide(dialog.headers.get("location") as string);
    const done = await fetch(back, asTenant);
    expect(done.headers.get("location")).toContain("whatsapp_connected=true");
    const ada = meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("hello");
    await meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
    await meta.idle();
    // The agent lets go of an idle socket, and of the headers it has carried, after four seconds.
    await new Promise((resolve) => setTimeout(resolve, 6_000));

    host.signal("SIGUSR2");
    const file = await until(
      () => readdirSync(dumps).find((name) => name.endsWith(".heapsnapshot")),
      "the heap",
      30_000,
    );
    const heap = await until(
      () => {
        const text = readFileSync(join(dumps, file), "utf8");
        return text.trimEnd().endsWith("]}") ? text : null;
      },
      "the whole of the heap",
      30_000,
    );

    const found = heap.match(/EAA[A-Za-z0-9]{100,}/g) ?? [];
    expect(found.length).toBeLessThanOrEqual(1);
    expect(heap).not.toContain(back.searchParams.get("code"));
    expect(heap).not.toContain(`"${meta.numbers()[0]?.pin}"`);
  });
});
