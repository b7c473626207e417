/** Templates on the integrations page: written, refused, deleted, fetched, and those whose fate is not known. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { TEMPLATES } from "../support/page-samples.ts";
import { button, heading, usePageStub } from "../support/page-views.ts";

const { stub, open } = await usePageStub();

const ROOT = `document.querySelector("whatsapp-page").shadowRoot`;

const UNCONFIRMED = TEMPLATES.templates.find(
  ({ status }) => status === "UNCONFIRMED",
) as (typeof TEMPLATES.templates)[number];

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
