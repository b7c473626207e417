/** The integrations page in a real browser: every view with something, with nothing, while it loads and when it fails. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { type TestBrowser, useBrowser, type WatchedPage } from "../support/browser.ts";
import { startChannel, TENANT, type TestChannel } from "../support/channel.ts";
import { APP_ID } from "../support/connecting.ts";
import { MESSAGES, TEMPLATES, WEBHOOK } from "../support/page-samples.ts";
import { startPageStub } from "../support/page-stub.ts";

const browser = useBrowser();
const stub = await startPageStub();
beforeEach(() => stub.reset());
afterAll(() => stub.stop());

type Options = Parameters<TestBrowser["open"]>[1];
const DESK: Options = { viewport: { width: 1280, height: 860 } };
const PHONE: Options = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** Gone after its test: a page that is left open goes on asking what is new. */
const opened: WatchedPage[] = [];
afterEach(() => Promise.all(opened.splice(0).map((page) => page.context().close())));
async function openAt(url: string, options = DESK) {
  const page = await browser.open(url, options);
  opened.push(page);
  return page;
}
const open = (place = "", options = DESK) => openAt(`${stub.url}${place}`, options);
const button = (page: WatchedPage, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const heading = (page: WatchedPage, name: string) => page.getByRole("heading", { name, exact: true, level: 1 });
const ROOT = `document.querySelector("whatsapp-page").shadowRoot`;
/** Through every shadow root. */
const focused = (page: WatchedPage) =>
  page.evaluate<string>(
    `(() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return (at?.getAttribute("aria-label") ?? at?.textContent ?? "").replace(/\\s+/g, " ").trim(); })()`,
  );
const UNCONFIRMED = TEMPLATES.templates.find(
  ({ status }) => status === "UNCONFIRMED",
) as (typeof TEMPLATES.templates)[number];
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
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
const refusal = (status: number, code: string, message: string) => ({ status, body: { error: { code, message } } });

/** Every view, and a sentence by which it is known to be there. */
const PLACES = [
  ["overview", "", "Latest messages"],
  ["health", "#/health", "What to do"],
  ["numbers", "#/numbers", "Quill Café"],
  ["messages", "#/messages", "Is it open today?"],
  ["a message that failed", "#/messages/m3", "Business eligibility payment issue"],
  ["templates", "#/templates", "spring_buns"],
  ["a template", "#/templates/2", "Why it was rejected."],
  ["writing a template", "#/templates/1/edit", "As WhatsApp shows it"],
  ["webhooks", "#/webhooks", "3 events"],
  ["a webhook", "#/webhooks/9018", "Exact bytes"],
  ["dead letters", "#/dead-letters", "ChatApiError"],
] as const;

describe("every view", () => {
  it.each([
    ["on a desk, in light", DESK],
    ["on a phone of 360 px, in dark", { ...PHONE, colorScheme: "dark" }],
  ] as const)("%s: names, labels, contrast, nothing sideways, no fault in the console", async (_how, options) => {
    const page = await open("", options);
    for (const [name, place, words] of PLACES) {
      await page.goto(`${stub.url}${place}`);
      await page.getByText(words).filter({ visible: true }).first().waitFor();

      expect([name, await faultsOf(page)]).toEqual([name, []]);
    }
    expect(page.faults).toEqual([]);
  });

  it.each([
    ["#/messages", "GET /messages", { messages: [], next: null }, "Nobody has written yet"],
    ["#/messages?q=x", "GET /messages", { messages: [], next: null }, "No message matches"],
    ["#/webhooks", "GET /webhooks", { webhooks: [], next: null }, "Meta has not called yet"],
    ["#/dead-letters", "GET /dead-letters", { dead_letters: [], next: null }, "Nothing lies aside"],
    ["#/templates", "GET /templates", { templates: [], accounts: [] }, "No templates yet"],
    ["#/numbers", "GET /status", { enabled: false, numbers: [] }, "No number is connected"],
    ["#/health", "GET /doctor", { healthy: true, checks: [] }, "Nothing"],
  ])("%s with nothing in it says why, and what would bring something", async (place, route, answer, words) => {
    stub.answer(route, answer);
    const page = await open(place);
    await page.getByRole("heading", { name: words, exact: true }).waitFor();

    expect(await faultsOf(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  });

  it.each([
    ["#/messages", "GET /messages"],
    ["#/webhooks", "GET /webhooks"],
    ["#/webhooks/9018", "GET /webhooks/9018"],
    ["#/dead-letters", "GET /dead-letters"],
    ["#/templates", "GET /templates"],
    ["#/numbers", "GET /status"],
    ["#/health", "GET /doctor"],
  ])("%s shows that it loads, says what went wrong, and tries again", async (place, route) => {
    let answerIt = (_answer: { status: number; body: unknown }) => {};
    // The same for whoever asks: what is in the navigation may ask as well as the view.
    const answer = new Promise<{ status: number; body: unknown }>((resolve) => {
      answerIt = resolve;
    });
    stub.answer(route, () => answer);
    const page = await open(place);
    await page.locator("[aria-busy=true], .bar, .skeleton").first().waitFor({ state: "attached" });
    answerIt(refusal(503, "STORE_UNAVAILABLE", "The database does not answer."));
    const alert = page.getByRole("alert").filter({ hasText: "The database does not answer." });
    await alert.waitFor();
    expect(await faultsOf(page)).toEqual([]);

    stub.reset();
    await alert.getByRole("button", { name: "Try again" }).click();
    await alert.waitFor({ state: "detached" });
    expect(await page.getByText("This could not be loaded").count()).toBe(0);
  });
});

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
    await expect.poll(() => focused(page)).toBe("Messages");
    const row = page.getByRole("button", { name: /Ben Ito.*A-17/ });
    await row.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Add one in Meta Business Suite").waitFor();
    expect(await row.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("Enter");
    await page.getByText("Add one in Meta Business Suite").waitFor({ state: "detached" });
    expect(await row.getAttribute("aria-expanded")).toBe("false");
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
      expect([place, await page.evaluate("document.documentElement.scrollWidth - innerWidth")]).toEqual([place, 0]);
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

describe("templates", () => {
  it("are written with a preview, checked before anybody is asked, and sent to review", async () => {
    stub.answer("POST /templates", { status: 201, body: { ...TEMPLATES.templates[2], id: "9", name: "order_late" } });
    const page = await open("#/templates");
    await page.getByRole("link", { name: "New template" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Order late");
    await page.getByLabel("Text", { exact: true }).fill("Hi {{first_name}}, it is *late*.");
    await page.locator(".bubble b").filter({ hasText: "late" }).waitFor();
    await button(page, "Send to review").click();
    await page.getByText("Small letters, digits and underscores only").waitFor();
    expect(await page.evaluate<string>(`${ROOT}.activeElement.id`)).toBe("field-name");
    expect(stub.asked).toEqual([]);

    await page.getByLabel("Name", { exact: true }).fill("order_late");
    await page.getByLabel("first_name", { exact: true }).fill("Ada");
    await page.locator(".bubble .variable").filter({ hasText: "Ada" }).waitFor();
    await button(page, "Add a button: Quick reply").click();
    await page.getByRole("group", { name: "1. Quick reply" }).getByLabel("Text").fill("All right");
    expect(await faultsOf(page)).toEqual([]);
    stub.answer("GET /templates", {
      ...TEMPLATES,
      templates: [...TEMPLATES.templates, { ...TEMPLATES.templates[2], id: "9", name: "order_late" }],
    });
    await button(page, "Send to review").click();
    await heading(page, "order_late").waitFor();

    expect(stub.asked).toEqual([
      {
        route: "POST /templates",
        sent: {
          wabaId: "201555000111222",
          name: "order_late",
          language: "en",
          category: "UTILITY",
          parameterFormat: "NAMED",
          components: [
            {
              type: "BODY",
              text: "Hi {{first_name}}, it is *late*.",
              example: { body_text_named_params: [{ param_name: "first_name", example: "Ada" }] },
            },
            { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "All right" }] },
          ],
        },
      },
    ]);
    expect(await page.getByText("Meta has it: in review.").first().isVisible()).toBe(true);
    expect(page.faults).toEqual([]);
  });

  it("that the server refuses keep what was written, with each problem beside its field, and the focus on the first", async () => {
    stub.answer("PATCH /templates/1", {
      status: 400,
      body: {
        error: {
          code: "TEMPLATE_DRAFT_INVALID",
          message: "All of it in one paragraph.",
          problems: [
            {
              path: "components[3].buttons[0].url",
              problem: "leads into WhatsApp",
              limit: null,
              fix: "Lead elsewhere.",
            },
            { path: "components[2].text", problem: "is longer than 60", limit: 60, fix: "Shorten it." },
            { path: "components[7].cards", problem: "are too few", limit: 2, fix: "Give two." },
          ],
        },
      },
    });
    const page = await open("#/templates/1/edit");
    const footer = page.getByLabel("Footer", { exact: true });
    await footer.fill("Another footer");
    await button(page, "Send the change to review").click();
    const alert = page.getByRole("alert").filter({ hasText: "Mend what is marked below." });
    await alert.waitFor();

    expect(await alert.getByRole("listitem").allTextContents()).toEqual(["components[7].cards are too few. Give two."]);
    expect(await page.getByRole("alert").filter({ hasText: "paragraph" }).count()).toBe(0);
    expect(await page.evaluate<string>(`${ROOT}.activeElement?.id`)).toBe("field-footer");
    const described = (id: string) =>
      page.evaluate<string>(
        `${ROOT}.getElementById(${ROOT}.getElementById("${id}").getAttribute("aria-describedby")).textContent`,
      );
    expect(await described("field-footer")).toBe("Is longer than 60. Shorten it.");
    const address = page.getByRole("group", { name: "1. Link" }).getByLabel("Address");
    expect(await described("button-0-url")).toBe("Leads into WhatsApp. Lead elsewhere.");
    expect(await faultsOf(page)).toEqual([]);
    // A problem holds until its field is changed.
    await footer.fill("Another footer");
    await footer.fill("Shorter");
    expect([await footer.getAttribute("aria-invalid"), await address.getAttribute("aria-invalid")]).toEqual([
      null,
      "true",
    ]);
    await footer.fill("Another footer");
    expect(stub.asked[0]?.sent).toMatchObject({
      components: [{ type: "HEADER" }, { type: "BODY" }, { text: "Another footer" }, { type: "BUTTONS" }],
    });
  });

  it("are deleted only after a yes, and fetched with a word on what has changed", async () => {
    stub.answer("DELETE /templates/2", { status: 204, body: null });
    stub.answer("POST /templates/sync", {
      accounts: [{ wabaId: "1", added: 2, changed: 1, removed: 0, unchanged: 4 }],
    });
    const page = await open("#/templates/2");
    await button(page, "Delete").click();
    const dialog = page.getByRole("dialog", { name: /Delete spring_buns/ });
    await dialog.waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    expect(stub.asked).toEqual([]);

    await button(page, "Delete").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("spring_buns is deleted.").first().waitFor();
    await button(page, "Fetch from Meta").click();
    await page.getByText("Fetched from Meta: 2 added, 1 changed.").first().waitFor();
    expect(stub.asked.map(({ route }) => route)).toEqual(["DELETE /templates/2", "POST /templates/sync"]);
    expect(page.faults).toEqual([]);
  });
});

describe("templates whose fate is not known", () => {
  it("are said to be, and that nothing has to be done", async () => {
    stub.answer("POST /templates", { status: 201, body: UNCONFIRMED });
    const page = await open("#/templates/new");
    await page.getByLabel("Name", { exact: true }).fill(UNCONFIRMED.name);
    await page.getByLabel("Text", { exact: true }).fill("This weekend: rye.");
    await button(page, "Send to review").click();
    await heading(page, UNCONFIRMED.name).waitFor();

    await page
      .getByText(/^Not confirmed\. Meta did not answer/)
      .first()
      .waitFor();
    expect(await page.getByRole("link", { name: "Edit" }).count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  });

  it("and that Meta never had are sent again with their words", async () => {
    const lost = { ...UNCONFIRMED, status: "NOT_SENT", why: "Meta has never had it: create it again." };
    stub.answer(`GET /templates/${lost.id}`, lost);
    stub.answer("POST /templates", { status: 201, body: { ...lost, status: "PENDING" } });
    const page = await open(`#/templates/${lost.id}`);
    await page.getByText("Meta has never had it. Send it again, or delete it.").waitFor();
    await page.getByRole("link", { name: "Send it again" }).click();
    await button(page, "Send to review").click();
    await page.getByText("Meta has it: in review.").first().waitFor();

    expect(stub.asked).toMatchObject([
      { route: "POST /templates", sent: { name: lost.name, parameterFormat: "NAMED", components: lost.components } },
    ]);
  });
});

describe("long lists", () => {
  it("of templates come page by page, and are searched where they are kept", async () => {
    const asked: string[] = [];
    stub.answer("GET /templates", ({ url }: { url: string }) => {
      asked.push(url);
      const isFirst = !url.includes("after=");
      return {
        status: 200,
        body: {
          accounts: TEMPLATES.accounts,
          templates: isFirst ? TEMPLATES.templates.slice(0, 2) : TEMPLATES.templates.slice(2),
          next: isFirst ? "spring_buns.en_GB.1" : null,
        },
      };
    });
    const page = await open("#/templates");
    const names = page.getByRole("main").getByRole("listitem").getByRole("link");
    await names.first().waitFor();
    expect(await names.allTextContents()).toEqual(["order_ready", "spring_buns"]);
    await button(page, "Show more").click();
    await page.getByRole("link", { name: "table_booked" }).waitFor();
    expect(await button(page, "Show more").count()).toBe(0);

    await page.getByLabel("Status").selectOption("REJECTED");
    await expect.poll(() => asked.at(-1)).toContain("status=REJECTED");
    expect(asked.find((url) => url.includes("after="))).toContain("after=spring_buns.en_GB.1");
    expect(page.faults).toEqual([]);
  });

  it("show an open message that they do not hold, by its address and when new ones push it off", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    const [first, ...others] = MESSAGES;
    stub.answer("GET /messages", { messages: others, next: null });
    await page.goto(`${stub.url}#/messages/m1`);
    const apart = page.getByRole("region", { name: "The open message" });
    await apart.getByText("See you soon.").first().waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await apart.getByRole("button", { name: /Ada Q\./ }).click();
    await apart.waitFor({ state: "detached" });

    const row = page.getByRole("button", { name: /Ben Ito.*A-17/ });
    await row.click();
    await page.getByText("Add one in Meta Business Suite").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const news = { cursor: "2", messages: true, webhooks: false, deadLetters: false, templates: false };
    stub.answer("GET /messages", { messages: [first], next: null });
    stub.answer("GET /changes", news);
    await page.clock.runFor(4_100);
    await apart.getByText("Add one in Meta Business Suite").waitFor();
    expect(await focused(page)).toContain("A-17");
    expect(page.faults).toEqual([]);
  });

  it("that were left while they loaded are there when one comes back", async () => {
    for (const [view, route, words] of [
      ["messages", "GET /messages", "Is it open today?"],
      ["webhooks", "GET /webhooks", "3 events"],
      ["templates", "GET /templates", "spring_buns"],
    ] as const) {
      let isAsked = () => {};
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve;
      });
      stub.answer(route, () => {
        isAsked();
        return new Promise(() => {});
      });
      const page = await open(`#/${view}`);
      await asked;
      await page.goto(`${stub.url}#/dead-letters`);
      await heading(page, "Dead letters").waitFor();
      stub.reset();
      await page.goto(`${stub.url}#/${view}`);
      await page.getByText(words).filter({ visible: true }).first().waitFor();
    }
  });
});

describe("what is new", () => {
  it("appears by itself while somebody looks, and nobody asks while nobody does", async () => {
    let asked = 0;
    let hasNews = false;
    stub.answer("GET /changes", () => {
      asked += 1;
      const messages = hasNews;
      hasNews = false;
      return {
        status: 200,
        body: { cursor: String(asked), messages, webhooks: false, deadLetters: false, templates: false },
      };
    });
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/messages`);
    await page.getByText("Is it open today?").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: /Ben Ito.*almond/ }).focus();

    stub.answer("GET /messages", {
      messages: [{ ...MESSAGES[1], id: "new", text: "Hello, just now" }, ...MESSAGES],
      next: null,
    });
    hasNews = true;
    await page.clock.runFor(4_100);
    await page.getByText("Hello, just now").waitFor();
    await page.getByText("1 new message.").waitFor({ state: "attached" });
    // What somebody was at stays under their fingers.
    expect(await focused(page)).toContain("almond");

    await page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true })`);
    await page.clock.runFor(4_100);
    const before = asked;
    await page.clock.runFor(60_000);
    expect(asked).toBe(before);
    await page.evaluate(
      `Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`,
    );
    await expect.poll(() => asked).toBe(before + 1);
    expect(page.faults).toEqual([]);
  });

  it("is said not to come when the server does not answer, and comes again", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    stub.answer("GET /changes", refusal(503, "STORE_UNAVAILABLE", "The database does not answer."));
    await page.goto(`${stub.url}#/messages`);
    await page.getByText("Not live: trying again").waitFor();
    stub.answer("GET /changes", {
      cursor: "1",
      messages: false,
      webhooks: false,
      deadLetters: false,
      templates: false,
    });
    await page.clock.runFor(8_100);
    await page.getByText("Live", { exact: true }).waitFor();
  });
});

