/** The browser that draws the pictures of the docs: every pixel the same way each time, in the same fonts on every machine. */
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../test/support/chromium.ts";

/** Nothing else is drawn with, whatever the browser has brought or the machine has besides. */
const FONTS = "/usr/share/fonts";
/** One file of each of Debian's packages. */
const PACKAGES: Readonly<Record<string, string>> = {
  "fonts-noto-core": "truetype/noto/NotoSans-Regular.ttf",
  "fonts-noto-color-emoji": "truetype/noto/NotoColorEmoji.ttf",
  "fonts-noto-cjk": "opentype/noto/NotoSansCJK-Regular.ttc",
  "fonts-dejavu-core": "truetype/dejavu/DejaVuSansMono.ttf",
};
/** What a page asks for by kind alone; where it asks for nothing that is there, it is as without a serif. */
const FACES: Readonly<Record<string, string>> = { monospace: "DejaVu Sans Mono", emoji: "Noto Color Emoji" };
const USUAL_FACE = "Noto Sans";

/**
 * @returns a browser whose `close` leaves nothing behind
 * @throws Error that names the packages whose fonts are missing: a picture in another face would look like a change.
 */
export async function openBrowser(): Promise<Browser> {
  await requireFonts();
  const { path, env } = await findChromium();
  const folder = await mkdtemp(join(tmpdir(), "drawing-"));
  const browser = await chromium.launch({
    executablePath: path,
    env: { PATH: process.env.PATH ?? "", ...env, FONTCONFIG_FILE: await writeFontsConf(folder), TZ: "UTC" },
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

async function requireFonts(): Promise<void> {
  const missing: string[] = [];
  for (const [name, file] of Object.entries(PACKAGES)) await access(join(FONTS, file)).catch(() => missing.push(name));
  if (missing.length > 0)
    throw new Error(
      `The pictures are drawn in fonts that this machine lacks: \`apt-get install ${missing.join(" ")}\`, on Debian or Ubuntu, and draw them again.`,
    );
}

async function writeFontsConf(folder: string): Promise<string> {
  const file = join(folder, "fonts.conf");
  const folders = ["truetype/noto", "opentype/noto", "truetype/dejavu"].map((name) => `<dir>${FONTS}/${name}</dir>`);
  const faces = Object.entries(FACES).map(
    ([kind, face]) =>
      `<match><test name="family"><string>${kind}</string></test><edit name="family" mode="prepend" binding="strong"><string>${face}</string></edit></match>`,
  );
  const usual = `<match><edit name="family" mode="append" binding="strong"><string>${USUAL_FACE}</string></edit></match>`;
  await writeFile(
    file,
    `<?xml version="1.0"?><fontconfig>${folders.join("")}${faces.join("")}${usual}<cachedir>${folder}</cachedir></fontconfig>`,
  );
  return file;
}
