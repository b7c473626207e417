/** What came and went, on the integrations page: a message's life, a webhook's bytes and replay, a dead letter put back. */
import { describe, expect, it } from "vitest";
import { DEAD_LETTERS, MESSAGES, WEBHOOK, WEBHOOKS } from "../support/page-samples.ts";
import { button, held, newsOf, usePageStub } from "../support/page-views.ts";

const { stub, open, openAt } = await usePageStub();

describe("a message's life", () => {
  it("has each step with its time, what is to come, and what was passed over", async () => {
    const [read] = MESSAGES;
    const skipped = { ...read, id: "skipped", state: "delivered", times: { ...read?.times, sent: null, read: null } };
    const attempts = [
      { startedAt: read?.at, outcome: "rejected", metaCode: 131056 },
      { startedAt: read?.at, outcome: "accepted", metaCode: null },
    ];
    const again = { ...read, id: "again", attempts };
    stub.answer("GET /messages", { messages: [...MESSAGES, skipped, again], next: null });
    const page = await open("#/messages/m1");
    const steps = async () => {
      await page.locator(".life li").first().waitFor();
      return (await page.locator(".life li").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "));
    };
    const at = /\d\d:\d\d/;
    const lived = await steps();
    expect(lived.map((text) => text.split(" ")[0])).toEqual(["Queued", "Accepted", "Sent", "Delivered", "Read"]);
    for (const step of lived) expect(step).toMatch(at);
    expect(lived.map((text) => /\+\S+ s/.exec(text)?.[0])).toEqual([undefined, "+0.3 s", "+0.6 s", "+0.5 s", "+41 s"]);
    await page.getByText("Text: table became monospace text").waitFor();
    await page.getByText("Read: The person has opened it.").waitFor();
    const conversation = page.getByRole("link", { name: "All of it" });
    expect(await conversation.getAttribute("href")).toBe(`#/messages?conversation_id=${read?.conversationId}`);

    await page.goto(`${stub.url}#/messages/m7`);
    await page.getByText("Sent: WhatsApp has sent it").waitFor();
    expect((await steps()).slice(-2)).toEqual(["Delivered not yet", "Read not yet"]);
    await page.goto(`${stub.url}#/messages/skipped`);
    await expect.poll(steps).toContain("Sent passed over");
    await page.goto(`${stub.url}#/messages/m3`);
    await page.getByText("1 try").waitFor();
    // What has failed has nothing to come.
    expect((await steps()).map((text) => text.split(" ")[0])).toEqual(["Queued", "Accepted", "Failed"]);
    await page.goto(`${stub.url}#/messages/again`);
    await page.getByText("2 tries").waitFor();
    expect(await page.locator(".inside ol.small li").allInnerTexts()).toEqual([
      expect.stringMatching(/Rejected\s*131056$/),
      expect.stringMatching(/Accepted$/),
    ]);
  });

  it("that may have left is not called failed, and ends with what it has come to", async () => {
    const lost = (id: string, state: string, title: string | null, ended: object) => ({
      ...MESSAGES[0],
      id,
      state,
      times: { ...MESSAGES[0]?.times, accepted: null, sent: null, delivered: null, read: null, ...ended },
      error: { code: "AMBIGUOUS", title, words: "Meta did not answer.", fix: null },
    });
    const given = { failed: MESSAGES[0]?.at };
    stub.answer("GET /messages", {
      messages: [
        lost("sending", "sending", null, {}),
        lost("unknown", "unknown", "Something went wrong", given),
        lost("expired", "expired", null, given),
        lost("failed", "failed", null, given),
      ],
      next: null,
    });
    const page = await open("#/messages");
    for (const [id, tone, title, life] of [
      ["sending", "warn", "Not known yet", ["Queued", "Accepted", "Sent", "Delivered", "Read"]],
      ["unknown", "warn", "Not known: Something went wrong", ["Queued", "Unknown"]],
      ["expired", "bad", "Expired", ["Queued", "Expired"]],
      ["failed", "bad", "It failed", ["Queued", "Failed"]],
    ] as const) {
      await page.goto(`${stub.url}#/messages/${id}`);
      const inside = page.locator(`#message-${id}`);
      expect([id, await inside.locator(`.notice.${tone} b`).textContent()]).toEqual([id, title]);
      const steps = await inside.locator(".life li").allInnerTexts();
      expect([id, steps.map((text) => text.split(/\s/)[0])]).toEqual([id, life]);
      expect(steps.join()).not.toContain("passed over");
    }
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
    const events = page.getByRole("region", { name: "Events" }).getByRole("listitem");
    await events.filter({ hasText: "DatabaseError 23514: the database refused it" }).waitFor();
    await button(page, "Exact bytes").click();
    expect(await page.locator("pre").textContent()).toBe(WEBHOOK.body);
    await button(page, "Replay").click();
    await page.getByText("Replayed: 1 event is worked again, 1 left alone, applied already.").first().waitFor();

    expect(stub.asked).toEqual([{ route: "POST /webhooks/9018/replay", sent: {} }]);
    expect(page.faults).toEqual([]);
  });

  it("is left for the list as it was narrowed", async () => {
    const page = await open("#/webhooks?state=failed&hours=24");
    await page
      .getByRole("main")
      .getByRole("link", { name: /Failed/ })
      .click();
    await page.getByRole("link", { name: "All webhooks" }).click();

    await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/webhooks?state=failed&hours=24");
    expect(await page.getByLabel("State").inputValue()).toBe("failed");
  });

  it("that holds what belongs to others shows no exact bytes", async () => {
    stub.answer("GET /webhooks/9018", { ...WEBHOOK, body: null, shared: true });
    const page = await open("#/webhooks/9018");
    await page.getByText("Only your part is shown").waitFor();

    expect(await button(page, "Exact bytes").count()).toBe(0);
  });

  it("is copied as it is shown", async () => {
    const page = await open("#/webhooks/9018");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    await button(page, "Copy").click();
    await page.getByText("Copied.").first().waitFor();
    expect(await copied()).toBe(JSON.stringify(WEBHOOK.payload, null, 2));
    await button(page, "Exact bytes").click();
    await button(page, "Copy").click();
    await expect.poll(copied).toBe(WEBHOOK.body);
  });

  it("is replayed once at a time, shows that it goes on, and says why where it fails", async () => {
    const { route, release } = held(
      { error: { code: "STORE_UNAVAILABLE", message: "The database does not answer." } },
      503,
    );
    stub.answer("POST /webhooks/9018/replay", route);
    const page = await open("#/webhooks/9018");
    const replay = button(page, "Replay");
    await replay.click();
    await page.getByRole("status").filter({ hasText: "Reading it again…" }).waitFor();
    await replay.press("Enter");
    release();
    await page.getByRole("alert").filter({ hasText: "The database does not answer." }).waitFor();
    expect(stub.asked.length).toBe(1);

    stub.answer("POST /webhooks/9018/replay", {
      events: { redriven: 1, understood: 0, unknown: 0, applied: 0, waiting: 0 },
    });
    stub.answer("GET /webhooks/9018", { ...WEBHOOK, state: "processed", events: [] });
    await replay.click();
    await page.getByText("Nothing in it is for this platform.").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("keeps what its replay has come to for itself, however late, and is replayed once meanwhile", async () => {
    const { route, release } = held({ events: { redriven: 3, understood: 0, unknown: 0, applied: 0, waiting: 0 } });
    stub.answer("POST /webhooks/9018/replay", route);
    stub.answer("GET /webhooks/9020", { ...WEBHOOK, id: "9020", type: "status" });
    const page = await open("#/webhooks/9018");
    await button(page, "Replay").click();
    await page.goto(`${stub.url}#/webhooks/9020`);
    await page.getByRole("heading", { name: "Webhook: status" }).waitFor();
    expect(await page.getByText("Reading it again…").count()).toBe(0);
    await page.goto(`${stub.url}#/webhooks/9018`);
    await page.getByText("Reading it again…").waitFor();
    await button(page, "Replay").press("Enter");
    await page.goto(`${stub.url}#/webhooks/9020`);
    await page.getByRole("heading", { name: "Webhook: status" }).waitFor();
    const answer = page.waitForResponse(/replay$/);
    release();
    await (await answer).finished();
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    expect(await page.locator(".told").textContent()).toBe("");
    await page.goto(`${stub.url}#/webhooks/9018`);
    await page.getByText("Replayed: 3 events are worked again.").first().waitFor();
    expect(stub.asked.length).toBe(1);
  });

  it("appears by itself in the list, and what was made of it where it is looked at", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/webhooks`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("3 events").waitFor();
    stub.answer("GET /webhooks", { webhooks: [{ ...WEBHOOKS[0], id: "9022", events: 7 }, ...WEBHOOKS], next: null });
    stub.answer("GET /changes", newsOf("webhooks"));
    await page.clock.runFor(4_100);
    await page.getByText("7 events").waitFor();
  });
});

describe("dead letters", () => {
  it("are put back as chosen, once at a time, with a word on how it went", async () => {
    const page = await open("#/dead-letters");
    const boxes = page.getByRole("checkbox");
    await boxes.first().waitFor();
    const pill = page.locator("nav .pill");
    await expect.poll(() => pill.textContent()).toBe("3");
    await button(page, "Put back the chosen").press("Enter");
    await boxes.nth(0).check();
    await boxes.nth(1).check();
    await boxes.nth(0).uncheck();
    const { route, release } = held(
      { error: { code: "STORE_UNAVAILABLE", message: "The database does not answer." } },
      503,
    );
    stub.answer("POST /dead-letters/redrive", route);
    await button(page, "Put back 1 chosen letter").click();
    await page.getByRole("status").filter({ hasText: "Putting back…" }).waitFor();
    await button(page, "Put back all").press("Enter");
    release();
    await page.getByRole("alert").filter({ hasText: "The database does not answer." }).waitFor();

    stub.answer("POST /dead-letters/redrive", { redriven: 1, left: 0 });
    stub.answer("GET /dead-letters", { dead_letters: [DEAD_LETTERS[0], DEAD_LETTERS[2]], next: null });
    await button(page, "Put back 1 chosen letter").click();
    await page.getByText("1 dead letter was put back. What fails again comes back here.").waitFor();
    expect(await boxes.count()).toBe(2);
    await expect.poll(() => pill.textContent()).toBe("2");
    const sent = { ids: [DEAD_LETTERS[1]?.id] };
    expect(stub.asked.map((one) => one.sent)).toEqual([sent, sent]);
    expect(
      await page.getByRole("main").getByRole("link", { name: "Its conversation" }).first().getAttribute("href"),
    ).toBe(`#/messages?conversation_id=${DEAD_LETTERS[0]?.conversation_id}`);
  });

  it("of a narrowed list are put back as far as they match, and new ones appear and are counted by themselves", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    stub.answer("POST /dead-letters/redrive", { redriven: 1, left: 4 });
    await page.goto(`${stub.url}#/dead-letters?stage=turn&error=ChatApiError`);
    await button(page, "Put back all that match").click();
    await page.getByText("1 dead letter was put back; 4 more match.").first().waitFor();
    expect(stub.asked.map((one) => one.sent)).toEqual([{ stage: "turn", error: "ChatApiError" }]);

    const many = Array.from({ length: 100 }, (_, index) => ({ ...DEAD_LETTERS[0], id: `in:${index}`, attempts: 77 }));
    stub.answer("GET /dead-letters", { dead_letters: many, next: null });
    stub.answer("GET /changes", newsOf("deadLetters"));
    await page.getByText("Live", { exact: true }).waitFor();
    await page.clock.runFor(4_100);
    await page.getByText("Tried 77 times.").first().waitFor();
    await expect.poll(() => page.locator("nav .pill").textContent()).toBe("99+");
  });

  it("say who is signed out meanwhile, and that the platform does not answer", async () => {
    const page = await open("#/dead-letters");
    await button(page, "Put back all").waitFor();
    stub.answer("POST /dead-letters/redrive", { status: 401, body: {} });
    await button(page, "Put back all").click();
    await page.getByRole("alert").filter({ hasText: "You are not signed in any more." }).waitFor();
    await page.context().setOffline(true);
    await button(page, "Put back all").click();
    await page.getByRole("alert").filter({ hasText: "Check your internet connection" }).waitFor();
  });
});
