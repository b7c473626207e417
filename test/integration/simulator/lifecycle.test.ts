/** How a simulator begins and ends, also for whoever calls it at the wrong moment. */
import { createSimulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, ADA, APP_SECRET, NUMBER, startHost } from "./simulated.ts";

const OPTIONS = { appSecret: APP_SECRET, verifyToken: "verify-me", accessToken: ACCESS_TOKEN, numbers: [NUMBER] };

describe("a simulator", () => {
  it("that was stopped does not start again, and says so", async () => {
    const meta = createSimulator(OPTIONS);
    await meta.start();
    await meta.stop();

    await expect(meta.start()).rejects.toThrow("create another one");
  });

  it("that was stopped lets nobody wait for what cannot happen any more", async () => {
    const host = await startHost();
    host.answers.push(...Array<number>(100).fill(500));
    const meta = createSimulator({ ...OPTIONS, webhookUrl: host.url });
    await meta.start();
    meta.person(ADA).says("Hello?");
    const waiting = meta.waitFor(() => false, 60_000);
    await Promise.all([meta.stop(), expect(waiting).rejects.toThrow("was stopped")]);

    await expect(meta.waitFor(() => false, 60_000)).rejects.toThrow("was stopped");
  });

  it("that is stopped while it starts is not left listening", async () => {
    const meta = createSimulator(OPTIONS);
    const starting = meta.start();
    await meta.stop();

    await expect(fetch(await starting)).rejects.toThrow();
  });

  it("that is started twice has one address", async () => {
    const meta = createSimulator(OPTIONS);
    const [first, second] = await Promise.all([meta.start(), meta.start()]);
    await meta.stop();

    expect(second).toBe(first);
  });
});
