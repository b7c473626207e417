/** The example host's integrations page in a browser: a stranger is shown the way in, a tenant the channel's element. */
import { beforeAll, expect, it } from "vitest";
import { type RunningHost, startHost } from "../../examples/host/host.ts";
import { readSettings } from "../../examples/host/settings.ts";
import { faultsOf } from "../support/accessibility.ts";
import { useBrowser } from "../support/browser.ts";
import { TOKEN_KEYS } from "../support/channel.ts";
import { createTestDatabase } from "../support/postgres.ts";

const browser = useBrowser();
let host: RunningHost;
beforeAll(async () => {
  const { url } = await createTestDatabase({ empty: true });
  const env = {
    META_APP_SECRET: "test-app-secret",
    WHATSAPP_VERIFY_TOKEN: "test-verify-token",
    WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
    PORT: "0",
  };
  host = await startHost({ ...readSettings(env), port: 0, databaseUrl: url }, { logger: SILENT });
  return () => host.stop();
});

const nothing = () => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

it("sends a stranger to the sign-in, and a tenant from there to the element", async () => {
  const page = await browser.open(`${host.url}/dashboard/integrations`);
  await browser.screenshot(page, "host-stranger");
  expect(await page.locator("whatsapp-connect").count()).toBe(0);
  expect(await page.getByText("You are not signed in.").isVisible()).toBe(true);

  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Sign in as the demo tenant" }).click();
  await page.getByRole("link", { name: "Integrations" }).click();
  await page.getByRole("heading", { name: "WhatsApp" }).waitFor();
  await page.locator("whatsapp-connect [aria-busy=false]").waitFor();
  await browser.screenshot(page, "host-integrations");

  expect(await page.locator("whatsapp-connect").getAttribute("flow")).toBe("redirect");
  expect(await faultsOf(page)).toEqual([]);
  await page.goto(`${host.url}/dashboard/integrations?flow=popup`);
  expect(await page.locator("whatsapp-connect").getAttribute("flow")).toBe("popup");
});
