/** A real browser for a test file: launched once, with pages that keep what went wrong in them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { findChromium } from "./chromium.ts";

const SCREENSHOTS = fileURLToPath(new URL("../../.data/screenshots/", import.meta.url));

export type WatchedPage = Page & {
  /** Console errors, uncaught exceptions, refused and failed requests, in order: a page without fault has none. */
  readonly faults: readonly string[];
};

export type TestBrowser = {
  /** A page in a context of its own: no cookie of another one. */
  open(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  watch(page: Page): WatchedPage;
  /** @returns the path of the picture, `.data/screenshots/<name>.png`. */
  screenshot(page: Page, name: string): Promise<string>;
};

/** To be called at the top of a test file. @param args of the browser's command line */
export function useBrowser(args: readonly string[] = []): TestBrowser {
  let browser: Browser;
  beforeAll(async () => {
    const { path, env } = await findChromium();
    browser = await chromium.launch({ executablePath: path, env: { ...process.env, ...env }, args: [...args] });
  });
  // A page that is left open goes on asking what is new.
  afterEach(() => Promise.all((browser?.contexts() ?? []).map((context) => context.close())));
  afterAll(() => browser?.close());

  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 720, height: 640 }, ...options });
      const page = watch(await context.newPage());
      await page.goto(url);
      return page;
    },
    watch,
    async screenshot(page, name) {
      await mkdir(SCREENSHOTS, { recursive: true });
      const path = join(SCREENSHOTS, `${name}.png`);
      await page.screenshot({ path, animations: "disabled" });
      return path;
    },
  };
}

function watch(page: Page): WatchedPage {
  const faults: string[] = [];
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => void faults.push(String(error)));
  page.on("requestfailed", (request) => {
    // A page that is left cancels what it was loading.
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") faults.push(`${request.method()} ${request.url()}: ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  return Object.assign(page, { faults });
}
