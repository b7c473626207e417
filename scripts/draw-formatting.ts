/** `npm run formatting`: writes docs/formatting.md and draws its pictures, each answer as the phone shows it. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drawMessages, PHONE_CSS } from "@omniops/whatsapp/simulator";
import { encodeMessage } from "../plugin/messages/encode-message.ts";
import { CHAPTERS } from "./formatting-cases.ts";
import { formattingPage, readCase } from "./formatting-page.ts";
import { openBrowser } from "./open-browser.ts";

const DOCS = fileURLToPath(new URL("../docs/", import.meta.url));
const PICTURES = join(DOCS, "formatting");
const names = CHAPTERS.flatMap(({ cases }) => cases);

await writeFile(join(DOCS, "formatting.md"), formattingPage());
const browser = await openBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 400, height: 800 }, colorScheme: "light" });
  await page.setContent(pageOf(names));
  await page.evaluate("document.fonts.ready");
  const drawings = page.locator(".wa-chat");
  await mkdir(PICTURES, { recursive: true });
  for (const file of await readdir(PICTURES)) await rm(join(PICTURES, file));
  for (const [index, name] of names.entries())
    await drawings.nth(index).screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
  console.log(`${names.length} pictures`);
} finally {
  await browser.close();
}

function pageOf(cases: readonly string[]): string {
  const chats = cases.map((name) => drawMessages(readCase(name).transformed.messages.map(encodeMessage)));
  // Nobody can swipe in a picture: all cards of a carousel are side by side.
  const wide =
    ".wa-chat:has(.wa-cards) { width: max-content; } .wa-message:has(.wa-cards) > .wa-bubble { width: max-content; max-width: none; }";
  const narrow =
    ".wa-chat:has(.wa-cards) > .wa-message:not(:has(.wa-cards)) { width: 356px; } .wa-message:has(.wa-cards) > .wa-bubble > .wa-text { max-width: 300px; }";
  const css = `${PHONE_CSS} body { margin: 0; } .wa-chat { width: 380px; } ${wide} ${narrow}`;
  return `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><style>${css}</style>${chats.join("<br>")}`;
}
