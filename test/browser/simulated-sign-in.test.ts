/** The simulator's dialog and its JavaScript SDK in a real browser, from a page on another port. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Simulator } from "@omniops/whatsapp/simulator";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { APP_SECRET, cleanups, NUMBER, startSimulator } from "../integration/simulator/simulated.ts";
import { useBrowser } from "../support/browser.ts";

const browser = useBrowser();
const COEXISTENCE = {
  ...NUMBER,
  phoneNumberId: "301777000555666",
  wabaId: "201555000111333",
  verifiedName: "Night Bakery",
  isOnBusinessApp: true,
};

type Heard = { readonly type: string; readonly event: string; readonly version: number; readonly data: object };
type Outcome = {
  readonly answer: { readonly authResponse: { readonly code: string } | null };
  readonly heard: Heard[];
};

/** A host's page that signs people up as Meta's sample does. */
async function startPage(meta: Simulator, extras: object = {}): Promise<string> {
  const options = { config_id: "CFG1", response_type: "code", override_default_response_type: true, extras };
  const server = http.createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><title>Host</title>
<link rel="icon" href="data:,"><button>Connect WhatsApp</button><script>
window.heard = [];
window.addEventListener("message", (event) => {
  if (event.origin !== ${JSON.stringify(meta.url)}) return;
  try { heard.push(JSON.parse(event.data)); } catch { /* the SDK's own */ }
});
window.fbAsyncInit = () => {
  FB.init({ appId: "777", version: "v25.0" });
  document.querySelector("button").onclick = () => FB.login((answer) => { window.outcome = { answer, heard }; }, ${JSON.stringify(options)});
};
</script><script async defer src="${meta.url}/en_US/sdk.js"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function openDialog(page: Page): Promise<Page> {
  await page.waitForFunction("document.querySelector('button').onclick !== null");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button").click()]);
  await popup.waitForLoadState();
  return popup;
}

async function outcomeIn(page: Page): Promise<Outcome> {
  await page.waitForFunction("window.outcome !== undefined");
  return (await page.evaluate("window.outcome")) as Outcome;
}

function exchange(meta: Simulator, code: string | undefined) {
  const query = new URLSearchParams({ client_id: "777", client_secret: APP_SECRET, code: code ?? "" });
  return fetch(`${meta.url}/v25.0/oauth/access_token?${query}`);
}

describe("the simulated sign-in in a browser", () => {
  it("gives the page first what was set up and then a code that is worth a token", async () => {
    const meta = await startSimulator({ appId: "777", numbers: [NUMBER, COEXISTENCE], businessId: "9001" });
    const page = await browser.open(await startPage(meta));

    const popup = await openDialog(page);
    await popup.getByRole("checkbox", { name: "Night Bakery" }).uncheck();
    await popup.getByRole("button", { name: "Continue" }).click();
    const { answer, heard } = await outcomeIn(page);

    expect(heard).toEqual([
      {
        type: "WA_EMBEDDED_SIGNUP",
        event: "FINISH",
        version: 3,
        data: {
          phone_number_id: NUMBER.phoneNumberId,
          waba_id: NUMBER.wabaId,
          business_id: "9001",
          ad_account_ids: [],
          page_ids: [],
          dataset_ids: [],
        },
      },
    ]);
    expect(answer).toMatchObject({ status: "connected", authResponse: { code: expect.stringMatching(/^AQ/) } });
    await expect.poll(() => popup.isClosed()).toBe(true);
    expect((await exchange(meta, answer.authResponse?.code)).status).toBe(200);
    expect(page.faults).toEqual([]);
  });

  it("says so where the account has no number yet", async () => {
    const meta = await startSimulator({ appId: "777", numbers: [], accounts: [{ wabaId: "20", name: "Empty" }] });
    const page = await browser.open(await startPage(meta));

    const popup = await openDialog(page);
    await popup.getByRole("button", { name: "Continue" }).click();

    const { heard } = await outcomeIn(page);
    expect(heard).toMatchObject([{ event: "FINISH_ONLY_WABA", data: { waba_id: "20" } }]);
    expect(heard[0]?.data).not.toHaveProperty("phone_number_id");
  });

  it("names the account only where the number stays in the WhatsApp Business app", async () => {
    const meta = await startSimulator({ appId: "777", numbers: [COEXISTENCE] });
    const page = await browser.open(await startPage(meta, { featureType: "whatsapp_business_app_onboarding" }));

    const popup = await openDialog(page);
    await popup.getByRole("button", { name: "Continue" }).click();

    const { heard } = await outcomeIn(page);
    expect(heard.map(({ event, data }) => [event, data])).toEqual([
      ["FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", { waba_id: COEXISTENCE.wabaId }],
    ]);
  });

  it("says that the person cancelled, and that they only closed the window", async () => {
    const meta = await startSimulator({ appId: "777" });
    const cancelling = await browser.open(await startPage(meta));
    const closing = await browser.open(await startPage(meta));

    await (await openDialog(cancelling)).getByRole("button", { name: "Cancel" }).click();
    await (await openDialog(closing)).close();

    const cancelled = await outcomeIn(cancelling);
    const closed = await outcomeIn(closing);
    expect(cancelled.answer).toEqual({ authResponse: null, status: "unknown" });
    expect(cancelled.heard).toMatchObject([{ event: "CANCEL", data: { current_step: expect.any(String) } }]);
    expect(closed).toEqual({ answer: { authResponse: null, status: "unknown" }, heard: [] });
  });

  it("sends a browser without a popup back to the app, and asks again when no account is chosen", async () => {
    const meta = await startSimulator({ appId: "777", appName: "Corner & Co" });
    const back = await startPage(meta);
    const query = new URLSearchParams({
      client_id: "777",
      redirect_uri: back,
      state: "s1",
      response_type: "code",
      config_id: "CFG1",
      override_default_response_type: "true",
    });
    const page = await browser.open(`${meta.url}/v25.0/dialog/oauth?${query}`);

    await page.getByRole("checkbox").uncheck();
    await page.getByRole("button", { name: "Continue" }).click();
    expect(await page.getByRole("alert").textContent()).toBe("Choose at least one account.");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Connect Corner & Co to WhatsApp");
    await browser.screenshot(page, "simulated-sign-in");
    await page.getByRole("checkbox").press("Enter");
    await page.waitForURL(`${back}**`);

    const url = new URL(page.url());
    expect(Object.fromEntries(url.searchParams)).toEqual({ code: expect.stringMatching(/^AQ/), state: "s1" });
    expect(url.hash).toBe("#_=_");
    expect(page.faults).toEqual([]);
  });
});
