/** `npm run screenshots`: draws docs/phone/, the simulator's phone in a real browser, with a business that answers by script. */
import { createHmac } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSimulator, type Person, type Simulator } from "@omniops/whatsapp/simulator";
import type { Page } from "playwright-core";
import { CHAT_NUMBER, NEW_NUMBER } from "../examples/demo/cast.ts";
import { samplePicture, sampleSound } from "../examples/demo/sample-files.ts";
import { openBrowser } from "./open-browser.ts";

const PICTURES = fileURLToPath(new URL("../docs/phone/", import.meta.url));
const APP = { appSecret: "a-secret-of-nobody", accessToken: "EAAofNobody" };
/** The demo's, as whoever starts it sees them. */
const SHOP = CHAT_NUMBER;
const BAKERY = { ...NEW_NUMBER, wabaId: SHOP.wabaId, isRegistered: true, isSubscribed: true };
/** Their length stands beside them. */
const SOUNDS_ARE_KNOWN = `Promise.all([...document.querySelectorAll("audio")].map((audio) =>
  audio.readyState > 0 || new Promise((resolve) => audio.addEventListener("loadedmetadata", resolve, { once: true }))))`;
/** The clock of the pictures: one minute for each message. */
let minutes = 0;
const AT = new Date("2026-11-27T10:24:00Z");

const browser = await openBrowser();
const meta = createSimulator({
  ...APP,
  appName: "Your platform",
  verifyToken: "a-token-of-nobody",
  numbers: [SHOP, BAKERY],
  statusDelayMs: 1,
  now: () => new Date(AT.getTime() + minutes * 60_000),
});
try {
  await meta.start();
  await mkdir(PICTURES, { recursive: true });
  await converse(meta);
  for (const scheme of ["light", "dark"] as const) {
    const page = await open(scheme, { width: 1280, height: 800 });
    await beginAtPicture(page);
    await draw(page, `desktop-${scheme}`);
    await page.context().close();
    const narrow = await open(scheme, { width: 390, height: 840 });
    await beginAtPicture(narrow);
    await draw(narrow, `narrow-${scheme}`);
    await narrow.getByRole("button", { name: "See the cakes" }).click();
    await narrow.getByRole("dialog").waitFor();
    if (scheme === "light") await draw(narrow, "list");
    await narrow.context().close();
  }
  meta.faults.next({ do: { error: { code: 131056 } } });
  const page = await open("light", { width: 1280, height: 960 });
  await page.getByRole("button", { name: "Clock and faults" }).last().click();
  await page.getByLabel("Every webhook twice").check();
  await page.getByRole("button", { name: "Arm: Next message fails later with 131026" }).click();
  await page.getByText("Next message fails later", { exact: false }).first().waitFor();
  await page.evaluate("document.querySelector('.drawer-body').scrollTop = 0");
  await beginAtPicture(page);
  await draw(page, "faults");
} finally {
  await browser.close();
  await meta.stop();
}

