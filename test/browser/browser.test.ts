/** The browser of the tests: it starts here, and where it cannot, its failure says what to do. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { useBrowser } from "../support/browser.ts";
import { findChromium } from "../support/chromium.ts";

const browser = useBrowser();
const folder = mkdtempSync(join(tmpdir(), "browsers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the browser of the tests", () => {
  it("shows a page, runs its script and keeps its faults", async () => {
    const page = await browser.open("data:text/html,<title>one</title><script>console.error('broken')</script>");

    expect(await page.title()).toBe("one");
    expect(page.faults).toEqual(["broken"]);
  });

  it("is the one that CHROMIUM names, before any other", async () => {
    expect(await findChromium({ CHROMIUM: process.execPath })).toEqual({ path: process.execPath, env: {} });
    await expect(findChromium({ CHROMIUM: "/nowhere" })).rejects.toThrow("give the path of Chrome or Chromium");
  });

  it("is an installed one where the packaged one does not run, or a sentence that says what to do", async () => {
    const installed = join(folder, "chromium");
    symlinkSync(process.execPath, installed);

    expect(await findChromium({ PATH: `/nowhere:${folder}` }, false)).toEqual({ path: installed, env: {} });
    if (process.platform === "linux")
      await expect(findChromium({ PATH: "/nowhere" }, false)).rejects.toThrow("set CHROMIUM to the path of one");
  });
});
