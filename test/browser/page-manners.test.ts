/** The integrations page by keyboard, for whoever may see it, and before whatever others have written. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import type { WatchedPage } from "../support/browser.ts";
import { MESSAGES, PLACES, TEMPLATES, WEBHOOK } from "../support/page-samples.ts";
import { startPageStub } from "../support/page-stub.ts";
import { button, DESK, focused, heading, held, PHONE, refusal, usePageStub } from "../support/page-views.ts";

const { stub, open, openAt } = await usePageStub();

const styleOf = (page: WatchedPage, selector: string, property: string, part = "") =>
  page.evaluate<string>(
    `getComputedStyle(document.querySelector("whatsapp-page").shadowRoot.querySelector("${selector}"), "${part}").${property}`,
  );

/** What has the focus, and whether it, or the tile that it stands for, has a ring around it. */
const SEEN = `(() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const isRinged = (one) => one && getComputedStyle(one).outlineStyle !== "none" && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
  return [at.localName, Boolean(isRinged(at) || isRinged(at.closest(".tile")))];
})()`;

const evilParts = (text: string) => [
  { type: "HEADER", format: "TEXT", text },
  { type: "BODY", text, example: { body_text: [[text]] } },
  {
    type: "BUTTONS",
    buttons: [
      { type: "URL", text, url: `javascript:${text}` },
      { type: text, text },
    ],
  },
];

