/** The simulator's phone in a real browser, with a host that takes webhooks and a business that answers by Graph. */
import type { Person, Simulator } from "@omniops/whatsapp/simulator";
import type { Page, Request } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { samplePicture, sampleSound } from "../../examples/demo/sample-files.ts";
import { ADA, NUMBER, send, startHost, startSimulator, wamidOf } from "../integration/simulator/simulated.ts";
import { faultsOf } from "../support/accessibility.ts";
import { useBrowser, type WatchedPage } from "../support/browser.ts";

/** A microphone that hums, and nobody who has to allow it. */
const browser = useBrowser(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
const CAFE = {
  ...NUMBER,
  phoneNumberId: "301777000333555",
  displayPhoneNumber: "+1 555-777-0155",
  verifiedName: "Night Café",
};

const KEEP_TRACKS = `(() => {
  const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await get(wish);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
})()`;
const LIVE_TRACKS = `window.tracks.filter(({ readyState }) => readyState === "live").length`;
const secondsOf = (url: string) => `(async () => {
  const bytes = await (await fetch(${JSON.stringify(url)})).arrayBuffer();
  return (await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes)).duration;
})()`;

/** What a test asks of a sound on the page. */
type Playing = { readonly ended: boolean; play(): Promise<void> };

let meta: Simulator;
let ada: Person;
let host: Awaited<ReturnType<typeof startHost>>;

beforeEach(async () => {
  host = await startHost();
  meta = await startSimulator({ webhookUrl: host.url, numbers: [NUMBER, CAFE] });
  ada = meta.person(ADA);
});

function openPhone(options: Parameters<typeof browser.open>[1] = {}): Promise<WatchedPage> {
  return browser.open(meta.phoneUrlOf(ada), { viewport: { width: 1100, height: 760 }, ...options });
}

function answer(message: object) {
  return send(meta, { messaging_product: "whatsapp", to: ADA.phoneNumber, ...message });
}

async function say(page: Page, text: string): Promise<string> {
  const before = ada.transcript().length;
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
  await meta.waitFor(() => ada.transcript().length > before);
  return ada.transcript().at(-1)?.wamid ?? "";
}

const STATE = "**/_phone/state?*";

/** Holds what the page reads. @returns what lets it go */
async function holdState(page: Page): Promise<() => void> {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route(STATE, (route) => gate.then(() => route.fallback()));
  return () => letGo();
}

/** Resolves once the phone has read all that there is: what is opened then is read by a look of its own. */
function watchLooks(page: Page): () => Promise<void> {
  const underWay = new Set<Request>();
  page.on("request", (request) => {
    if (request.url().includes("/_phone/state?")) underWay.add(request);
  });
  page.on("requestfinished", (request) => underWay.delete(request));
  page.on("requestfailed", (request) => underWay.delete(request));
  return async () => {
    await meta.idle();
    await expect.poll(() => underWay.size).toBe(0);
  };
}

/** The last thing that the host has heard. */
async function heard(): Promise<Record<string, unknown>> {
  await meta.idle();
  const payload = JSON.parse(String(host.received.at(-1)?.bytes));
  return payload.entry[0].changes[0].value.messages[0];
}

const buttons = {
  type: "interactive",
  interactive: {
    type: "button",
    body: { text: "Shall we keep *one*?" },
    action: { buttons: ["Yes", "No"].map((title) => ({ type: "reply", reply: { id: `say-${title}`, title } })) },
  },
};
const list = {
  type: "interactive",
  interactive: {
    type: "list",
    body: { text: "Which cake?" },
    action: {
      button: "See the cakes",
      sections: [
        {
          title: "Today",
          rows: ["Lemon", "Plum"].map((title) => ({ id: `cake-${title}`, title, description: "fresh" })),
        },
      ],
    },
  },
};
const flow = {
  type: "interactive",
  interactive: {
    type: "flow",
    body: { text: "Book a table" },
    action: {
      name: "flow",
      parameters: {
        flow_message_version: "3",
        flow_id: "6627",
        flow_cta: "Book",
        flow_token: "t1",
        flow_action_payload: { screen: "A", data: { day: "Monday" } },
      },
    },
  },
};

describe("the phone", () => {
  it("writes to the host, shows what is answered as WhatsApp does, and its ticks turn blue", async () => {
    const page = await openPhone();
    await page.getByText("have not written yet").waitFor();

    const wamid = await say(page, "Are you *open*? <b>now</b>");
    await page.locator(".wa-out strong", { hasText: "open" }).waitFor();
    expect(await heard()).toMatchObject({ type: "text", text: { body: "Are you *open*? <b>now</b>" } });
    await page.getByRole("img", { name: "Delivered" }).waitFor();
    const receipt = { status: "read", message_id: wamid, typing_indicator: { type: "text" } };
    await send(meta, { messaging_product: "whatsapp", ...receipt });
    await page.getByRole("img", { name: "Corner Bakery is typing" }).waitFor();
    await page.getByRole("img", { name: "Read" }).waitFor();
    await answer({
      type: "text",
      text: { body: "> asked\n- _yes_\n<script>alert(1)</script>" },
      context: { message_id: wamid },
    });

    const bubble = page.locator(".wa-in").last();
    await bubble.locator("blockquote", { hasText: "asked" }).waitFor();
    expect(await bubble.locator("li em").textContent()).toBe("yes");
    expect(await bubble.locator("script").count()).toBe(0);
    expect(await bubble.getByText("<script>alert(1)</script>").count()).toBe(1);
    expect(await bubble.locator(".wa-quoted").textContent()).toContain("You");
    expect(await page.getByText("typing…").count()).toBe(0);
    expect(page.faults).toEqual([]);
  });

  it("presses buttons, chooses from a list by keyboard, and fills in a form", async () => {
    ada.says("hello");
    const asked = wamidOf(await answer(buttons));
    const page = await openPhone();

    await page.getByRole("button", { name: "Yes" }).click();
    await meta.waitFor(() => ada.transcript().length === 3);
    expect(await heard()).toMatchObject({
      context: { id: asked },
      interactive: { type: "button_reply", button_reply: { id: "say-Yes", title: "Yes" } },
    });

    await answer(list);
    await page.getByRole("button", { name: "See the cakes" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "See the cakes" }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole("radio", { name: /Lemon/ }).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await meta.waitFor(() => ada.transcript().length === 5);
    expect(await heard()).toMatchObject({
      interactive: { list_reply: { id: "cake-Plum", title: "Plum", description: "fresh" } },
    });

    await answer(flow);
    await page.getByRole("button", { name: "Book", exact: true }).click();
    await page.getByRole("textbox", { name: "day" }).fill("Friday");
    await page.getByRole("button", { name: "Send" }).last().click();
    await meta.waitFor(() => ada.transcript().length === 7);
    const { interactive } = (await heard()) as { interactive: { nfm_reply: { response_json: string } } };
    expect(JSON.parse(interactive.nfm_reply.response_json)).toEqual({ flow_token: "t1", day: "Friday" });
    expect(page.faults).toEqual([]);
  });

  it("sends a picture, reacts, quotes, edits and deletes", async () => {
    ada.says("hello");
    await answer({ type: "text", text: { body: "Send us a picture" } });
    const page = await openPhone();
    const options = (name: string) => page.getByRole("button", { name: `Options of: ${name}` });

    const [picker] = await Promise.all([
      page.waitForEvent("filechooser"),
      page
        .getByRole("button", { name: "Send a file, a place or a contact" })
        .click()
        .then(() => page.getByRole("button", { name: "Picture", exact: true }).click()),
    ]);
    await picker.setFiles({ name: "cake.png", mimeType: "image/png", buffer: Buffer.from(samplePicture(32, 20)) });
    await page.locator("img.wa-picture").waitFor();
    await page.evaluate("document.querySelector('img.wa-picture').decode()");
    expect(await heard()).toMatchObject({ type: "image", image: { mime_type: "image/png" } });

    await options("Send us a picture").click();
    await page.getByRole("button", { name: "React with 👍" }).click();
    await page.getByLabel("Reactions: 👍").waitFor();
    await options("Send us a picture").click();
    await page.getByRole("button", { name: "Reply" }).click();
    await say(page, "There it is");
    expect(await heard()).toMatchObject({ context: { id: ada.transcript()[1]?.wamid }, text: { body: "There it is" } });
    await page.locator(".wa-out .wa-quoted", { hasText: "Send us a picture" }).waitFor();

    await options("There it is").click();
    await page.getByRole("button", { name: "Edit" }).click();
    await say(page, "Here it is");
    await page.locator(".wa-meta", { hasText: "Edited" }).waitFor();
    expect(await heard()).toMatchObject({ type: "unsupported", unsupported: { type: "edit" } });
    meta.changeNumber(NUMBER.phoneNumberId, { isOnBusinessApp: true });
    await options("There it is").click();
    await page.getByRole("button", { name: "Delete for everyone" }).click();
    await page.getByText("You deleted this message").waitFor();
    await options("There it is").click();
    await page.getByRole("button", { name: "Details" }).waitFor();
    expect(
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /React|Reply|Edit|Delete/ })
        .count(),
    ).toBe(0);
    await page.keyboard.press("Escape");
    expect(await heard()).toMatchObject({ type: "revoke" });
    expect(page.faults).toEqual([]);
  });

  it("records a voice note, as WhatsApp has them, and lets the microphone go", async () => {
    ada.says("hello");
    const page = await openPhone();
    await page.evaluate(KEEP_TRACKS);
    const record = async () => {
      await page.getByRole("button", { name: "Send a file, a place or a contact" }).click();
      await page.getByRole("button", { name: "Voice note" }).click();
      await page.getByText("Recording, ").waitFor();
    };

    await record();
    await page.keyboard.press("Escape");
    // A dialog says that it is closed a moment later.
    await expect.poll(() => page.evaluate(LIVE_TRACKS)).toBe(0);
    await record();
    await page.getByText(/^Recording, 0:0[2-9]/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    await page.locator(".wa-audio audio").waitFor();

    await expect.poll(() => page.evaluate(LIVE_TRACKS)).toBe(0);
    const { audio } = (await heard()) as { audio: { id: string; mime_type: string; voice: boolean } };
    expect(audio).toMatchObject({ mime_type: "audio/ogg; codecs=opus", voice: true });
    expect(ada.transcript()).toHaveLength(2);
    await page.locator(".row-last", { hasText: "You: 🎤 Voice message" }).waitFor();
    ada.sendsMedia({ kind: "audio", bytes: Buffer.from("ID3"), mime: "audio/mpeg" });
    await page.locator(".row-last", { hasText: "You: 🎵 Audio" }).waitFor();
    // The browser itself finds a second of sound in it.
    expect(await page.evaluate(secondsOf(`/_phone/files?id=${audio.id}`))).toBeGreaterThan(0.9);
    expect(page.faults).toEqual([]);
  });

  it("plays a voice message: by the browser where its sound is at hand, and by a button where it is not", async () => {
    const sound = { bytes: sampleSound(1), mime: "audio/wav" };
    const fetchLink = (link: string) =>
      link.endsWith("a.wav")
        ? sound
        : link.endsWith("b.ogg")
          ? { bytes: Buffer.from("OggS"), mime: "audio/ogg" }
          : null;
    meta = await startSimulator({ webhookUrl: host.url, fetchLink });
    ada = meta.person(ADA);
    ada.says("hello");
    ada.sendsMedia({ kind: "audio", voice: true, ...sound });
    const voice = (name: string) =>
      answer({ type: "audio", audio: { link: `https://shop.example/${name}`, voice: true } }).then(wamidOf);
    const [a, b, c] = [await voice("a.wav"), await voice("b.ogg"), await voice("c.ogg")];
    await meta.idle();
    const ticks = () =>
      meta
        .conversations()[0]
        ?.entries.slice(2)
        .map(({ status }) => status) ?? [];
    const page = await openPhone();
    const bubble = (wamid: string) => page.locator(`[data-wamid="${wamid}"]`);
    const play = (wamid: string) => bubble(wamid).getByRole("button", { name: "Play the voice message" });
    await play(b).waitFor();
    expect(await play(a).count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
    expect(ticks()).toEqual(["read", "read", "read"]);

    const audio = bubble(a).locator("audio");
    await audio.evaluate((one) => (one as unknown as Playing).play());
    await meta.waitFor(() => ticks().join() === "played,read,read");
    // What plays goes on playing.
    await expect.poll(() => audio.evaluate((one) => (one as unknown as Playing).ended), { timeout: 15_000 }).toBe(true);
    await play(b).press("Enter");
    await play(c).press("Space");
    await meta.waitFor(() => ticks().join() === "played,played,played");
    await bubble(c).getByRole("img", { name: "Voice message, played" }).waitFor();
    expect(await page.getByRole("button", { name: "Play the voice message" }).count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
  });

  it("keeps the focus in a message that changes, and leaves it where it has gone meanwhile", async () => {
    ada.says("hello");
    const [a, b] = [
      await answer({ type: "audio", audio: { link: "https://shop.example/a.ogg", voice: true } }).then(wamidOf),
      await answer({ type: "audio", audio: { link: "https://shop.example/b.ogg", voice: true } }).then(wamidOf),
    ];
    await meta.idle();
    const page = await openPhone();
    const bubble = (wamid: string) => page.locator(`[data-wamid="${wamid}"]`);
    const play = (wamid: string) => bubble(wamid).getByRole("button", { name: "Play the voice message" });

    await play(a).press("Enter");
    await bubble(a).getByRole("img", { name: "Voice message, played" }).waitFor();
    await expect.poll(() => bubble(a).evaluate((one) => one.contains(one.ownerDocument.activeElement))).toBe(true);

    await play(b).focus();
    const stays = page.evaluate(`new Promise((resolve) => {
      const next = document.querySelector('[data-wamid="${a}"] button');
      new MutationObserver(() => {
        next.focus();
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(document.activeElement === next)));
      }).observe(document.querySelector('[data-wamid="${b}"]').parentElement, { childList: true });
    })`);
    await play(b).press("Enter");
    expect(await stays).toBe(true);
  });

  it("gives the words of a chat that is opened the focus at once, and leaves whoever has gone on where they are", async () => {
    ada.says("hello");
    ada.says("Good night", { to: CAFE.phoneNumberId });
    const page = await openPhone({ viewport: { width: 390, height: 760 } });
    const allIsRead = watchLooks(page);
    const back = page.getByRole("button", { name: "All chats" });
    const row = (name: string) => page.getByRole("navigation").getByRole("button", { name });
    await back.click();
    await row("Corner Bakery").waitFor();
    await expect.poll(() => page.locator(".list button:focus").count()).toBe(1);
    await page.locator(".composer").waitFor({ state: "hidden" });
    let release = await holdState(page);
    ada.says("and now?");
    await page.waitForRequest(STATE);
    await row("Corner Bakery").click();
    expect(await page.locator("textarea:focus").count()).toBe(1);
    release();
    await page.getByRole("log").getByText("and now?").waitFor();
    expect(await page.locator("textarea:focus").count()).toBe(1);

    await back.click();
    await row("Night Café").waitFor();
    await page.locator(".composer").waitFor({ state: "hidden" });
    await allIsRead();
    release = await holdState(page);
    await row("Night Café").click();
    await back.focus();
    release();
    await page.getByRole("log").getByText("Good night").waitFor();
    expect(await back.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
  });

  it("shows no chat under the name of another one", async () => {
    ada.says("hello");
    ada.says("Good night", { to: CAFE.phoneNumberId });
    const page = await openPhone();
    await page.getByRole("heading", { name: "Corner Bakery" }).waitFor();
    const release = await holdState(page);
    const asked = page.waitForRequest(STATE);
    ada.says("and now?");
    await asked;
    await page.getByRole("button", { name: /Night Café/ }).click();
    const shown = page.evaluate<string>(`new Promise((resolve) => {
      new MutationObserver(() => resolve(document.querySelector("main").innerText)).observe(document.querySelector(".who"), { childList: true });
    })`);
    release();

    expect(await shown).toMatch(/Night Café[\s\S]*Good night/);
  });

  it("takes the press of a button on which the pointer is while something new comes, and shows that afterwards", async () => {
    ada.says("hello");
    ada.says("Good night", { to: CAFE.phoneNumberId });
    const page = await openPhone();
    await page.getByRole("log").getByText("hello").waitFor();
    await page.getByRole("button", { name: /Night Café/ }).hover();
    await page.mouse.down();
    ada.says("and now?");
    await page.getByRole("log").getByText("and now?").waitFor();
    await page.mouse.up();

    await page.getByRole("heading", { name: "Night Café" }).waitFor();
    await page.locator(".row-last", { hasText: "You: and now?" }).waitFor();
  });

  it("offers a file where there is no microphone", async () => {
    ada.says("hello");
    const page = await openPhone();
    await page.evaluate("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('none'))");
    await page.getByRole("button", { name: "Send a file, a place or a contact" }).click();
    await page.getByRole("button", { name: "Voice note" }).click();
    await page.getByText("This browser gives the page no microphone.").waitFor();
    expect(await page.getByRole("dialog").getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    const [picker] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("button", { name: "Choose a file instead" }).click(),
    ]);
    await picker.setFiles({ name: "note.ogg", mimeType: "audio/ogg", buffer: Buffer.from("OggS") });
    await page.locator(".wa-audio").waitFor();
    expect(await heard()).toMatchObject({ type: "audio", audio: { mime_type: "audio/ogg", voice: true } });
  });

  it("offers to change only what is new enough, and gives back what could not be sent", async () => {
    ada.says("an hour ago", { at: new Date(Date.now() - 3_600_000) });
    ada.says("three days ago", { at: new Date(Date.now() - 3 * 86_400_000) });
    const page = await openPhone();
    const offered = async (name: string) => {
      await page.getByRole("button", { name: `Options of: ${name}` }).click();
      const names = await page.locator("dialog .option").allTextContents();
      await page.keyboard.press("Escape");
      return names;
    };

    expect(await offered("an hour ago")).toEqual(["Reply", "Delete for everyone", "Details"]);
    expect(await offered("three days ago")).toEqual(["Reply", "Details"]);

    await page.route("**/_phone/messages", (route) => route.fulfill({ status: 422, json: { error: "Not today." } }));
    await page.getByRole("textbox", { name: "Message" }).fill("written with care");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "Not today." }).waitFor();
    expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("written with care");
  });

  it("shows what it can of a broken address", async () => {
    ada.says("hello");
    const page = await browser.open(`${meta.phoneUrl}#%/%`);

    await page.getByText("hello").first().waitFor();
    expect(page.faults).toEqual([]);
  });

  it("moves the clock on, arms faults, shows what is armed and takes it back", async () => {
    ada.says("hello");
    const page = await openPhone();
    await page.getByRole("button", { name: "Clock and faults" }).last().click();

    await page.getByRole("button", { name: "Arm: Next send fails with 131056" }).click();
    await page.getByRole("button", { name: "Take back: Next send fails with 131056" }).waitFor();
    expect((await answer({ type: "text", text: { body: "one" } })).body.error?.code).toBe(131056);
    await page.getByText("Nothing goes wrong.").waitFor();
    await page.getByRole("button", { name: "Arm: Graph answers 500 three times" }).click();
    await page.getByRole("button", { name: "Take back: Graph answers 500 three times" }).click();
    await page.getByText("Nothing goes wrong.").waitFor();
    await page.getByRole("switch", { name: "The number’s token is revoked" }).check();
    await page.getByRole("button", { name: "Take everything back" }).waitFor();
    expect((await answer({ type: "text", text: { body: "two" } })).body.error).toMatchObject({
      code: 190,
      error_subcode: 460,
    });
    await page.getByText(/^After 190 the host stops sending/).waitFor();
    await page.getByText(`POST /${NUMBER.phoneNumberId}/messages`).first().waitFor();
    await page.getByRole("switch", { name: "The number’s token is revoked" }).uncheck();
    await page.getByText("Nothing goes wrong.").waitFor();

    await page.getByText("The service window is open until").waitFor();
    await page.getByRole("button", { name: "24 hours on" }).click();
    await page.getByText("The service window is closed: only templates arrive.").waitFor();
    await page.getByText("Your last message is older than 24 hours: the service window is closed.").waitFor();
    await answer({ type: "text", text: { body: "too late" } });
    await page.getByText("Not delivered: the person never sees this. Re-engagement message (131047).").waitFor();
    await page.getByLabel("Quality").selectOption("Red");
    await meta.waitFor(() => host.received.some(({ bytes }) => String(bytes).includes("phone_number_quality_update")));
    expect(await faultsOf(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  });

  it("has several people and numbers side by side, and says where there is something new", async () => {
    const page = await browser.open(meta.phoneUrl, { viewport: { width: 1100, height: 760 } });
    await page.getByRole("button", { name: "New chat" }).first().click();
    await page.getByLabel("You are").selectOption("Somebody new");
    await page.getByLabel("Name", { exact: true }).fill("Bo");
    await page.getByLabel("You write to").selectOption({ label: "Night Café (+1 555-777-0155)" });
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("Bo and Night Café have not written yet").waitFor();
    await page.getByRole("button", { name: "Say hello" }).click();
    await page.getByRole("heading", { name: "Bo’s phone" }).waitFor();

    ada.says("And I");
    await page.getByRole("heading", { name: "Ada Q.’s phone" }).waitFor();
    await answer({ type: "text", text: { body: "You too" } });
    await page.getByLabel("1 new").waitFor();
    await page.getByRole("button", { name: /Corner Bakery/ }).click();
    await page.locator(".wa-in", { hasText: "You too" }).waitFor();
    expect(await page.getByLabel("1 new").count()).toBe(0);
    expect(page.faults).toEqual([]);
  });

  it.each([
    ["desktop-light", { width: 1100, height: 760 }, "light"],
    ["desktop-dark", { width: 1100, height: 760 }, "dark"],
    ["narrow-light", { width: 390, height: 760 }, "light"],
    ["narrow-dark", { width: 390, height: 760 }, "dark"],
  ] as const)("can be read and used by everybody: %s", async (name, viewport, colorScheme) => {
    ada.says("Which are there?");
    await answer(list);
    await answer(buttons);
    await answer({
      type: "document",
      document: { link: "https://bakery.example/menu.pdf", filename: "menu.pdf", caption: "The *menu*" },
    });
    await answer({ type: "location", location: { latitude: 51.5, longitude: -0.12, name: "Corner Bakery" } });
    const page = await openPhone({ viewport, colorScheme, reducedMotion: "reduce" });
    await page.locator(".wa-place").waitFor();
    await browser.screenshot(page, `phone-${name}`);

    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Options of: Which are there?" }).click();
    await page.getByRole("button", { name: "Details" }).click();
    await page.getByText("wamid.").first().waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Clock and faults" }).last().click();
    expect(await faultsOf(page)).toEqual([]);
    await browser.screenshot(page, `phone-drawer-${name}`);
    expect(page.faults).toEqual([]);
  });

  it("says what was refused where it is seen: in the sheet that was filled in, above the list, above the drawer", async () => {
    const page = await browser.open(meta.phoneUrl, { viewport: { width: 360, height: 740 } });
    await page.getByRole("button", { name: "All chats" }).click();
    await page.getByRole("button", { name: "New chat" }).first().click();
    await page.getByLabel("You are").selectOption("Somebody new");
    await page.getByLabel("Name", { exact: true }).fill("Zoë");
    await page.getByLabel("Phone number").fill("12ab");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("dialog").getByRole("alert").filter({ hasText: "phone number has digits" }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Zoë");
    await page.getByLabel("Phone number").fill("+447700900177");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("Zoë and Corner Bakery have not written yet").waitFor();

    await page.getByRole("button", { name: "Clock and faults" }).last().click();
    meta.clock.moveOn(360 * 86_400_000);
    await page.getByText(String(meta.clock.now().getFullYear())).waitFor();
    await page.getByRole("button", { name: "Seven days on" }).click();
    const alert = page.getByRole("alert").filter({ hasText: "Meta’s clock goes a year ahead at most." });
    await alert.waitFor();
    // Whatever lies above it would take the press.
    await alert.getByRole("button", { name: "Close" }).click();
    await alert.waitFor({ state: "hidden" });
  });

  it("shows a text in brackets as it was written", async () => {
    ada.says("[1] is my ticket");
    const page = await openPhone();
    await page.locator(".row-last", { hasText: "You: [1] is my ticket" }).waitFor();
  });

  it("tries again by itself when the simulator has not answered", async () => {
    ada.says("hello");
    const page = await browser.open("about:blank");
    await page.clock.install();
    await page.goto(meta.phoneUrlOf(ada));
    await page.getByRole("log").getByText("hello").waitFor();
    await page.route("**/_phone/state?*", (route) => route.fulfill({ status: 500, json: {} }));
    ada.says("are you there?");
    const away = page.getByText("The simulator does not answer. Trying again…");
    await away.waitFor();
    await page.unroute("**/_phone/state?*");
    await page.clock.runFor(2_100);
    await page.getByRole("log").getByText("are you there?").waitFor();
    await away.waitFor({ state: "hidden" });
  });

  it("says when the simulator is gone", async () => {
    ada.says("hello");
    const page = await openPhone();
    await page.getByRole("log").waitFor();

    await meta.stop();

    await page.getByText("The simulator does not answer. Trying again…").waitFor();
  });
});
