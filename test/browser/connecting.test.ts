/** From the button to an answered message, in a real browser: the example host, its page, and Meta's dialog as simulated. */
import type { HostEvent } from "@omniops/whatsapp";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import type { Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../examples/host/free-port.ts";
import { type RunningHost, startHost } from "../../examples/host/host.ts";
import { readSettings } from "../../examples/host/settings.ts";
import { useBrowser, type WatchedPage } from "../support/browser.ts";
import { APP_SECRET, NUMBER, TOKEN_KEYS, VERIFY_TOKEN } from "../support/channel.ts";
import { APP_ID, CONFIG_ID, FRESH, SECOND } from "../support/connecting.ts";
import { createTestDatabase } from "../support/postgres.ts";

const browser = useBrowser();

type Scene = {
  readonly meta: Simulator;
  readonly host: RunningHost;
  readonly page: WatchedPage;
  readonly events: HostEvent[];
};

/** A new user's first minute: signed in, on the integrations page, nothing connected. */
async function openDashboard(
  meta: Partial<SimulatorOptions> = {},
  flow = "redirect",
  env: Record<string, string> = {},
): Promise<Scene> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const simulator = createSimulator({
    appId: APP_ID,
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: "unused",
    webhookUrl: `${url}/api/whatsapp/webhook`,
    numbers: [FRESH],
    statusDelayMs: 1,
    ...meta,
    login: { redirectUris: [`${url}/api/whatsapp/oauth/callback`], configId: CONFIG_ID, ...meta.login },
  });
  await simulator.start();
  onTestFinished(() => simulator.stop());
  const database = await createTestDatabase();
  const events: HostEvent[] = [];
  const settings = readSettings({
    PORT: String(port),
    META_APP_ID: APP_ID,
    META_CONFIG_ID: CONFIG_ID,
    META_APP_SECRET: APP_SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
    META_GRAPH_URL: simulator.url,
    META_DIALOG_URL: simulator.url,
    WHATSAPP_COALESCE_MS: "0",
    ...env,
  });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const host = await startHost(
    { ...settings, databaseUrl: database.url },
    { onEvent: (event) => void events.push(event), logger: silent },
  );
  onTestFinished(() => host.stop());
  const page = await browser.open(`${url}/login?key=demo-key`);
  await page.getByRole("link", { name: "Integrations" }).click();
  if (flow !== "redirect") await page.goto(`${url}/dashboard/integrations?flow=${flow}`);
  return { meta: simulator, host, page, events };
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });

/** Somebody writes to the number, and the host's bot answers. */
async function isAnswered(meta: Simulator, phoneNumberId = NUMBER.phoneNumberId): Promise<void> {
  const ada = meta.person({ name: "Ada", phoneNumber: "447700900123" });
  ada.says("hello", { to: phoneNumberId });
  await meta.waitFor(() => ada.transcript(phoneNumberId).some(({ direction }) => direction === "outbound"));
}

