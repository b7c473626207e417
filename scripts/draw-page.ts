/** Draws docs/page/, the integrations page as it stands, from the samples that its tests use: no database, no Meta. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions } from "playwright-core";
import { NOW, PLACES } from "../test/support/page-samples.ts";
import { startPageStub } from "../test/support/page-stub.ts";
import { openBrowser } from "./open-browser.ts";

const PICTURES = fileURLToPath(new URL("../docs/page/", import.meta.url));
const DESK = { viewport: { width: 1200, height: 780 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
/** What is explained below an open message would else be cut off. */
const TALL: Readonly<Record<string, readonly [desk: number, phone: number]>> = { message: [960, 1500] };
/** Drawn besides what the samples have: where nothing has come yet. */
const EMPTY = ["messages-empty", "#/messages", "Nobody has written yet"] as const;
const SCREENS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { ...DESK, colorScheme: "light" },
  dark: { ...DESK, colorScheme: "dark" },
  "phone-light": { ...PHONE, colorScheme: "light" },
  "phone-dark": { ...PHONE, colorScheme: "dark" },
};

const browser = await openBrowser();
const stub = await startPageStub();
await mkdir(PICTURES, { recursive: true });
for (const old of await readdir(PICTURES)) await rm(join(PICTURES, old));
let total = 0;
try {
  for (const [screen, options] of Object.entries(SCREENS)) {
    const context = await browser.newContext({
      ...options,
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "Europe/London",
    });
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    for (const [name, place, words] of [...PLACES, EMPTY]) {
      const viewport = options.viewport ?? DESK.viewport;
      const [desk, phone] = TALL[name] ?? [viewport.height, viewport.height];
      await page.setViewportSize({ ...viewport, height: options.isMobile === true ? phone : desk });
      if (name === EMPTY[0]) stub.answer("GET /messages", { messages: [], next: null });
      else stub.reset();
      await page.goto(`${stub.url}${place}`);
      await page.reload();
      await page.getByText(words).filter({ visible: true }).first().waitFor();
      await page.getByText("Live", { exact: true }).first().waitFor({ state: "attached" });
      const png = await page.screenshot({ animations: "disabled", caret: "hide" });
      total += png.length;
      await writeFile(join(PICTURES, `${name}-${screen}.png`), png);
    }
    await context.close();
  }
} finally {
  await browser.close();
  await stub.stop();
}
console.log(
  `docs/page/: ${(PLACES.length + 1) * Object.keys(SCREENS).length} pictures, ${Math.round(total / 1024)} kB`,
);