describe("a webhook", () => {
  it("is shown readable and byte by byte, and replayed", async () => {
    stub.answer("POST /webhooks/9018/replay", {
      status: 202,
      body: { events: { redriven: 1, understood: 0, unknown: 0, applied: 1, waiting: 0 } },
    });
    const page = await open("#/webhooks");
    await page
      .getByRole("main")
      .getByRole("link", { name: /Failed/ })
      .click();
    await button(page, "Exact bytes").click();
    expect(await page.locator("pre").textContent()).toBe(WEBHOOK.body);
    await button(page, "Replay").click();
    await page.getByText("Replayed: 1 event is worked again, 1 left alone, applied already.").first().waitFor();

    expect(stub.asked).toEqual([{ route: "POST /webhooks/9018/replay", sent: {} }]);
    expect(page.faults).toEqual([]);
  });

  it("that holds what belongs to others shows no exact bytes", async () => {
    stub.answer("GET /webhooks/9018", { ...WEBHOOK, body: null, shared: true });
    const page = await open("#/webhooks/9018");
    await page.getByText("Only your part is shown").waitFor();

    expect(await button(page, "Exact bytes").count()).toBe(0);
  });
});

describe("before the whole channel", () => {
  let isBroken = false;
  let channel: TestChannel;
  beforeAll(async () => {
    channel = await startChannel({
      meta: { templateReviewMs: 300 },
      config: { metaAppId: APP_ID },
      reply: (turn) => {
        if (isBroken) throw new TypeError("the pipeline is down");
        return `You said *${turn.messages[0]?.text}*`;
      },
      plugin: {
        authenticate: ({ headers }: { headers: Record<string, string | undefined> }) =>
          headers["x-tenant"] === undefined
            ? null
            : { customerConfigId: headers["x-tenant"], permissions: ["connect", "operate"] },
      },
    });
  });
  async function openChannel(place: string) {
    const page = await openAt("about:blank", { ...DESK, extraHTTPHeaders: { "x-tenant": TENANT } });
    await page.clock.install();
    await page.goto(`${channel.url}/ui/${place}`);
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  }

  it("shows a message that comes, what became of its answer, and the webhook that brought it", async () => {
    const page = await openChannel("#/messages");
    await page.getByText("Nobody has written yet").waitFor();
    channel.meta.person({ name: "<b>Ada</b>" }).says("Is it <i>open</i>?");
    await channel.until(
      () => channel.events.some((event) => event.kind === "status" && event.state === "read"),
      "a reader",
    );
    await page.clock.runFor(4_100);
    const answer = page.getByRole("button", { name: /To.*You said/ });
    await answer.waitFor();
    await page.getByRole("button", { name: /From.*<b>Ada<\/b>.*Is it <i>open<\/i>\?/ }).waitFor();
    await expect.poll(() => answer.textContent()).toContain("Read");
    expect(await answer.locator(".what i").textContent()).toBe("Is it open?");
    await answer.click();
    await page.locator(".life").waitFor();
    for (const step of ["Queued", "Accepted", "Sent", "Delivered", "Read"])
      expect([step, await page.locator(".life li:not(.to-come)").filter({ hasText: step }).count()]).toEqual([step, 1]);
    // The answer was Markdown, and lost what is none of WhatsApp's.
    expect(await page.locator(".bubble i").textContent()).toBe("Is it open?");

    await page.getByRole("link", { name: "Webhooks" }).click();
    await page
      .getByRole("main")
      .getByRole("link", { name: /Message/ })
      .click();
    await button(page, "Exact bytes").click();
    const [stored] = await channel.rows<{ body: string }>(
      "select convert_from(body, 'utf8') as body from whatsapp_webhooks where webhook_type = 'message'",
    );
    expect(await page.locator("pre").textContent()).toBe(stored?.body);
    await button(page, "Replay").click();
    await page
      .getByText(/^Replayed: 1 left alone, applied already/)
      .first()
      .waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  });

  it("a template is fetched, written, reviewed by Meta and deleted", async () => {
    const page = await openChannel("#/templates");
    await button(page, "Fetch from Meta").click();
    await page
      .getByText(/^Fetched from Meta:/)
      .first()
      .waitFor();
    await page.getByRole("main").getByRole("link", { name: "hello_world" }).waitFor();
    await page.getByRole("link", { name: "New template" }).click();
    await page.getByLabel("Name", { exact: true }).fill("order_late");
    await page.getByLabel("Text", { exact: true }).fill("Hi {{first_name}}, your order is late.");
    await page.getByLabel("first_name", { exact: true }).fill("Ada");
    await button(page, "Send to review").click();
    await heading(page, "order_late").waitFor();
    await channel.until(
      async () =>
        (await channel.rows<{ status: string }>("select status from whatsapp_templates where name = 'order_late'"))[0]
          ?.status === "APPROVED",
      "the review",
    );
    await page.clock.runFor(4_100);
    await page.getByText("Approved", { exact: true }).waitFor();
    expect(await faultsOf(page)).toEqual([]);

    await button(page, "Delete").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("order_late is deleted.").first().waitFor();
    expect(await page.getByRole("main").getByRole("link", { name: "order_late" }).count()).toBe(0);
    expect(page.faults).toEqual([]);
  });

  it("a template with a sample for its header: a picture, a video, a document", async () => {
    const page = await openChannel("#/templates");
    for (const [kind, name, mimeType, buffer] of [
      ["Picture", "cake.png", "image/png", PNG],
      ["Video", "cake.mp4", "video/mp4", Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1")],
      ["Document", "menu.pdf", "application/pdf", Buffer.from("%PDF-1.4\n%%EOF")],
    ] as const) {
      await page.goto(`${channel.url}/ui/#/templates/new`);
      const id = `with_${kind.toLowerCase()}`;
      await page.getByLabel("Name", { exact: true }).fill(id);
      await page.getByLabel("Text", { exact: true }).fill(`Look at our ${kind.toLowerCase()}.`);
      await page.getByLabel("Header", { exact: true }).selectOption({ label: kind });
      await button(page, "Send to review").click();
      await page.getByText("Choose a sample file for Meta's reviewers.").waitFor();
      await page.getByLabel("Sample file").setInputFiles({ name, mimeType, buffer });
      await page.getByText(`${name} is taken.`).waitFor();
      await button(page, "Send to review").click();
      await heading(page, id).waitFor();
    }

    const stored = await channel.rows<{ format: string; handle: string }>(
      `select components -> 0 ->> 'format' as format, components -> 0 -> 'example' -> 'header_handle' ->> 0 as handle
       from whatsapp_templates where name like 'with\\_%' order by created_at`,
    );
    expect(stored.map(({ format }) => format)).toEqual(["IMAGE", "VIDEO", "DOCUMENT"]);
    for (const { handle } of stored) expect(handle).toMatch(/^4::/);
    expect(page.faults).toEqual([]);
  });

  it("a one-time code, whose text Meta writes", async () => {
    const page = await openChannel("#/templates/new");
    await page.getByLabel("Name", { exact: true }).fill("our_code");
    await page.getByRole("radio", { name: /^Authentication/ }).check();
    await page.locator(".bubble").getByText("is your verification code. For your security").waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByLabel("Minutes until it expires").fill("5");
    await button(page, "Send to review").click();
    await heading(page, "our_code").waitFor();
    await channel.until(
      () => channel.meta.templates.list().some((one) => one.name === "our_code" && one.status === "APPROVED"),
      "the review",
    );

    expect(channel.meta.templates.list().find((one) => one.name === "our_code")).toMatchObject({
      category: "AUTHENTICATION",
      components: [
        { type: "BODY", add_security_recommendation: true },
        { code_expiration_minutes: 5 },
        { type: "BUTTONS" },
      ],
    });
    expect(page.faults).toEqual([]);
  });

  it("a dead letter is put back, and its message is answered", async () => {
    isBroken = true;
    channel.meta.person({ name: "Ben" }).says("Are you there?");
    await channel.until(async () => (await channel.plugin.deadLetters.list()).letters.length === 1, "a dead letter");
    isBroken = false;
    const page = await openChannel("#/dead-letters");
    await page.getByRole("checkbox", { name: /Turn/ }).check();
    await button(page, "Put back 1 chosen letter").click();
    await page.getByText("1 dead letter was put back.").first().waitFor();
    await page.getByText("Nothing lies aside").waitFor();

    await channel.until(
      () => channel.meta.accepted.some((one) => JSON.stringify(one).includes("Are you there?")),
      "the answer",
    );
    expect(await faultsOf(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  });
});
