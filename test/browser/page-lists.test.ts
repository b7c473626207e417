/** Lists on the integrations page: by the page, by themselves as something comes, and one of them looked at. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { MESSAGES, NUMBERS, TEMPLATES, WEBHOOKS } from "../support/page-samples.ts";
import { button, focused, heading, held, newsOf, refusal, usePageStub } from "../support/page-views.ts";

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

    const row = page.getByRole("button", { name: /Ben Ito.*order_ready/ });
    await row.click();
    await page.getByText("Add one in Meta Business Suite").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const news = { cursor: "2", messages: true, webhooks: false, deadLetters: false, templates: false };
    stub.answer("GET /messages", { messages: [first], next: null });
    stub.answer("GET /changes", news);
    await page.clock.runFor(4_100);
    await apart.getByText("Add one in Meta Business Suite").waitFor();
    expect(await focused(page)).toContain("order_ready");
    expect(page.faults).toEqual([]);
  });

  it("show below their first page what has come of it: what is gone, and what became of the open one", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    const older = { ...MESSAGES[3], id: "older", text: "Of the second page", state: "sent" };
    const gone = { ...older, id: "gone", text: "Gone from there" };
    const pages = (below: object[]) => {
      stub.answer("GET /messages", ({ url }: { url: string }) =>
        url.includes("before=")
          ? { status: 200, body: { messages: below, next: null } }
          : { status: 200, body: { messages: MESSAGES, next: "m7" } },
      );
    };
    pages([older, gone]);
    await page.goto(`${stub.url}#/messages`);
    await button(page, "Show older").click();
    await page.getByRole("button", { name: /Of the second page/ }).click();
    await page.getByText("Sent: WhatsApp has sent it").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    pages([{ ...older, state: "delivered" }]);
    stub.answer("GET /changes", newsOf("messages"));
    await page.clock.runFor(4_100);
    await page.getByText("Delivered: It is on the phone.").waitFor();
    expect(await page.getByText("Gone from there").count()).toBe(0);
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

describe("a list", () => {
  it("is narrowed by its address, and its fields say how", async () => {
    const page = await open();
    for (const [place, route, fields] of [
      [
        "messages?state=failed&direction=out&q=Ada&conversation_id=7&phone_number_id=8",
        "/messages",
        { State: "failed", Direction: "out", "Name, number or text": "Ada" },
      ],
      [
        "webhooks?type=message&state=failed&q=wamid&hours=24",
        "/webhooks",
        { Type: "message", State: "failed", Received: "24", "An id or a word in it": "wamid" },
      ],
      [
        "dead-letters?stage=turn&error=ChatApiError&conversation_id=7",
        "/dead-letters",
        { "What happened": "turn", Error: "ChatApiError" },
      ],
      [
        "templates?status=REJECTED&q=bun&waba_id=9",
        "/templates",
        { Status: "REJECTED", "Name or text": "bun", Account: "9" },
      ],
    ] as const) {
      stub.looked.length = 0;
      stub.answer("GET /templates", {
        ...TEMPLATES,
        accounts: [...TEMPLATES.accounts, { wabaId: "9", name: "Quill Café", syncedAt: null }],
      });
      await page.goto(`${stub.url}#/${place}`);
      for (const [label, value] of Object.entries(fields))
        await expect.poll(() => page.getByLabel(label, { exact: true }).inputValue()).toBe(value);
      const asked = () => stub.looked.findLast((url) => url.startsWith(`${route}?`)) ?? "";
      const wanted = new URLSearchParams(place.split("?")[1]);
      const hours = wanted.get("hours");
      wanted.delete("hours");
      for (const [name, value] of wanted)
        await expect.poll(() => [name, new URLSearchParams(asked().split("?")[1]).get(name)]).toEqual([name, value]);
      if (hours === null) continue;
      const since = new URLSearchParams(asked().split("?")[1]).get("since") ?? "";
      expect((Date.now() - Date.parse(since)) / 3_600_000).toBeCloseTo(Number(hours), 1);
    }
    expect(page.faults).toEqual([]);
  });

  it("of messages is narrowed to a number from there, by keyboard, says so, and is widened again", async () => {
    const page = await open("#/numbers");
    await page.getByRole("link", { name: "Look at those of +44 7700 900055" }).press("Enter");
    await heading(page, "Messages").waitFor();
    await page.getByText("Of +44 7700 900055 only.").waitFor();
    const asked = () => stub.looked.findLast((url) => url.startsWith("/messages?")) ?? "";
    await expect.poll(asked).toContain("phone_number_id=301777000333555");
    expect(await faultsOf(page)).toEqual([]);

    await page.getByLabel("State").selectOption({ label: "Failed" });
    await expect.poll(asked).toMatch(/state=failed.*phone_number_id=301777000333555/);
    await page.getByRole("link", { name: "All numbers" }).press("Enter");
    await page.getByText("only.").waitFor({ state: "detached" });
    // What else it is narrowed to, it stays narrowed to.
    await expect.poll(() => page.url()).toBe(`${stub.url}#/messages?state=failed`);
    await expect.poll(asked).not.toContain("phone_number_id");

    // It left meanwhile, and its messages are still there.
    await page.goto(`${stub.url}#/messages?phone_number_id=301777000333999`);
    await page.getByText("Of the number with the id 301777000333999 only.").waitFor();
    expect(page.faults).toEqual([]);
    stub.answer("GET /status", refusal(503, "X", "It does not answer."));
    await page.goto("about:blank");
    await page.goto(`${stub.url}#/messages?phone_number_id=301777000333555`);
    await page.getByText("Of the number with the id 301777000333555 only.").waitFor();
  });

  it("is searched when one stops typing, and at Enter; a pause after a word does not eat the space", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/messages`);
    const search = page.getByLabel("Name, number or text");
    await search.pressSequentially("Ada ");
    await page.clock.runFor(500);
    await expect.poll(() => page.url()).toMatch(/q=Ada/);
    await search.pressSequentially("Q");
    expect(await search.inputValue()).toBe("Ada Q");
    await search.press("Enter");
    await expect.poll(() => page.url()).toMatch(/q=Ada\+Q$/);
    await search.fill("  ");
    await search.press("Enter");
    await expect.poll(() => page.url()).toBe(`${stub.url}#/messages`);
  });

  it("says in its fields how it is narrowed, whatever was chosen by hand before", async () => {
    const page = await open("#/messages");
    const state = page.getByLabel("State");
    for (const [label, value] of [
      ["Failed", "failed"],
      ["Every state", ""],
      ["Read", "read"],
    ] as const) {
      await state.selectOption({ label });
      await expect.poll(() => new URLSearchParams(page.url().split("?")[1]).get("state") ?? "").toBe(value);
    }
    await page.goBack();
    await expect.poll(() => state.inputValue()).toBe("");
    await page.goBack();
    await expect.poll(() => state.inputValue()).toBe("failed");
  });

  it("that is being searched calls nobody back who has gone on meanwhile", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/messages`);
    await page.clock.pauseAt(Date.now() + 60_000);
    for (const [view, label, row, there] of [
      [
        "messages",
        "Name, number or text",
        page.getByRole("button", { name: /Ben Ito.*order_ready/ }),
        /messages\/[^?]+$/,
      ],
      ["templates", "Name or text", page.getByRole("link", { name: "order_ready" }), /templates\/1$/],
      ["webhooks", "An id or a word in it", page.getByRole("link", { name: /Failed/ }), /webhooks\/9018$/],
    ] as const) {
      await page.goto(`${stub.url}#/${view}`);
      await page.getByLabel(label).fill("Ada");
      await row.click();
      await page.clock.runFor(500);
      await expect.poll(() => page.url()).toMatch(there);

      await page.goto(`${stub.url}#/${view}`);
      await page.getByLabel(label).fill("Ada");
      await page.getByRole("link", { name: "Health", exact: true }).click();
      await heading(page, "Health").waitFor();
      await page.clock.runFor(500);
      expect([view, page.url()]).toEqual([view, `${stub.url}#/health`]);
      // What was not looked for is not said to be.
      await page.getByRole("link", { name: new RegExp(`^${view}$`, "i") }).click();
      expect([view, await page.getByLabel(label).inputValue()]).toEqual([view, ""]);
    }
  });

  it("is searched once one has stopped typing, whatever is drawn meanwhile, and together with what is chosen", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/messages`);
    await page.getByText("Is it open today?").waitFor();
    await page.clock.pauseAt(Date.now() + 60_000);
    const search = page.getByLabel("Name, number or text");
    await search.fill("Ad");
    await page.clock.runFor(300);
    await page.evaluate(`(() => {
      const view = document.querySelector("whatsapp-page").shadowRoot.querySelector("wa-messages");
      view.requestUpdate();
      return view.updateComplete;
    })()`);
    await search.fill("Ada");
    await page.clock.runFor(300);
    expect(page.url()).toBe(`${stub.url}#/messages`);
    await page.getByLabel("State").selectOption("read");
    await expect.poll(() => page.url()).toMatch(/state=read$/);
    await page.clock.runFor(200);
    await expect.poll(() => page.url()).toMatch(/state=read&q=Ada$/);
  });

  it("that is being searched keeps what is typed right after Enter", async () => {
    const page = await open("#/messages");
    const search = page.getByLabel("Name, number or text");
    await search.fill("Ada");
    // The next key comes before the browser tells the page of its new address.
    await page.evaluate(`(async () => {
      const page = document.querySelector("whatsapp-page");
      const view = page.shadowRoot.querySelector("wa-messages");
      const input = view.querySelector("#search");
      input.form.requestSubmit();
      await page.updateComplete;
      await view.updateComplete;
      input.value += "m";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    })()`);
    await expect.poll(() => page.url()).toMatch(/q=Adam$/);
    expect(await search.inputValue()).toBe("Adam");
  });

  it("goes on at the first of the older ones, asks once, and says why they do not come", async () => {
    const { route, release } = held(
      { error: { code: "STORE_UNAVAILABLE", message: "The database does not answer." } },
      503,
    );
    const isOlder = ({ url }: { url: string }) => url.includes("before=");
    stub.answer("GET /messages", (request) =>
      isOlder(request) ? route() : { status: 200, body: { messages: MESSAGES, next: "m7" } },
    );
    const page = await open("#/messages");
    await button(page, "Show older").press("Enter");
    expect(await button(page, "Loading…").isDisabled()).toBe(true);
    await button(page, "Loading…").press("Enter");
    release();
    await page.getByText("The database does not answer.").waitFor();
    expect(stub.looked.filter((url) => isOlder({ url })).length).toBe(1);

    stub.answer("GET /messages", { messages: [{ ...MESSAGES[1], id: "old", text: "An old one" }], next: null });
    await button(page, "Show older").press("Enter");
    await expect.poll(() => focused(page)).toContain("An old one");
    expect(await page.getByText("The database does not answer.").count()).toBe(0);
    expect(await page.getByRole("button", { name: /Ben Ito.*order_ready/ }).count()).toBe(1);
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

  it("leaves whoever has gone on from an open message where they are", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/messages/m1`);
    await page.locator("#row-m1").focus();
    await page.getByText("Live", { exact: true }).waitFor();
    const { route, release } = held({ messages: [{ ...MESSAGES[1], id: "new" }, ...MESSAGES], next: null });
    stub.answer("GET /messages", route);
    const before = stub.looked.length;
    stub.answer("GET /changes", newsOf("messages"));
    await page.clock.runFor(4_100);
    await expect.poll(() => stub.looked.slice(before).some((path) => path.startsWith("/messages"))).toBe(true);
    const search = page.getByLabel("Name, number or text");
    await search.focus();
    release();

    await page.getByText("1 new message.").waitFor({ state: "attached" });
    await page.keyboard.type("Ada ");
    expect(await search.inputValue()).toBe("Ada ");
  });

  it("of the numbers is shown wherever they are: in their view, on the overview, and in what the doctor says", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/numbers`);
    const cafe = page.getByRole("region", { name: "+44 7700 900055" });
    await cafe.waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const [bakery] = NUMBERS;
    stub.answer("GET /status", { enabled: true, numbers: [bakery] });
    stub.answer("GET /changes", newsOf("numbers"));
    await page.clock.runFor(4_100);
    await cafe.waitFor({ state: "detached" });

    await page.goto(`${stub.url}#/`);
    const card = page.locator("whatsapp-connect");
    await card.getByText("+44 7700 900000").waitFor();
    expect(await card.getByText("+44 7700 900055").count()).toBe(0);
    await page.getByText(/checks are fine, looked at \d/).waitFor();
    stub.answer("GET /status", { enabled: true, numbers: NUMBERS });
    stub.answer("GET /doctor", { healthy: true, checks: [] });
    await page.clock.runFor(4_100);
    await card.getByText("+44 7700 900055").waitFor();
    await page.getByText("All is well").waitFor();
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

  it("is asked for less often while the server fails, and not at all where it cannot tell", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    stub.answer("GET /changes", refusal(503, "STORE_UNAVAILABLE", "The database does not answer."));
    const asked = () => stub.looked.filter((path) => path.startsWith("/changes")).length;
    await page.goto(`${stub.url}#/messages`);
    await page.getByText("Not live: trying again").waitFor();
    expect(asked()).toBe(1);
    await page.clock.runFor(4_500);
    expect(asked()).toBe(1);
    await page.clock.runFor(4_000);
    await expect.poll(asked).toBe(2);

    stub.answer("GET /changes", { status: 404, body: {} });
    // The page may still read the second answer, and count its pause from then.
    const isOff = () => page.getByText("Reload to see what is new").isVisible();
    await expect.poll(() => page.clock.runFor(1_000).then(isOff), { timeout: 10_000 }).toBe(true);
    const before = asked();
    await page.clock.runFor(120_000);
    expect(asked()).toBe(before);
  });

  it("is read where it is looked at, and elsewhere when one comes there; the first look brings none", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    stub.answer("GET /changes", newsOf("messages", "webhooks"));
    await page.goto(`${stub.url}#/webhooks`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("3 events").waitFor();
    await page.goto(`${stub.url}#/`);
    await page.getByRole("link", { name: /Is it open today/ }).waitFor();
    const lists = () =>
      stub.looked.filter((path) => /^\/(webhooks|messages)/.test(path)).map((path) => path.split("?")[0]);
    expect(lists()).toEqual(["/webhooks", "/messages"]);

    stub.answer("GET /messages", { messages: [{ ...MESSAGES[1], id: "new", text: "Hello, just now" }], next: null });
    await page.clock.runFor(4_100);
    await page.getByRole("link", { name: /Hello, just now/ }).waitFor();
    stub.answer("GET /changes", newsOf());
    stub.answer("GET /webhooks", { webhooks: [{ ...WEBHOOKS[0], id: "9022", events: 7 }], next: null });
    await page.goto(`${stub.url}#/webhooks`);
    await page.getByText("7 events").waitFor();
  });
});
