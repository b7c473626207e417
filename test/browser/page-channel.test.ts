/** The integrations page before the whole channel: real routes, a real Postgres, and Meta's simulator. */
import { beforeAll, describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { startChannel, TENANT, type TestChannel } from "../support/channel.ts";
import { APP_ID } from "../support/connecting.ts";
import { button, DESK, heading, usePages } from "../support/page-views.ts";

const openAt = usePages();

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

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
