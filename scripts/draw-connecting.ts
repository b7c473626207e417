/** `npm run screenshots`: draws docs/connect/, what a customer sees, in a real browser before the simulator. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import knexFactory from "knex";
import type { Browser, Page } from "playwright-core";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { freePort } from "../examples/host/free-port.ts";
import { type RunningHost, startHost } from "../examples/host/host.ts";
import { readSettings } from "../examples/host/settings.ts";
import { openBrowser } from "./open-browser.ts";

const PICTURES = fileURLToPath(new URL("../docs/connect/", import.meta.url));
/** As wide as a card on a dashboard with a margin around it, and small as a file. */
const WIDTH = 688;
const MARGIN = 24;
const APP = {
  appId: "700700700700700",
  appName: "Your platform",
  appSecret: "a-secret-of-nobody",
  configId: "800800800",
};
const VERIFY_TOKEN = "a-token-of-nobody";
/** Nobody's: from the ranges that are kept for films and books. */
const SHOP = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "+44 7700 900000",
  verifiedName: "Quill Bakery",
  isRegistered: false,
  isSubscribed: false,
};
const CAFE = {
  ...SHOP,
  phoneNumberId: "301777000333555",
  displayPhoneNumber: "+44 7700 900055",
  verifiedName: "Quill Café",
  isOnBusinessApp: true,
};
const PIN = "271828";
const ANOTHER_TENANT = "00000000-0000-4000-8000-000000000002";

type Scene = {
  readonly meta: Simulator;
  readonly host: RunningHost;
  readonly page: Page;
  /** Resolves with the next time that the host hears of a dead token. */
  readonly tokenIsDead: Promise<void>;
};

const browser = await openBrowser();
const postgres = await startEmbeddedPostgres({ fsync: false });
await mkdir(PICTURES, { recursive: true });
try {
  await play("one_number", { numbers: [SHOP] }, async ({ meta, page, tokenIsDead }) => {
    await draw(page, "nothing-connected");
    await press(page, "Connect WhatsApp");
    await page.getByRole("heading", { name: /to WhatsApp/ }).waitFor();
    await mark(page);
    await draw(page, "simulated-dialog");
    await press(page, "Continue");
    await page.getByText("WhatsApp is connected.").first().waitFor();
    await draw(page, "connected");
    await page.reload();
    await press(page, "Disconnect +44 7700 900000");
    await draw(page, "disconnect");
    await press(page, "Keep connected");
    meta.faults.next({ on: "messages", do: { error: { code: 190, subcode: 460 } } });
    meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("Are you open today?", { to: SHOP.phoneNumberId });
    await tokenIsDead;
    await page.reload();
    await draw(page, "reconnect");
  });
  await play("several_numbers", { numbers: [SHOP, CAFE] }, async ({ page }) => {
    await press(page, "Connect WhatsApp");
    await press(page, "Continue");
    await page.getByRole("checkbox").first().check();
    await draw(page, "choose-numbers");
  });
  await play("a_pin", { numbers: [{ ...SHOP, pin: PIN }] }, async ({ page }) => {
    await press(page, "Connect WhatsApp");
    await press(page, "Continue");
    await page.getByRole("textbox").fill(PIN);
    await draw(page, "two-step-pin");
  });
  await play("another_tenant", { numbers: [{ ...SHOP, isRegistered: true }] }, async ({ meta, host, page }) => {
    await host.knex("customer_configs").insert({ id: ANOTHER_TENANT });
    const { phoneNumberId, wabaId } = SHOP;
    const accessToken = meta.issueToken();
    await host.whatsapp.connect({ customerConfigId: ANOTHER_TENANT, accessToken, phoneNumberId, wabaId });
    await press(page, "Connect WhatsApp");
    await press(page, "Continue");
    await page.getByRole("heading", { name: "Move the number here?" }).waitFor();
    await draw(page, "move-here");
  });
  await play("cancelled", { numbers: [SHOP] }, async ({ page }) => {
    await press(page, "Connect WhatsApp");
    await press(page, "Cancel");
    await page
      .getByText(/was cancelled/)
      .first()
      .waitFor();
    await draw(page, "cancelled");
  });
} finally {
  await browser.close();
  await postgres.stop();
}

