import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { faultsOf } from "../test/support/accessibility.ts";
import { findChromium } from "../test/support/chromium.ts";
import { startPageStub } from "../test/support/page-stub.ts";

const only = process.argv[2];
const stub = await startPageStub();
const { path, env } = await findChromium();
const browser = await chromium.launch({ executablePath: path, env: { ...process.env, ...env } as never });
await mkdir("/tmp/shots", { recursive: true });
const places: [string, string][] = [
  ["overview", "#/overview"],
  ["health", "#/health"],
  ["numbers", "#/numbers"],
  ["messages", "#/messages"],
  ["message", "#/messages/m3"],
  ["message-read", "#/messages/m1"],
  ["webhooks", "#/webhooks"],
  ["webhook", "#/webhooks/9018"],
  ["templates", "#/templates"],
  ["template", "#/templates/2"],
  ["template-edit", "#/templates/1/edit"],
  ["dead-letters", "#/dead-letters"],
];
for (const [kind, options] of [
  ["desktop-light", { viewport: { width: 1280, height: 860 } }],
  ["desktop-dark", { viewport: { width: 1280, height: 860 }, colorScheme: "dark" }],
  ["phone-light", { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ["phone-dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true, isMobile: true }],
] as const) {
  if (only && !only.split(",").includes(kind)) continue;
  const context = await browser.newContext({ locale: "en-GB", ...options } as never);
  const page = await context.newPage();
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") console.log(kind, m.text());
  });
  page.on("pageerror", (e) => console.log(kind, "pageerror", String(e)));
  page.on("response", (r) => {
    if (r.status() >= 400) console.log(r.status(), r.url());
  });
  for (const [name, hash] of places) {
    if (process.argv[3] && !process.argv[3].split(",").includes(name)) continue;
    await page.goto(stub.url + hash);
    await page.waitForTimeout(500);
    await page.screenshot({ path: `/tmp/shots/${name}-${kind}.png`, fullPage: true, animations: "disabled" });
    const faults = await faultsOf(page);
    if (faults.length) console.log(kind, name, faults);
  }
  await context.close();
}
await browser.close();
await stub.stop();