async function open(colorScheme: "light" | "dark", viewport: { readonly width: number; readonly height: number }) {
  const context = await browser.newContext({
    colorScheme,
    viewport,
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await page.goto(meta.phoneUrl);
  await page.getByRole("log").waitFor();
  return page;
}

/** The page is made as high as what is said from the picture on, so that its edges cut through no message. */
async function beginAtPicture(page: Page): Promise<void> {
  await everythingIsThere(page);
  const missing = await page.evaluate<number>(`{
    const log = document.querySelector("[role=log]");
    const first = [...log.children].find((child) => child.querySelector(".wa-picture") !== null);
    // Wherever it is scrolled to just now.
    const above = first.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop;
    Math.ceil(log.scrollHeight - above + 8 - log.clientHeight);
  }`);
  const size = page.viewportSize();
  if (size !== null) await page.setViewportSize({ ...size, height: size.height + missing });
  await page.evaluate("{ const log = document.querySelector('[role=log]'); log.scrollTop = log.scrollHeight; }");
}

async function everythingIsThere(page: Page): Promise<void> {
  await page.evaluate("document.fonts.ready");
  await page.evaluate("Promise.all([...document.images].map((image) => image.decode()))");
  await page.evaluate(SOUNDS_ARE_KNOWN);
}

async function draw(page: Page, name: string): Promise<void> {
  await everythingIsThere(page);
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  await writeFile(join(PICTURES, `${name}.png`), png);
  console.log(`docs/phone/${name}.png  ${Math.round(png.length / 1024)} kB`);
}

/** What is said before the pictures are taken. */
async function converse(simulator: Simulator): Promise<void> {
  const bo = simulator.person({ name: "Bo", phoneNumber: "447700900124" });
  const ada = simulator.person({ name: "Ada", phoneNumber: "447700900123" });
  const to = { to: BAKERY.phoneNumberId };
  await chats(simulator);
  bo.says("Is my order ready?");
  await sends(bo, { type: "text", text: { body: "It is *ready*, see you at _six_!" } });
  ada.says("A table for two at eight, please", to);
  await sends(ada, { type: "text", text: { body: "You have it: *two* at _20:00_." } }, BAKERY.phoneNumberId);
  minutes = 14;
  const asked = ada.says("Hi! Are you open today? And what is on the menu?");
  await sends(ada, {
    type: "text",
    text: {
      body: "Good morning Ada! We are *open until 18:00* today.\n\n- Lemon tart ~£5~ *£4*\n- Plum cake, _warm_\n\n> The first coffee is on us.\nhttps://bakery.example/menu",
    },
    context: { message_id: asked },
  });
  const picture = ada.sendsMedia({
    kind: "image",
    bytes: samplePicture(480, 300),
    mime: "image/png",
    caption: "Like this one?",
  });
  await sends(ada, { type: "reaction", reaction: { message_id: picture, emoji: "😍" } });
  await sends(ada, {
    type: "interactive",
    interactive: {
      type: "list",
      body: { text: "Just like that. Which cake shall we keep for you?" },
      footer: { text: "Until 17:30" },
      action: {
        button: "See the cakes",
        sections: [
          {
            title: "Today",
            rows: [
              { id: "lemon", title: "Lemon tart", description: "From the oven at noon" },
              { id: "plum", title: "Plum cake", description: "Warm, with cream" },
              { id: "apple", title: "Apple pie", description: "The last two" },
            ],
          },
        ],
      },
    },
  });
  ada.press("Lemon tart");
  ada.sendsMedia({ kind: "audio", bytes: sampleSound(3), mime: "audio/wav", voice: true });
  await sends(ada, {
    type: "interactive",
    interactive: {
      type: "button",
      body: { text: "One *lemon tart* for Ada. When do you come?" },
      action: {
        buttons: ["At noon", "After work"].map((title) => ({ type: "reply", reply: { id: title, title } })),
      },
    },
  });
  await simulator.idle();
}

/** What stands below in the column of chats: who else has written this morning. */
async function chats(simulator: Simulator): Promise<void> {
  const others = [
    ["Cam", "447700900178", "Do you deliver?", "Within *two miles*, until noon."],
    ["Dee", "447700900181", "Two rye loaves, please", "They are kept for you until _five_."],
    ["Ben", "447700900145", "Are there nuts in the rye?", "I asked in the kitchen: there are *none*."],
    ["Eve", "447700900190", "The tart was lovely", "Thank you! The baker is glad 😊"],
  ] as const;
  for (const [name, phoneNumber, words, answer] of others) {
    const person = simulator.person({ name, phoneNumber });
    person.says(words);
    await sends(person, { type: "text", text: { body: answer } });
  }
}

async function sends(person: Person, message: object, phoneNumberId = SHOP.phoneNumberId): Promise<void> {
  const asked = person.transcript(phoneNumberId).findLast(({ direction }) => direction === "inbound");
  await post({ status: "read", message_id: asked?.wamid }, phoneNumberId);
  minutes += 1;
  await post({ to: person.phoneNumber, ...message }, phoneNumberId);
  await meta.idle();
}

async function post(body: object, phoneNumberId: string): Promise<void> {
  const proof = createHmac("sha256", APP.appSecret).update(APP.accessToken).digest("hex");
  const response = await fetch(`${meta.url}/${phoneNumberId}/messages?appsecret_proof=${proof}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${APP.accessToken}` },
    body: JSON.stringify({ messaging_product: "whatsapp", ...body }),
  });
  if (!response.ok) throw new Error(`Meta refused: ${await response.text()}`);
}
