/** `npm run formatting`: writes docs/formatting.md, and draws its pictures where a Chromium is at hand (`CHROMIUM=path`). */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { CHAT_CSS, chatHtml } from "./chat-html.ts";
import { CHAPTERS } from "./formatting-cases.ts";
import { formattingPage, readCase } from "./formatting-page.ts";

const DOCS = fileURLToPath(new URL("../docs/", import.meta.url));
const PICTURES = join(DOCS, "formatting");
const chromium = process.env.CHROMIUM;

writeFileSync(join(DOCS, "formatting.md"), formattingPage());
if (chromium === undefined) console.log("No pictures drawn: give CHROMIUM=path");
else await drawAll(chromium);

async function drawAll(path: string): Promise<void> {
  const names = CHAPTERS.flatMap(({ cases }) => cases);
  const profile = mkdtempSync(join(tmpdir(), "formatting-"));
  const browser = spawn(
    path,
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      `--user-data-dir=${profile}`,
      "--remote-debugging-pipe",
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const exited = new Promise((resolve) => browser.once("exit", resolve));
  try {
    const call = callsOver(browser.stdio[3] as Writable, browser.stdio[4] as Readable);
    const { targetId } = await call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
    const inPage = (method: string, params: object) => call(method, params, String(sessionId));
    const { frameTree } = await inPage("Page.getFrameTree", {});
    const { id: frameId } = (frameTree as { frame: { id: string } }).frame;
    await inPage("Page.setDocumentContent", { frameId, html: pageOf(names) });
    await inPage("Runtime.evaluate", { expression: "document.fonts.ready", awaitPromise: true });
    const { result } = await inPage("Runtime.evaluate", {
      expression:
        "[...document.querySelectorAll('.chat')].map((one) => { const { x, y, width, height } = one.getBoundingClientRect(); return { x, y, width, height }; })",
      returnByValue: true,
    });
    const boxes = (result as { value: object[] }).value;
    mkdirSync(PICTURES, { recursive: true });
    for (const file of readdirSync(PICTURES)) rmSync(join(PICTURES, file));
    for (const [index, name] of names.entries()) {
      const shot = await inPage("Page.captureScreenshot", {
        format: "png",
        captureBeyondViewport: true,
        clip: { ...boxes[index], scale: 1 },
      });
      writeFileSync(join(PICTURES, `${name}.png`), Buffer.from(String(shot.data), "base64"));
    }
    console.log(`${names.length} pictures`);
  } finally {
    browser.kill();
    await exited;
    rmSync(profile, { recursive: true, force: true });
  }
}

function pageOf(names: readonly string[]): string {
  const chats = names.map((name) => `<div class="chat">${chatHtml(readCase(name).transformed.messages)}</div>`);
  return `<!doctype html><meta charset="utf-8"><style>${CHAT_CSS}</style>${chats.join("<br>")}`;
}

/** Chromium's own protocol over two pipes: JSON, with a NUL after each message. */
function callsOver(input: Writable, output: Readable) {
  const waiting = new Map<
    number,
    (message: { readonly error?: object; readonly result?: Record<string, unknown> }) => void
  >();
  let text = "";
  output.setEncoding("utf8").on("data", (chunk: string) => {
    const messages = (text + chunk).split("\0");
    text = messages.pop() ?? "";
    for (const message of messages.map((one) => JSON.parse(one))) waiting.get(message.id)?.(message);
  });
  let last = 0;
  return (method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, ({ error, result = {} }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${JSON.stringify(error)}`)),
      );
      input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
}