describe("a new user", () => {
  it("gets from the button to an answered message in one flow, by redirect", async () => {
    const { meta, page } = await openDashboard();
    await browser.screenshot(page, "flow-1-nothing-connected");

    await button(page, "Connect WhatsApp").click();
    await page.getByRole("heading", { name: /Connect .* to WhatsApp/ }).waitFor();
    await browser.screenshot(page, "flow-2-dialog");
    await button(page, "Continue").click();

    await page.getByText("WhatsApp is connected.").first().waitFor();
    await page.getByText(NUMBER.verifiedName).first().waitFor();
    await browser.screenshot(page, "flow-3-connected");
    expect(new URL(page.url()).search).toBe("");
    await isAnswered(meta);
    expect(page.faults).toEqual([]);
  });

  it("gets there by Meta's popup too", async () => {
    const { meta, page } = await openDashboard({}, "popup");
    await expect.poll(() => page.evaluate("typeof window.FB")).toBe("object");

    const [popup] = await Promise.all([page.waitForEvent("popup"), button(page, "Connect WhatsApp").click()]);
    await button(popup, "Continue").click();

    await page.getByText("WhatsApp is connected.").first().waitFor();
    await isAnswered(meta);
    expect(page.faults).toEqual([]);
  });

  it("chooses when there are several numbers", async () => {
    const { meta, page } = await openDashboard({ numbers: [FRESH, SECOND] });
    await button(page, "Connect WhatsApp").click();
    await button(page, "Continue").click();

    await page.getByText(SECOND.verifiedName).first().waitFor();
    await browser.screenshot(page, "flow-choice");
    await page.getByRole("checkbox").or(page.getByRole("radio")).last().check();
    await button(page, "Connect these").click();

    await page.getByText("WhatsApp is connected.").first().waitFor();
    await isAnswered(meta, SECOND.phoneNumberId);
  });

  it("enters the PIN of a number that has one", async () => {
    const { page } = await openDashboard({ numbers: [{ ...FRESH, pin: "271828" }] });
    await button(page, "Connect WhatsApp").click();
    await button(page, "Continue").click();

    await page.getByRole("textbox").fill("271828");
    await browser.screenshot(page, "flow-pin");
    await page.getByRole("textbox").press("Enter");

    await page.getByText("WhatsApp is connected.").first().waitFor();
  });
});

describe("a flow that fails", () => {
  it.each([
    ["cancelled at Meta", {}, "Cancel", /login at Meta was cancelled/],
    [
      "with a permission missing",
      { login: { scopes: ["whatsapp_business_messaging"] } },
      "Continue",
      /permission is missing/,
    ],
    ["with a code that is too old", { login: { codeLifeMs: 0 } }, "Continue", /Meta did not accept the login/],
    ["with another app's secret", { appSecret: "another-app-secret" }, "Continue", /not set up on this platform/],
    [
      "without a number",
      { numbers: [], accounts: [{ wabaId: "201555000111222", name: "Empty" }] },
      "Continue",
      /has no phone number/,
    ],
    [
      "with a number that is not verified",
      { numbers: [{ ...FRESH, isVerified: false }] },
      "Continue",
      /not verified this number/,
    ],
  ] as const)("ends on the dashboard with a sentence: %s", async (what, meta, press, sentence) => {
    const { page } = await openDashboard(meta as Partial<SimulatorOptions>);

    await button(page, "Connect WhatsApp").click();
    await button(page, press).click();

    await page.waitForURL(/\/dashboard\/integrations/);
    await page.getByText(sentence).first().waitFor();
    await browser.screenshot(page, `flow-fails-${what.replaceAll(/\W+/g, "-")}`);
    expect(new URL(page.url()).search).toBe("");
  });

  it("ends there too when somebody else's browser comes back, or the same one a second time", async () => {
    const { meta, page, host } = await openDashboard();
    const [request] = await Promise.all([
      page.waitForRequest(/dialog\/oauth/),
      button(page, "Connect WhatsApp").click(),
    ]);
    const back = meta.login.decide(request.url());
    const stranger = await browser.open(`${host.url}/login?key=demo-key`);

    await stranger.goto(back.href);

    await stranger.waitForURL(/\/dashboard\/integrations/);
    await stranger
      .getByText(/Invalid state parameter/)
      .first()
      .waitFor();
    await page.goto(back.href);
    await page.getByText("WhatsApp is connected.").first().waitFor();
    await page.goto(back.href);
    await page
      .getByText(/Invalid state parameter/)
      .first()
      .waitFor();
  });

  it("is gone on with by one press, when Meta was away for a moment", async () => {
    const { meta, page } = await openDashboard();
    meta.faults.next({ on: "register", do: { error: { code: 2 } } });
    await button(page, "Connect WhatsApp").click();
    await button(page, "Continue").click();
    await page
      .getByText(/Meta refused a step|Meta is busy/)
      .first()
      .waitFor();
    await browser.screenshot(page, "flow-try-again");

    await button(page, "Try again").click();

    await page.getByText("WhatsApp is connected.").first().waitFor();
    await isAnswered(meta);
  });
});
