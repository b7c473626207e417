/** The browser that draws the pictures of the docs: every pixel the same way each time, with emoji where this machine has them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../test/support/chromium.ts";

/** Of Debian, `apt-get install fonts-noto-color-emoji fonts-noto-cjk fonts-dejavu-core`; elsewhere pictures lack them. */
const FONTS = ["truetype/noto", "opentype/noto", "truetype/dejavu"].map((folder) => `/usr/share/fonts/${folder}`);

/** @returns a browser whose `close` leaves nothing behind. */
export async function openBrowser(): Promise<Browser> {
  const { path, env } = await findChromium();
  const folder = await mkdtemp(join(tmpdir(), "drawing-"));
  const fonts = env.FONTCONFIG_FILE === undefined ? {} : await withMoreFonts(env.FONTCONFIG_FILE, folder);
  const browser = await chromium.launch({
    executablePath: path,
    env: { PATH: process.env.PATH ?? "", ...env, ...fonts, TZ: "UTC" },
    args: [
      "--disable-partial-raster",
      "--disable-skia-runtime-opts",
      "--disable-lcd-text",
      "--force-color-profile=srgb",
    ],
  });
  const close = browser.close.bind(browser);
  browser.close = async (options) => {
    await close(options);
    await rm(folder, { recursive: true, force: true });
  };
  return browser;
}

/** The fonts that came with the browser have no emoji, no Chinese and nothing monospaced. */
async function withMoreFonts(own: string, folder: string): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, "fonts.conf");
  const more = FONTS.map((font) => `<dir>${font}</dir>`).join("");
  await writeFile(
    file,
    `<?xml version="1.0"?><fontconfig><include>${own}</include>${more}<cachedir>${folder}</cachedir></fontconfig>`,
  );
  return { FONTCONFIG_FILE: file };
}