describe("by keyboard alone", () => {
  it("one comes past the navigation, into a view, into a message and out of it", async () => {
    const page = await open();
    await page.getByRole("heading", { name: "Latest messages" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("Overview");

    await page.getByRole("link", { name: "Messages", exact: true }).focus();
    await page.keyboard.press("Enter");
    await heading(page, "Messages").waitFor();
    // The link that was followed has the same name.
    await expect.poll(() => heading(page, "Messages").evaluate((one) => one.matches(":focus"))).toBe(true);
    expect(await page.title()).toBe("Messages · WhatsApp");
    const current = page.locator("nav [aria-current=page]");
    expect(await current.allInnerTexts()).toEqual(["Messages"]);
    const row = page.getByRole("button", { name: /Ben Ito.*order_ready/ });
    await row.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Add one in Meta Business Suite").waitFor();
    expect(await row.getAttribute("aria-expanded")).toBe("true");
    expect(await focused(page)).toMatch(/^To Ben Ito/);
    await page.keyboard.press("Enter");
    await page.getByText("Add one in Meta Business Suite").waitFor({ state: "detached" });
    expect(await row.getAttribute("aria-expanded")).toBe("false");
  });

  it("nobody stands nowhere when what they stood on goes, and whoever arrives stands at the top", async () => {
    const { route, release } = held(WEBHOOK);
    stub.answer("GET /webhooks/9018", route);
    const page = await open("#/webhooks", { viewport: { width: 640, height: 320 } });
    await page.getByRole("link", { name: /Failed/ }).press("Enter");
    await expect.poll(() => focused(page)).toBe("Webhook");
    expect(await page.evaluate("scrollY")).toBe(0);
    release();
    await expect.poll(() => focused(page)).toBe("Webhook: message");

    stub.answer("GET /messages", refusal(503, "STORE_UNAVAILABLE", "The database does not answer."));
    await page.goto(`${stub.url}#/messages`);
    const again = button(page, "Try again");
    await again.waitFor();
    stub.answer("GET /messages", { messages: MESSAGES, next: null });
    await again.press("Enter");
    await page.getByText("Is it open today?").waitFor();
    expect(await focused(page)).toBe("Messages");

    stub.answer("POST /dead-letters/redrive", { redriven: 3, left: 0 });
    await page.goto(`${stub.url}#/dead-letters`);
    await button(page, "Put back all").waitFor();
    stub.answer("GET /dead-letters", { dead_letters: [], next: null });
    await button(page, "Put back all").press("Enter");
    await page.getByText("Nothing lies aside").waitFor();
    expect(await focused(page)).toBe("Dead letters");
  });

  it("one sees where one is, at every stop of every view", async () => {
    const page = await open("", { viewport: { width: 1280, height: 860 }, reducedMotion: "reduce" });
    for (const [name, place, words] of PLACES) {
      await page.goto(`${stub.url}${place}`);
      await page.getByText(words).filter({ visible: true }).first().waitFor();
      await page.evaluate("getSelection().removeAllRanges()");
      await page.getByRole("link", { name: "Dead letters" }).focus();
      for (let stops = 0; stops < 40; stops += 1) {
        await page.keyboard.press("Tab");
        const [tag, isSeen] = await page.evaluate<[string, boolean]>(SEEN);
        if (tag === "body") break;
        expect([name, stops, tag, isSeen]).toEqual([name, stops, tag, true]);
      }
    }
  });

  it("nothing moves for who wants no motion", async () => {
    stub.answer("GET /messages", () => new Promise(() => {}));
    stub.answer("GET /doctor", () => new Promise(() => {}));
    const page = await open("");
    await page.locator(".skeleton").first().waitFor();
    await page.locator(".bar").first().waitFor();
    const moving = async (reducedMotion: "reduce" | "no-preference") => {
      await page.emulateMedia({ reducedMotion });
      return [
        await styleOf(page, ".skeleton", "animationName"),
        await styleOf(page, ".bar", "animationName", "::before"),
      ];
    };
    expect(await moving("reduce")).toEqual(["none", "none"]);
    expect(await moving("no-preference")).toEqual(["breathe", "along"]);
  });

  it("what a colour says is said by a line too, where the colours are the person's own", async () => {
    stub.answer("POST /webhooks/9018/replay", () => new Promise(() => {}));
    const page = await open("#/messages/m7", { ...DESK, forcedColors: "active" });
    await page.locator(".life").waitFor();
    const ground = await styleOf(page, ".card", "backgroundColor");
    expect(await styleOf(page, ".life li", "backgroundColor", "::before")).not.toBe(ground);
    expect(await styleOf(page, ".life .to-come", "backgroundColor", "::before")).toBe(ground);
    expect(await styleOf(page, ".bubble", "borderStyle")).toBe("solid");
    // Its own arrow is a picture of ours, which is taken away.
    expect(await styleOf(page, "select", "appearance")).toBe("auto");
    await page.goto(`${stub.url}#/webhooks/9018`);
    await button(page, "Replay").click();
    await page.locator(".bar").waitFor();
    expect(await styleOf(page, ".bar", "backgroundColor", "::before")).not.toBe(ground);
    const pressed = await styleOf(page, "[aria-pressed=true]", "backgroundColor");
    expect(await styleOf(page, "[aria-pressed=false]", "backgroundColor")).not.toBe(pressed);
  });

  it("the menu of a phone opens, closes with Escape, and gives the focus back", async () => {
    const page = await open("#/messages", PHONE);
    const menu = button(page, "Menu");
    await menu.press("Enter");
    await page.getByRole("link", { name: "Health" }).waitFor();
    expect(await menu.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("Escape");
    expect([await menu.getAttribute("aria-expanded"), await focused(page)]).toEqual(["false", "Menu"]);

    await menu.press("Enter");
    await page.getByRole("link", { name: "Health" }).press("Enter");
    await heading(page, "Health").waitFor();
    expect(await menu.getAttribute("aria-expanded")).toBe("false");
  });
});

describe("who may see what", () => {
  it("a stranger is told to sign in, with 401", async () => {
    stub.permissions = null;
    const page = await open();

    expect(await heading(page, "You are not signed in").isVisible()).toBe(true);
    expect(page.faults[0]).toContain("401");
    expect(await faultsOf(page)).toEqual([]);
  });

  it("somebody without permissions sees messages, and nothing that changes anything", async () => {
    stub.permissions = [];
    const page = await open("#/templates");
    await page.getByText("spring_buns").waitFor();

    expect(await page.getByRole("navigation").getByRole("link").allTextContents()).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/Webhooks|Dead letters/)]),
    );
    expect(await page.getByRole("link", { name: "New template" }).count()).toBe(0);
    expect(await button(page, "Fetch from Meta").count()).toBe(0);
    await page.goto(`${stub.url}#/numbers`);
    await heading(page, "Numbers").waitFor();
    await page.getByRole("region", { name: "+44 7700 900055" }).waitFor();
    expect(await page.getByRole("link", { name: "Connect a number" }).count()).toBe(0);
    await page.goto(`${stub.url}#/dead-letters`);
    await page.getByText("You may not see this").waitFor();
    await page.goto(`${stub.url}#/templates/1/edit`);
    await page.getByText("You may not do this").waitFor();
    expect(page.faults).toEqual([]);
  });

  it("works under another mount path, and without the last slash", async () => {
    const elsewhere = await startPageStub("/deep/down/channel");
    try {
      const page = await openAt(elsewhere.url.replace(/\/$/, ""), DESK);
      await page.getByRole("heading", { name: "Latest messages" }).waitFor();

      expect(page.url()).toBe(elsewhere.url);
      expect(page.faults).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  it("works where the host adds a strict policy of its own", async () => {
    const page = await openAt("about:blank");
    await page.route(stub.url, async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      const strict = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:";
      await route.fulfill({
        response,
        headers: { ...headers, "content-security-policy": `${headers["content-security-policy"]}, ${strict}` },
      });
    });
    await page.goto(stub.url);
    await page.getByRole("heading", { name: "Latest messages" }).waitFor();

    // The few rules for the moment before the modules have come are all that it refuses.
    expect(page.faults.filter((fault) => !fault.includes("style-src 'self'"))).toEqual([]);
  });
});

describe("what others have written", () => {
  const MARKUP = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>{{constructor}}\${7*7} javascript:alert(1)`;

  it.each([
    ["markup", MARKUP],
    // Right-to-left overrides that are never closed, all of WhatsApp's marks, and no place to break.
    ["10,000 characters", `\u202e\u2066onerror${"*_~`a> \u0000\ufeff".repeat(500)}${"W".repeat(5_000)}`],
  ])("stays text, wherever it stands: %s", async (_what, EVIL) => {
    stub.answer("GET /messages", {
      messages: MESSAGES.map((message) => ({
        ...message,
        kind: EVIL,
        state: EVIL,
        text: `*${EVIL}*`,
        contact: { name: EVIL, phoneNumber: EVIL },
        error: { code: EVIL, title: EVIL, words: EVIL, fix: EVIL },
        degraded: [{ part: 0, what: EVIL, from: EVIL, to: EVIL }],
      })),
      next: null,
    });
    stub.answer("GET /templates", {
      accounts: TEMPLATES.accounts.map((one) => ({ ...one, name: EVIL })),
      templates: TEMPLATES.templates.map((one) => ({
        ...one,
        name: EVIL,
        status: EVIL,
        rejectionReason: EVIL,
        components: evilParts(EVIL),
      })),
    });
    stub.answer("GET /webhooks/9018", { ...WEBHOOK, type: EVIL, error: EVIL, payload: { [EVIL]: EVIL }, body: EVIL });
    stub.answer("GET /dead-letters", {
      dead_letters: [
        {
          id: EVIL,
          stage: EVIL,
          kind: EVIL,
          conversation_id: EVIL,
          at: EVIL,
          attempts: 1,
          error: EVIL,
          explanation: EVIL,
        },
      ],
      next: null,
    });
    stub.answer("GET /templates/1", {
      ...TEMPLATES.templates[0],
      name: EVIL,
      components: evilParts(EVIL),
      rejectionReason: EVIL,
    });
    const page = await open("#/messages/m3", PHONE);
    for (const place of [
      "#/messages/m3",
      "#/templates",
      "#/templates/1",
      "#/templates/1/edit",
      "#/webhooks/9018",
      "#/dead-letters",
    ]) {
      await page.goto(`${stub.url}${place}`);
      await page.getByText("onerror").filter({ visible: true }).first().waitFor();

      expect(await page.evaluate("window.pwned")).toBeUndefined();
      expect([
        place,
        await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      ]).toEqual([place, 0]);
      expect(await page.locator("img, iframe, main script, a[href^=javascript]").count()).toBe(0);
    }
    expect(page.faults).toEqual([]);
  });
});

describe("whatever stands in the address", () => {
  it("shows a view, and breaks nothing", async () => {
    const ids = [
      ".",
      "..",
      "../status",
      "%2e%2e%2fstatus",
      "<img src=x>",
      "x".repeat(3_000),
      "\u202e",
      "constructor",
      "%",
    ];
    const places = ["messages", "templates", "webhooks"].flatMap((view) =>
      ids.map((id) => `#/${view}/${encodeURIComponent(id)}`),
    );
    const queries = [
      "#/webhooks?hours=x&state=constructor&type=%00",
      "#/messages?state=__proto__&direction=up",
      "#/templates/new/x?q=%",
    ];
    const page = await open();
    for (const place of [...places, ...queries]) {
      await page.goto(`${stub.url}${place}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
    }
    // What is not there is not there: no other route was asked, and nothing was thrown.
    const isAsked = /^404 GET \S+\/(messages|templates|webhooks)\/[^/]+$|^Failed to load resource.*404/;
    expect(page.faults.filter((fault) => !isAsked.test(fault))).toEqual([]);
  });
});
