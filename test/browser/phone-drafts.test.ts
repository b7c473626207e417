/** What is half-written on the simulator's phone: it stays with its chat, and is there again when it could not be sent. */
import type { Person, Simulator } from "@omniops/whatsapp/simulator";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { samplePicture } from "../../examples/demo/sample-files.ts";
import { ADA, NUMBER, startHost, startSimulator } from "../integration/simulator/simulated.ts";
import { useBrowser } from "../support/browser.ts";

const browser = useBrowser();
const CAFE = {
  ...NUMBER,
  phoneNumberId: "301777000333555",
  displayPhoneNumber: "+1 555-777-0155",
  verifiedName: "Night Café",
};
const REFUSED = { status: 422, json: { error: "Not today." } };

let meta: Simulator;
let ada: Person;
let host: Awaited<ReturnType<typeof startHost>>;

beforeEach(async () => {
  host = await startHost();
  meta = await startSimulator({ webhookUrl: host.url, numbers: [NUMBER, CAFE] });
  ada = meta.person(ADA);
  ada.says("hello");
});

async function openPhone() {
  const page = await browser.open(meta.phoneUrlOf(ada), { viewport: { width: 1100, height: 760 } });
  await page.getByRole("heading", { name: "Corner Bakery" }).waitFor();
  return page;
}

const box = (page: Page) => page.getByRole("textbox", { name: "Message" });
const refusal = (page: Page) => page.getByRole("alert").filter({ hasText: "Not today." });
/** What is written, and what it is about. */
const draft = async (page: Page) => {
  const about = page.locator(".about");
  return [await box(page).inputValue(), (await about.isVisible()) ? await about.textContent() : ""];
};

async function choose(page: Page, option: string, of = "hello") {
  await page.getByRole("button", { name: `Options of: ${of}` }).click();
  await page.getByRole("button", { name: option }).click();
}

async function sendPicture(page: Page) {
  const [picker] = await Promise.all([
    page.waitForEvent("filechooser"),
    page
      .getByRole("button", { name: "Send a file, a place or a contact" })
      .click()
      .then(() => page.getByRole("button", { name: "Picture", exact: true }).click()),
  ]);
  await picker.setFiles({ name: "cake.png", mimeType: "image/png", buffer: Buffer.from(samplePicture(32, 20)) });
}

/** The last thing that the host has heard. */
async function heard(): Promise<Record<string, unknown>> {
  await meta.idle();
  const payload = JSON.parse(String(host.received.at(-1)?.bytes));
  return payload.entry[0].changes[0].value.messages[0];
}

describe("what is half-written", () => {
  it("stays with its chat, and with what it is about", async () => {
    ada.says("Good night", { to: CAFE.phoneNumberId });
    const page = await openPhone();
    await choose(page, "Reply");
    await box(page).fill("for the bakery");
    await page.getByRole("button", { name: /Night Café/ }).click();
    await page.getByRole("heading", { name: "Night Café" }).waitFor();
    expect(await draft(page)).toEqual(["", ""]);
    await box(page).fill("for the café");

    await page.getByRole("button", { name: /Corner Bakery/ }).click();
    await page.getByRole("heading", { name: "Corner Bakery" }).waitFor();
    expect(await draft(page)).toEqual(["for the bakery", "Reply to: hello"]);
    await box(page).press("Enter");
    await page.locator(".wa-out .wa-quoted", { hasText: "hello" }).waitFor();
    expect(await draft(page)).toEqual(["", ""]);
    await page.getByRole("button", { name: /Night Café/ }).click();
    await page.getByRole("heading", { name: "Night Café" }).waitFor();
    expect(await draft(page)).toEqual(["for the café", ""]);
    expect(page.faults).toEqual([]);
  });

  it("is there again when a message was changed, or was not", async () => {
    const page = await openPhone();
    await box(page).fill("something else");
    await choose(page, "Edit");
    expect(await draft(page)).toEqual(["hello", "Edit: hello"]);
    await page.getByRole("button", { name: "Do not" }).click();
    expect(await draft(page)).toEqual(["something else", ""]);

    await choose(page, "Edit");
    await box(page).fill("hello there");
    await box(page).press("Enter");
    await page.locator(".wa-meta", { hasText: "Edited" }).waitFor();
    expect(await draft(page)).toEqual(["something else", ""]);
    expect(page.faults).toEqual([]);
  });

  it("is given back with what it is about when it is refused", async () => {
    const page = await openPhone();
    await page.route(/_phone\/(messages|edit)$/, (route) => route.fulfill(REFUSED));
    await choose(page, "Reply");
    await box(page).fill("written with care");
    await box(page).press("Enter");
    await refusal(page).waitFor();
    expect(await draft(page)).toEqual(["written with care", "Reply to: hello"]);

    await choose(page, "Edit");
    await box(page).fill("hello there");
    await box(page).press("Enter");
    await refusal(page).waitFor();
    expect(await draft(page)).toEqual(["hello there", "Edit: hello"]);
    await page.keyboard.press("Escape");
    expect(await draft(page)).toEqual(["written with care", "Reply to: hello"]);
  });

  it("is given back to its own chat, before what was written there meanwhile", async () => {
    ada.says("Good night", { to: CAFE.phoneNumberId });
    const page = await openPhone();
    let refuse = () => {};
    await page.route(/_phone\/messages$/, async (route) => {
      await new Promise<void>((resolve) => {
        refuse = resolve;
      });
      await route.fulfill(REFUSED);
    });
    const asked = page.waitForRequest(/_phone\/messages$/);
    await box(page).fill("first");
    await box(page).press("Enter");
    await asked;
    await box(page).fill("second");
    await page.getByRole("button", { name: /Night Café/ }).click();
    await page.getByRole("heading", { name: "Night Café" }).waitFor();
    refuse();
    await refusal(page).waitFor();
    expect(await draft(page)).toEqual(["", ""]);
    await page.getByRole("button", { name: /Corner Bakery/ }).click();
    await page.getByRole("heading", { name: "Corner Bakery" }).waitFor();
    expect(await draft(page)).toEqual(["first\nsecond", ""]);
  });
});

describe("a file", () => {
  it("gives back its caption when it is refused", async () => {
    const page = await openPhone();
    await page.route(/_phone\/files\?/, (route) => route.fulfill(REFUSED));
    await choose(page, "Reply");
    await box(page).fill("our cake");
    await sendPicture(page);
    await refusal(page).waitFor();
    expect(await draft(page)).toEqual(["our cake", "Reply to: hello"]);

    await page.unroute(/_phone\/files\?/);
    await sendPicture(page);
    await page.locator("img.wa-picture").waitFor();
    expect(await heard()).toMatchObject({ image: { caption: "our cake" } });
    expect(await draft(page)).toEqual(["", ""]);
  });

  it("takes no words of a message that is being changed", async () => {
    const page = await openPhone();
    await choose(page, "Edit");
    await box(page).fill("hello there");
    await sendPicture(page);
    await page.locator("img.wa-picture").waitFor();
    expect((await heard()).image).not.toHaveProperty("caption");
    expect(await draft(page)).toEqual(["hello there", "Edit: hello"]);
  });
});
