/** The integrations page in a real browser: every view with something, with nothing, while it loads and when it fails. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { CHECKS, MESSAGES, NUMBERS, PLACES } from "../support/page-samples.ts";
import { button, DESK, heading, held, PHONE, refusal, usePageStub } from "../support/page-views.ts";

const { stub, open } = await usePageStub();

/** What a view must not leave out. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  message: ["131042", "because the account has no valid payment method.", "Then send it again."],
  messages: ["[Photo]", "[Template order_ready] Ben"],
  webhook: ["DatabaseError 23514: the database refused it", "Dead letter", "Tried 1 time"],
};

describe("every view", () => {
  it.each([
    ["on a desk, in light", DESK],
    ["on a phone of 360 px, in dark", { ...PHONE, colorScheme: "dark" }],
  ] as const)("%s: names, labels, contrast, nothing sideways, no fault in the console", async (_how, options) => {
    const page = await open("", options);
    for (const [name, place, words] of PLACES) {
      await page.goto(`${stub.url}${place}`);
      await page.getByText(words).filter({ visible: true }).first().waitFor();

      for (const said of SAID[name] ?? [])
        expect([said, await page.getByText(said).filter({ visible: true }).count()]).not.toEqual([said, 0]);
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

describe("a message without words", () => {
  it("is told once what it is, in the list and open", async () => {
    const page = await open("#/messages/m3");
    await page.locator(".bubble").waitFor();

    expect(await page.locator(".row .what").allInnerTexts()).toContain("[Template order_ready] Ben, 18:00");
    expect(await page.locator(".bubble p").first().textContent()).toBe("[Template order_ready] Ben, 18:00");
  });

  it("has a line of its own in the list, whether or not its kind has a name", async () => {
    const [first, second] = MESSAGES;
    const wordless = [
      { ...first, kind: "image", text: "" },
      { ...second, kind: "text", text: null },
    ];
    stub.answer("GET /messages", { messages: wordless, next: null });
    const page = await open("#/messages");
    await page.locator(".row .what").nth(1).waitFor();

    expect(await page.locator(".row .what").allInnerTexts()).toEqual(["Picture", "No text"]);
  });
});

describe("what is gone", () => {
  it("is said to be, and offers no second try", async () => {
    const page = await open("#/webhooks/9");
    for (const place of ["#/webhooks/9", "#/messages/nobody"]) {
      await page.goto(`${stub.url}${place}`);
      await page.getByRole("heading", { name: "It is not there" }).waitFor();
      expect(await button(page, "Try again").count()).toBe(0);
    }
  });
});

describe("the overview", () => {
  it("says that Meta is asked, then what is worst first, and has a way on from each failure", async () => {
    const { route, release } = held(refusal(503, "X", "Meta does not answer.").body, 503);
    stub.answer("GET /doctor", route);
    stub.answer("GET /messages", refusal(503, "STORE_UNAVAILABLE", "The database does not answer."));
    const page = await open();
    await page.getByText("Asking Meta how your numbers are.").waitFor();
    release();
    const health = page.getByRole("alert").filter({ hasText: "Meta does not answer." });
    const latest = page.getByRole("alert").filter({ hasText: "The database does not answer." });
    await Promise.all([health.waitFor(), latest.waitFor()]);
    expect(await faultsOf(page)).toEqual([]);

    stub.reset();
    await page.getByRole("region", { name: "Health" }).getByRole("button", { name: "Try again" }).click();
    await page.getByRole("region", { name: "Latest messages" }).getByRole("button", { name: "Try again" }).click();
    const found = page.getByRole("region", { name: "Health" }).getByRole("listitem");
    await found.first().waitFor();
    expect(await found.allInnerTexts()).toEqual([
      // About which number, where there are several.
      expect.stringMatching(/^Payment\. \+44 7700 900055 The account/),
      expect.stringMatching(/^Webhook fields\. Subscribed to/),
      expect.stringMatching(/^Quality and limit\. \+44 7700 900055 Quality/),
    ]);
    await page.getByRole("link", { name: /Is it open today/ }).waitFor();
  });

  it("is looked at anew when a number is connected, and says where that fails", async () => {
    stub.answer("GET /doctor", { healthy: true, checks: [] });
    stub.answer("GET /messages", { messages: [], next: null });
    const page = await open();
    await page.getByText("All is well").waitFor();
    await page.getByText("Nobody has written yet. What people write appears here by itself.").waitFor();
    const connected = () =>
      page.locator("whatsapp-connect").evaluate((one) => one.dispatchEvent(new Event("whatsapp-connected")));
    stub.answer("GET /doctor", { healthy: false, checks: CHECKS });
    await connected();
    await page.getByText("1 problem").waitFor();
    stub.answer("GET /doctor", refusal(503, "X", "Meta does not answer."));
    await connected();
    await page.getByRole("alert").filter({ hasText: "Meta does not answer." }).waitFor();
  });
});

describe("health", () => {
  it("says what to do, what is worst first, about which number, and looks again once at a time", async () => {
    const page = await open("#/health");
    const urgent = page.getByRole("region", { name: "What to do" }).getByRole("listitem");
    await urgent.first().waitFor();
    expect((await urgent.allTextContents()).map((text) => text.replaceAll(/\s+/g, " ").trim())).toEqual([
      expect.stringMatching(/^Payment: Problem \+44 7700 900055 .* Add one in Meta Business Suite/),
      expect.stringMatching(/^Webhook fields: Warning Subscribed to .* In the Meta app/),
      expect.stringMatching(/^Quality and limit: Warning \+44 7700 900055 .* Write only to people/),
    ]);

    stub.looked.length = 0;
    const said = page.locator("#said");
    await expect.poll(() => said.textContent()).toBe("Looked at: 1 problem.");
    await said.evaluate((one) => one.replaceChildren());
    const { route, release } = held(refusal(503, "X", "Meta does not answer.").body, 503);
    stub.answer("GET /doctor", route);
    await button(page, "Look again").click();
    await button(page, "Looking…").press("Enter");
    release();
    // What was found before stays, and nobody is told that it was found now.
    await page.getByRole("alert").filter({ hasText: "Meta does not answer." }).waitFor();
    expect(await urgent.count()).toBe(3);
    expect(await said.textContent()).toBe("");
    expect(stub.looked.filter((path) => path === "/doctor").length).toBe(1);
    stub.reset();
    await button(page, "Look again").click();
    await expect.poll(() => said.textContent()).toBe("Looked at: 1 problem.");
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});

describe("numbers", () => {
  it("have their state, Meta's rating, their own checks, and a reason with a way on", async () => {
    const [first, second] = NUMBERS;
    const reason = "Meta refuses the access token.";
    stub.answer("GET /status", { enabled: true, numbers: [first, { ...second, state: "reauth_required", reason }] });
    const page = await open("#/numbers");
    const [bakery, cafe] = [first, second].map((one) => page.getByRole("region", { name: String(one?.phone_number) }));
    await cafe?.getByText("2 to look at").waitFor();

    for (const words of ["Connected", "Quality high", "All 4 fine"])
      expect(await bakery?.getByText(words, { exact: true }).count()).toBe(1);
    for (const words of ["Reconnect needed", "Quality medium"])
      expect(await cafe?.getByText(words, { exact: true }).count()).toBe(1);
    expect(await cafe?.getByRole("listitem").locator("h3").allTextContents()).toEqual([
      expect.stringMatching(/^Payment/),
      expect.stringMatching(/^Quality/),
    ]);
    await cafe?.getByText(reason).getByRole("link", { name: "Reconnect" }).click();
    await heading(page, "Overview").waitFor();

    stub.answer("GET /doctor", refusal(503, "X", "Meta does not answer."));
    await page.goto("about:blank");
    await page.goto(`${stub.url}#/numbers`);
    await bakery?.getByText("Could not be made").waitFor();
  });
});