/** A platform of its own, on which nobody has connected anything yet. */
async function play(
  database: string,
  meta: Pick<SimulatorOptions, "numbers">,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { appId, appName, appSecret, configId } = APP;
  const simulator = createSimulator({
    appId,
    appName,
    appSecret,
    verifyToken: VERIFY_TOKEN,
    accessToken: "unused",
    webhookUrl: `${url}/api/whatsapp/webhook`,
    login: { redirectUris: [`${url}/api/whatsapp/oauth/callback`], configId },
    ...meta,
  });
  await simulator.start();
  await createDatabase(database);
  let hearOfIt = () => {};
  const tokenIsDead = new Promise<void>((resolve) => {
    hearOfIt = resolve;
  });
  const host = await startHost(
    {
      ...readSettings({
        PORT: String(port),
        META_APP_ID: appId,
        META_APP_SECRET: appSecret,
        META_CONFIG_ID: configId,
        WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
        WHATSAPP_TOKEN_KEYS: `k1:${randomBytes(32).toString("base64")}`,
        META_GRAPH_URL: simulator.url,
        META_DIALOG_URL: simulator.url,
        WHATSAPP_COALESCE_MS: "0",
      }),
      databaseUrl: postgres.databaseUrl(database),
    },
    {
      onEvent(event) {
        if (event.kind === "connection" && event.connection.state === "reauth_required") hearOfIt();
      },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    },
  );
  try {
    const page = await openDashboard(browser, url);
    await act({ meta: simulator, host, page, tokenIsDead });
    await page.context().close();
  } finally {
    await host.stop();
    await simulator.stop();
  }
}

async function openDashboard(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: 480 },
    colorScheme: "light",
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(`${url}/login?key=demo-key`);
  await page.goto(`${url}/dashboard/integrations`);
  await page.getByRole("button", { name: "Connect WhatsApp" }).waitFor();
  return page;
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** Nobody shall take our page for Meta's. */
async function mark(page: Page): Promise<void> {
  // A string, because these types know no document.
  await page.evaluate(`{
    const bar = document.createElement("p");
    bar.textContent = "SIMULATED, for development: Meta's own dialog looks different";
    bar.style.cssText = "margin:0 0 1rem;padding:.5rem 1rem;background:#b91c1c;color:#fff;font:bold 1rem system-ui;text-align:center";
    document.body.prepend(bar);
  }`);
}

/** The heading and the card; the whole page where there is no card. */
async function draw(page: Page, name: string): Promise<void> {
  // No caret, no hover, no focus ring: the same picture every time.
  await page.mouse.move(0, 0);
  await page.evaluate("document.fonts.ready");
  const [heading, card] = [page.locator("main > h1"), page.locator("whatsapp-connect")];
  const hasCard = (await card.count()) > 0;
  const [top, bottom] = hasCard ? [await heading.boundingBox(), await card.boundingBox()] : [null, null];
  const clip = top &&
    bottom && {
      x: bottom.x - MARGIN,
      y: top.y - MARGIN,
      width: bottom.width + 2 * MARGIN,
      height: bottom.y + bottom.height - top.y + 2 * MARGIN,
    };
  const png = await page.screenshot({
    fullPage: true,
    animations: "disabled",
    caret: "hide",
    ...(clip && { clip, style: "nav, main > p { visibility: hidden }" }),
  });
  await writeFile(join(PICTURES, `${name}.png`), png);
  console.log(`docs/connect/${name}.png  ${Math.round(png.length / 1024)} kB`);
}

async function createDatabase(name: string): Promise<void> {
  const admin = knexFactory({ client: "pg", connection: postgres.url, pool: { min: 0, max: 1 } });
  await admin.raw("create database ??", [name]);
  await admin.destroy();
}
