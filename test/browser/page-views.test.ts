/** The integrations page in a real browser: every view with something, with nothing, while it loads and when it fails. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { PLACES } from "../support/page-samples.ts";
import { DESK, PHONE, refusal, usePageStub } from "../support/page-views.ts";

const { stub, open } = await usePageStub();

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
