/** Lists on the integrations page: by the page, by themselves as something comes, and one of them looked at. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { MESSAGES, TEMPLATES, WEBHOOK } from "../support/page-samples.ts";
import { button, focused, heading, refusal, usePageStub } from "../support/page-views.ts";

const { stub, open, openAt } = await usePageStub();

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
