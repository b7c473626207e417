/** Templates on the integrations page: written, refused, deleted, fetched, and those whose fate is not known. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import type { WatchedPage } from "../support/browser.ts";
import { TEMPLATES } from "../support/page-samples.ts";
import { button, focused, heading, held, newsOf, refusal, usePageStub } from "../support/page-views.ts";

const { stub, open, openAt } = await usePageStub();

const ROOT = `document.querySelector("whatsapp-page").shadowRoot`;

const UNCONFIRMED = TEMPLATES.templates.find(
  ({ status }) => status === "UNCONFIRMED",
) as (typeof TEMPLATES.templates)[number];

describe("templates", () => {
  it("are left one by one for the list as it was narrowed", async () => {
    const page = await open("#/templates?status=APPROVED");
    await page.getByRole("link", { name: "order_ready" }).click();
    await page.getByRole("link", { name: "All templates" }).click();

    await page.getByRole("heading", { name: "Templates", level: 1 }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/templates?status=APPROVED");
  });

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
    const request = page.waitForRequest((one) => one.method() === "DELETE");
    await dialog.getByRole("button", { name: "Delete" }).click();
    // So that it cannot be another site's form.
    expect((await request).headers()["content-type"]).toBe("application/json");
    await page.getByText("spring_buns is deleted.").first().waitFor();
    await button(page, "Fetch from Meta").click();
    await page.getByText("Fetched from Meta: 2 added, 1 changed.").first().waitFor();
    expect(stub.asked.map(({ route }) => route)).toEqual(["DELETE /templates/2", "POST /templates/sync"]);
    expect(page.faults).toEqual([]);
  });
});

describe("a list of templates", () => {
  it("shows each with its status, its reason and as WhatsApp shows it", async () => {
    const page = await open("#/templates");
    const tile = page.getByRole("listitem").filter({ hasText: "spring_buns" });
    await tile.waitFor();

    for (const words of ["Rejected", "The category does not fit the text", "Hot cross buns are back.", "Keep me four"])
      expect([words, await tile.getByText(words).count()]).toEqual([words, 1]);
    expect(await tile.locator(".variable").textContent()).toBe("Sunday");
  });

  it("shows a one-time code whose words Meta has not told yet in Meta's words", async () => {
    const components = [
      { type: "BODY", add_security_recommendation: true },
      { type: "FOOTER", code_expiration_minutes: 5 },
      { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE" }] },
    ];
    stub.answer("GET /templates", { ...TEMPLATES, templates: [{ ...TEMPLATES.templates[4], components }] });
    const page = await open("#/templates");
    const tile = page.getByRole("listitem").filter({ hasText: "sign_in_code" });
    for (const words of [
      /is your verification code\. For your security/,
      "This code expires in 5 minutes.",
      "Copy code",
    ])
      await tile.getByText(words, { exact: true }).waitFor();
  });

  it("of several accounts says whose each one is: in the list, by itself, and before it is deleted", async () => {
    const [first, second] = TEMPLATES.templates;
    const templates = [first, { ...second, wabaId: "9" }];
    const accounts = [...TEMPLATES.accounts, { wabaId: "9", name: "Quill Café", syncedAt: null }];
    stub.answer("GET /templates", { templates, accounts, next: null });
    stub.answer("GET /templates/2", { ...second, wabaId: "9" });
    const page = await open("#/templates");
    const tile = (name: string) => page.getByRole("listitem").filter({ hasText: name });
    await tile("order_ready").getByText("Quill Bakery", { exact: true }).waitFor();
    await tile("spring_buns").getByText("Quill Café", { exact: true }).waitFor();
    await tile("spring_buns").getByRole("link").click();
    await page.getByRole("definition").filter({ hasText: "Quill Café 9" }).waitFor();
    await button(page, "Delete").click();
    await page.getByRole("dialog", { name: "Delete spring_buns (en_GB) of Quill Café?" }).waitFor();
    expect(await faultsOf(page)).toEqual([]);

    // Of the same name, by their ids.
    stub.answer("GET /templates", {
      templates,
      accounts: accounts.map((one) => ({ ...one, name: "Quill" })),
      next: null,
    });
    await page.goto("about:blank");
    await page.goto(`${stub.url}#/templates`);
    await tile("spring_buns").getByText("Quill (9)", { exact: true }).waitFor();
  });

  it("is fetched once at a time, shows that it goes on, what it has brought, and why it failed", async () => {
    const { route, release } = held({ accounts: [{ wabaId: "1", added: 0, changed: 1, removed: 0, unchanged: 4 }] });
    stub.answer("POST /templates/sync", route);
    const page = await open("#/templates");
    await page.getByText("spring_buns").waitFor();
    stub.answer("GET /templates", { ...TEMPLATES, templates: [{ ...TEMPLATES.templates[0], name: "order_late" }] });
    const fetchIt = button(page, "Fetch from Meta");
    await fetchIt.click();
    await page.getByRole("status").filter({ hasText: "Fetching every template" }).waitFor();
    await fetchIt.press("Enter");
    release();
    await page.getByText("Fetched from Meta: 1 changed.").first().waitFor();
    await page.getByRole("link", { name: "order_late" }).waitFor();
    expect(stub.asked.length).toBe(1);

    stub.answer("POST /templates/sync", refusal(503, "GRAPH_UNAVAILABLE", "Meta does not answer."));
    await fetchIt.click();
    await page.getByRole("alert").filter({ hasText: "Meta does not answer." }).waitFor();
  });
});

describe("one template", () => {
  it("is shown as WhatsApp shows it, and says that it is being deleted and why it was not", async () => {
    const { route, release } = held({ error: { code: "GRAPH_UNAVAILABLE", message: "Meta does not answer." } }, 503);
    stub.answer("DELETE /templates/2", route);
    const page = await open("#/templates/2");
    await page.getByRole("region", { name: "As WhatsApp shows it" }).getByText("Hot cross buns are back.").waitFor();
    const remove = button(page, "Delete");
    await remove.press("Enter");
    // Whoever presses Enter twice has deleted nothing.
    await expect.poll(() => focused(page)).toBe("Keep it");
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("Delete");
    await remove.press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByRole("status").filter({ hasText: "Telling Meta…" }).waitFor();
    release();
    await page.getByRole("alert").filter({ hasText: "Meta does not answer." }).waitFor();
    expect(await focused(page)).toBe("Delete");
  });

  it("that cannot be edited says why, at its address too, until Meta has decided", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/templates/3/edit`);
    await page.getByText("It cannot be edited now").waitFor();
    await page.getByText("Meta is reviewing it").waitFor();
    await page.getByRole("link", { name: "Back" }).click();
    await page.getByText("It cannot be edited now. Meta is reviewing it").waitFor();
    expect(await page.getByRole("link", { name: "Edit" }).count()).toBe(0);

    await page.getByText("Live", { exact: true }).waitFor();
    stub.answer("GET /templates/3", { ...TEMPLATES.templates[2], status: "APPROVED", editable: true });
    stub.answer("GET /changes", newsOf("templates"));
    await page.clock.runFor(4_100);
    await page.getByRole("link", { name: "Edit" }).waitFor();
  });

  it("that is gone is said to be, and without an account there is none to write for", async () => {
    const page = await open("#/templates/99");
    await page.getByRole("heading", { name: "It is not there" }).waitFor();
    await page.getByRole("link", { name: "All templates" }).waitFor();
    expect(await button(page, "Try again").count()).toBe(0);
    stub.answer("GET /templates", { templates: [], accounts: [], next: null });
    await page.goto("about:blank");
    await page.goto(`${stub.url}#/templates/new`);
    await page.getByRole("heading", { name: "Connect a number first" }).waitFor();
  });
});

describe("writing a template", () => {
  const buttons = (page: WatchedPage) => page.locator(".keybox legend").allTextContents();

  it("inserts variables, keeps quick replies side by side, and lets nobody fall off what is removed", async () => {
    const page = await open("#/templates/new");
    const text = page.getByLabel("Text", { exact: true });
    await text.fill("Hi , how are you?");
    await page.evaluate(`${ROOT}.getElementById("body").setSelectionRange(3, 3)`);
    await button(page, "Insert a variable").click();
    expect(await text.inputValue()).toBe("Hi {{1}}, how are you?");
    await page.keyboard.type("name");
    expect(await text.inputValue()).toBe("Hi {{name}}, how are you?");

    for (const kind of ["Link", "Quick reply", "Call", "Quick reply"])
      await button(page, `Add a button: ${kind}`).click();
    expect(await buttons(page)).toEqual(["1. Quick reply", "2. Quick reply", "3. Link", "4. Call"]);
    expect(await page.locator(".bubble .keys").textContent()).toContain("See all options");
    for (const left of [3, 2, 1, 0]) {
      await button(page, `Remove button ${left + 1}`).press("Enter");
      await expect.poll(() => buttons(page)).toHaveLength(left);
      expect(await focused(page)).toMatch(/^Add a button/);
    }
    for (let added = 0; added < 11; added += 1) await button(page, "Add a button: Link").press("Enter");
    expect(await buttons(page)).toHaveLength(10);
  });

  it("takes a sample, says why it is refused, and forgets it with another kind of header", async () => {
    const page = await open("#/templates/new");
    await page.getByLabel("Name", { exact: true }).fill("new_cake");
    await page.getByLabel("Text", { exact: true }).fill("Look at our cake.");
    const header = page.getByLabel("Header", { exact: true });
    await header.selectOption({ label: "Picture" });
    const choose = () =>
      page
        .getByLabel("Sample file")
        .setInputFiles({ name: "cake.png", mimeType: "image/png", buffer: Buffer.from("x") });
    stub.answer("POST /media/upload", refusal(400, "MEDIA_REFUSED", "It is no picture."));
    await choose();
    await page.getByText("It is no picture.").waitFor();
    const { route, release } = held({ id: "sample" });
    stub.answer("POST /media/upload", route);
    await choose();
    await page.getByText("Taking cake.png…").waitFor();
    // What is not there yet is not sent.
    await button(page, "Send to review").click();
    release();
    await page.getByText("cake.png is taken.").waitFor();

    await header.selectOption({ label: "Document" });
    await page.getByText("Only Meta's reviewers see it").waitFor();
    await button(page, "Send to review").click();
    await page.getByText("Choose a sample file for Meta's reviewers.").waitFor();
    await header.selectOption({ label: "None" });
    const sending = held({ ...TEMPLATES.templates[2], id: "9", name: "new_cake" }, 201);
    stub.answer("POST /templates", sending.route);
    await button(page, "Send to review").click();
    await page.getByRole("status").filter({ hasText: "Sending it to Meta…" }).waitFor();
    await page.getByLabel("Name", { exact: true }).press("Enter");
    sending.release();
    await heading(page, "new_cake").waitFor();
    const sent = stub.asked.filter(({ route: path }) => path === "POST /templates");
    expect(sent).toMatchObject([{ sent: { components: [{ type: "BODY" }] } }]);
    expect(sent[0]?.sent).not.toHaveProperty("headerMediaId");
  });

  it("keeps the category of an approved one, and what is being written while something is new", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/templates/1/edit`);
    const footer = page.getByLabel("Footer", { exact: true });
    await footer.fill("Round the corner");
    await page.getByText("Of an approved template it cannot be changed.").waitFor();
    for (const kind of await page.getByRole("radio").all()) expect(await kind.isDisabled()).toBe(true);
    expect(await page.getByRole("radio").count()).toBe(2);
    await page.getByText("Live", { exact: true }).waitFor();
    stub.looked.length = 0;
    stub.answer("GET /changes", newsOf("templates"));
    await page.clock.runFor(4_100);
    await expect.poll(() => stub.looked).toContain("/templates/1");
    await page.clock.runFor(4_100);
    await expect.poll(() => stub.looked.filter((path) => path === "/templates/1").length).toBe(2);
    expect(await footer.inputValue()).toBe("Round the corner");
  });
});

describe("a half-written template", () => {
  const field = (page: WatchedPage, name: string) => page.getByLabel(name, { exact: true });
  const link = (page: WatchedPage, name: string) => page.getByRole("link", { name, exact: true });

  it("is there again when one comes back to it, until it is sent", async () => {
    stub.answer("POST /media/upload", { id: "sample" });
    const page = await open("#/templates/new");
    await field(page, "Name").fill("new_cake");
    await field(page, "Header").selectOption({ label: "Picture" });
    await field(page, "Sample file").setInputFiles({
      name: "cake.png",
      mimeType: "image/png",
      buffer: Buffer.from("x"),
    });
    await page.getByText("cake.png is taken.").waitFor();
    await field(page, "Text").fill("Look at our cake.");
    await link(page, "Messages").click();
    await heading(page, "Messages").waitFor();
    await page.goBack();
    await heading(page, "New template").waitFor();
    expect(await field(page, "Text").inputValue()).toBe("Look at our cake.");

    await link(page, "Templates").click();
    await link(page, "New template").click();
    await heading(page, "New template").waitFor();
    expect([await field(page, "Name").inputValue(), await field(page, "Text").inputValue()]).toEqual([
      "new_cake",
      "Look at our cake.",
    ]);
    await page.getByText("A file is taken already.").waitFor();
    stub.answer("POST /templates", { status: 201, body: { ...TEMPLATES.templates[2], id: "9", name: "new_cake" } });
    await button(page, "Send to review").click();
    await heading(page, "new_cake").waitFor();
    expect(stub.asked.at(-1)?.sent).toMatchObject({ name: "new_cake", headerMediaId: "sample" });

    await page.goto(`${stub.url}#/templates/new`);
    await heading(page, "New template").waitFor();
    expect([await field(page, "Name").inputValue(), await field(page, "Text").inputValue()]).toEqual(["", ""]);
  });

  it("is there again by its own name, until one cancels", async () => {
    const page = await open("#/templates/1/edit");
    const before = await field(page, "Footer").inputValue();
    const header = await field(page, "Header").inputValue();
    await field(page, "Footer").fill("Round the corner");
    await page.goto(`${stub.url}#/templates/new`);
    await heading(page, "New template").waitFor();
    expect(await field(page, "Footer").inputValue()).toBe("");
    await field(page, "Footer").fill("Of a new one");
    for (const label of ["Text", "Place"]) await field(page, "Header").selectOption({ label });
    await page.goto(`${stub.url}#/templates/1/edit`);
    await heading(page, "Edit order_ready").waitFor();
    expect(await field(page, "Footer").inputValue()).toBe("Round the corner");
    expect(await field(page, "Header").inputValue()).toBe(header);

    await link(page, "Cancel").click();
    await link(page, "Edit").click();
    await heading(page, "Edit order_ready").waitFor();
    expect(await field(page, "Footer").inputValue()).toBe(before);
    await page.goto(`${stub.url}#/templates/new`);
    await heading(page, "New template").waitFor();
    expect(await field(page, "Footer").inputValue()).toBe("Of a new one");

    // A file that is taken afterwards brings back nothing.
    const { route, release } = held({ id: "sample" });
    stub.answer("POST /media/upload", route);
    await field(page, "Header").selectOption({ label: "Picture" });
    await field(page, "Sample file").setInputFiles({
      name: "cake.png",
      mimeType: "image/png",
      buffer: Buffer.from("x"),
    });
    await link(page, "Cancel").click();
    await heading(page, "Templates").waitFor();
    const taken = page.waitForResponse(/\/media\/upload$/);
    release();
    await (await taken).finished();
    await link(page, "New template").click();
    await heading(page, "New template").waitFor();
    expect(await field(page, "Footer").inputValue()).toBe("");
  });
});

describe("an answer of Meta's that comes late", () => {
  const field = (page: WatchedPage, name: string) => page.getByLabel(name, { exact: true });
  const go = (page: WatchedPage, place: string) => page.goto(`${stub.url}#/${place}`);
  /** Lets it go, and waits until the page has read it and drawn what it makes of it. */
  async function arrives(page: WatchedPage, release: () => void, address: RegExp) {
    const answer = page.waitForResponse(
      (response) => response.request().method() !== "GET" && address.test(response.url()),
    );
    release();
    await (await answer).finished();
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
  }

  it("marks what is refused, and leaves whoever writes on where they are", async () => {
    const problems = [{ path: "name", problem: "is taken", limit: null, fix: "Choose another one." }];
    const refused = held({ error: { code: "TEMPLATE_DRAFT_INVALID", message: "All of it.", problems } }, 400);
    stub.answer("POST /templates", refused.route);
    const page = await open("#/templates/new");
    await field(page, "Name").fill("new_cake");
    await field(page, "Text").fill("Look at our cake.");
    await button(page, "Send to review").click();
    await page.getByText("Sending it to Meta…").waitFor();
    await field(page, "Footer").focus();
    await page.keyboard.type("Round ");
    await arrives(page, refused.release, /\/templates$/);
    await page.getByText("Is taken. Choose another one.").waitFor();
    await page.keyboard.type("the corner");

    expect(await field(page, "Footer").inputValue()).toBe("Round the corner");
    expect(await field(page, "Name").inputValue()).toBe("new_cake");
  });

  it("belongs to the form that was sent, which is sent once, wherever one has gone meanwhile", async () => {
    const problems = [{ path: "name", problem: "is taken", limit: null, fix: "Choose another one." }];
    const refused = held({ error: { code: "TEMPLATE_DRAFT_INVALID", message: "All of it.", problems } }, 400);
    stub.answer("POST /templates", refused.route);
    const page = await open("#/templates/new");
    await field(page, "Name").fill("new_cake");
    await field(page, "Text").fill("Look at our cake.");
    await button(page, "Send to review").click();
    await go(page, "messages");
    await heading(page, "Messages").waitFor();
    await go(page, "templates/new");
    await page.getByText("Sending it to Meta…").waitFor();
    await button(page, "Send to review").press("Enter");
    await go(page, "templates/1/edit");
    await heading(page, "Edit order_ready").waitFor();
    await field(page, "Footer").fill("Round the corner");
    await arrives(page, refused.release, /\/templates$/);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(await page.locator(".wrong").count()).toBe(0);
    expect(await field(page, "Footer").inputValue()).toBe("Round the corner");

    await go(page, "templates/new");
    await page.getByText("Is taken. Choose another one.").waitFor();
    expect(await field(page, "Text").inputValue()).toBe("Look at our cake.");
    expect(stub.asked.length).toBe(1);
    const taken = { ...TEMPLATES.templates[2], id: "9", name: "our_cake" };
    const sent = held(taken, 201);
    stub.answer("POST /templates", sent.route);
    stub.answer("GET /templates/9", taken);
    await field(page, "Name").fill("our_cake");
    await button(page, "Send to review").click();
    await go(page, "templates/1/edit");
    await heading(page, "Edit order_ready").waitFor();
    await arrives(page, sent.release, /\/templates$/);
    expect(page.url()).toBe(`${stub.url}#/templates/1/edit`);
    expect(await field(page, "Footer").inputValue()).toBe("Round the corner");
    await go(page, "templates/new");
    expect(await field(page, "Name").inputValue()).toBe("");
    await go(page, "templates/9");
    await page.getByText("Meta has it: in review.").first().waitFor();
  });

  it("to a file that another one has replaced changes nothing", async () => {
    const [first, second] = [held({ id: "first" }), held({ id: "second" })];
    const page = await open("#/templates/new");
    await field(page, "Name").fill("new_cake");
    await field(page, "Text").fill("Look at our cake.");
    await field(page, "Header").selectOption({ label: "Picture" });
    for (const [index, { route }] of [first, second].entries()) {
      stub.answer("POST /media/upload", route);
      await field(page, "Sample file").setInputFiles({
        name: `${index}.png`,
        mimeType: "image/png",
        buffer: Buffer.from("x"),
      });
      await page.getByText(`Taking ${index}.png…`).waitFor();
      await expect.poll(() => stub.asked.length).toBe(index + 1);
    }
    await arrives(page, second.release, /\/media\/upload$/);
    await page.getByText("1.png is taken.").waitFor();
    await arrives(page, first.release, /\/media\/upload$/);
    expect(await page.getByText("1.png is taken.").count()).toBe(1);
    stub.answer("POST /templates", { status: 201, body: { ...TEMPLATES.templates[2], id: "9", name: "new_cake" } });
    await button(page, "Send to review").click();
    await heading(page, "new_cake").waitFor();
    expect(stub.asked.at(-1)?.sent).toMatchObject({ headerMediaId: "second" });
  });

  it("to a deletion calls nobody back, and is told where one would look for it", async () => {
    const { route, release } = held({}, 204);
    stub.answer("DELETE /templates/2", route);
    const page = await open("#/templates/2");
    await button(page, "Delete").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await go(page, "templates/1");
    await heading(page, "order_ready").waitFor();
    expect(await page.getByText("Telling Meta…").count()).toBe(0);
    await arrives(page, release, /\/templates\/2$/);
    expect(page.url()).toBe(`${stub.url}#/templates/1`);
    expect(await page.getByRole("main").locator(".told").getByText("is deleted").count()).toBe(0);
    await page.getByRole("link", { name: "All templates" }).click();
    await page.getByText("spring_buns is deleted.").first().waitFor();
  });

  it("takes no form away, although something else is read of the template until then", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/templates/1/edit`);
    const footer = page.getByLabel("Footer", { exact: true });
    await footer.fill("Round the corner");
    await page.getByText("Live", { exact: true }).waitFor();
    const { route, release } = held({ error: { code: "GRAPH_REJECTED", message: "Once a day is enough." } }, 422);
    stub.answer("PATCH /templates/1", route);
    await button(page, "Send the change to review").click();
    stub.answer("GET /templates/1", {
      ...TEMPLATES.templates[0],
      status: "UNCONFIRMED",
      editable: false,
      why: "Not yet.",
    });
    stub.answer("GET /changes", newsOf("templates"));
    stub.looked.length = 0;
    await page.clock.runFor(4_100);
    await expect.poll(() => stub.looked.some((path) => path.startsWith("/templates?"))).toBe(true);
    await page.clock.runFor(100);
    await page.getByText("Sending it to Meta…").waitFor();
    stub.answer("GET /changes", newsOf());
    release();
    await page.getByRole("alert").filter({ hasText: "Once a day is enough." }).waitFor();
    expect(await footer.inputValue()).toBe("Round the corner");
  });

  it("is no longer told once Meta has decided otherwise", async () => {
    const page = await openAt("about:blank");
    await page.clock.install();
    await page.goto(`${stub.url}#/templates/1/edit`);
    stub.answer("PATCH /templates/1", { ...TEMPLATES.templates[0], status: "PENDING", editable: false });
    await button(page, "Send the change to review").click();
    const told = page.locator(".told").getByText("Meta has it: in review.");
    await told.waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    stub.answer("GET /changes", newsOf("templates"));
    await page.clock.runFor(4_100);
    await page.getByText("Approved", { exact: true }).waitFor();
    expect(await told.count()).toBe(0);
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
