/** `npm run screenshots`: draws docs/phone/, the simulator's phone in a real browser, with a business that answers by script. */
import { createHmac } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSimulator, type Person, type Simulator } from "@omniops/whatsapp/simulator";
import type { Page } from "playwright-core";
import { samplePicture, sampleSound } from "../examples/demo/sample-files.ts";
import { openBrowser } from "./open-browser.ts";

const PICTURES = fileURLToPath(new URL("../docs/phone/", import.meta.url));
const APP = { appSecret: "a-secret-of-nobody", accessToken: "EAAofNobody" };
/** Nobody's: from the ranges that are kept for films and books. */
const BAKERY = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "+44 7700 900000",
  verifiedName: "Quill Bakery",
};
const CAFE = {
  ...BAKERY,
  phoneNumberId: "301777000333555",
  displayPhoneNumber: "+44 7700 900055",
  verifiedName: "Quill Café",
};
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
  numbers: [BAKERY, CAFE],
  statusDelayMs: 1,
  now: () => new Date(AT.getTime() + minutes * 60_000),
});
try {
  await meta.start();
  await mkdir(PICTURES, { recursive: true });
  await converse(meta);
  for (const scheme of ["light", "dark"] as const) {
    const page = await open(scheme, { width: 1280, height: 840 });
    await draw(page, `desktop-${scheme}`);
    await page.context().close();
    const narrow = await open(scheme, { width: 390, height: 840 });
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

async function draw(page: Page, name: string): Promise<void> {
  await page.evaluate("document.fonts.ready");
  await page.evaluate("Promise.all([...document.images].map((image) => image.decode()))");
  await page.evaluate(SOUNDS_ARE_KNOWN);
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  await writeFile(join(PICTURES, `${name}.png`), png);
  console.log(`docs/phone/${name}.png  ${Math.round(png.length / 1024)} kB`);
}

/** What is said before the pictures are taken. */
async function converse(simulator: Simulator): Promise<void> {
  const bo = simulator.person({ name: "Bo", phoneNumber: "447700900124" });
  const ada = simulator.person({ name: "Ada", phoneNumber: "447700900123" });
  const to = { to: CAFE.phoneNumberId };
  bo.says("Is my order ready?");
  await sends(bo, { type: "text", text: { body: "It is *ready*, see you at _six_!" } });
  ada.says("A table for two at eight, please", to);
  await sends(ada, { type: "text", text: { body: "You have it: *two* at _20:00_." } }, CAFE.phoneNumberId);
  minutes = 8;
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

async function sends(person: Person, message: object, phoneNumberId = BAKERY.phoneNumberId): Promise<void> {
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
