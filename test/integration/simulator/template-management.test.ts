/** Templates that the host creates, edits and deletes: refused at once, reviewed later, told by webhooks. */
import type { Simulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { call, NUMBER, payloads, post, startHost, startSimulator } from "./simulated.ts";

const PATH = `${NUMBER.wabaId}/message_templates`;
const BODY = {
  type: "BODY",
  text: "Hi {{1}}, your cake {{2}} is ready to be collected.",
  example: { body_text: [["Ada", "A-17"]] },
};
const READY = { name: "cake_ready", language: "en_GB", category: "UTILITY", components: [BODY] };

type Wrong = { readonly error?: { readonly code: number; readonly error_subcode?: number } };

function create(meta: Simulator, more: object = {}) {
  return post(meta, PATH, { ...READY, ...more });
}

async function subcodeOf(meta: Simulator, ...components: readonly object[]): Promise<number | undefined> {
  const { body, status } = await create(meta, { name: "wrong", components });
  expect({ status, code: (body as Wrong).error?.code }).toEqual({ status: 400, code: 100 });
  return (body as Wrong).error?.error_subcode;
}

function updatesOf(host: Awaited<ReturnType<typeof startHost>>, field: string): readonly unknown[] {
  return payloads(host)
    .flatMap(({ entry }) => entry.flatMap(({ changes }) => changes as readonly { field?: string; value: unknown }[]))
    .flatMap((change) => (change.field === field ? [change.value] : []));
}

describe("a template that is created", () => {
  it("waits for its review, is approved, and both are told", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    const { body } = await create(meta);
    expect(body).toMatchObject({ id: expect.stringMatching(/^\d+$/), status: "PENDING", category: "UTILITY" });
    await meta.idle();

    expect(updatesOf(host, "message_template_status_update")).toEqual([
      expect.objectContaining({
        event: "APPROVED",
        message_template_id: Number((body as { id?: string }).id),
        message_template_name: "cake_ready",
        message_template_language: "en_GB",
        reason: "NONE",
      }),
    ]);
    const listed = await call(meta, `${PATH}?name=cake_ready&fields=status,quality_score`);
    expect(listed.body.data).toMatchObject([{ status: "APPROVED", quality_score: { score: "UNKNOWN" } }]);
  });

  it("is rejected with Meta's reason when its variables touch", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    await create(meta, { components: [{ ...BODY, text: "Hi {{1}} {{2}}, your lemon cake is ready for you now." }] });
    await meta.idle();

    expect(updatesOf(host, "message_template_status_update")).toMatchObject([
      { event: "REJECTED", reason: "INVALID_FORMAT", rejection_info: { recommendation: expect.any(String) } },
    ]);
    expect(meta.templates.list().at(-1)).toMatchObject({ status: "REJECTED", rejectedReason: "INVALID_FORMAT" });
  });

  it("is decided by the test where it wishes", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, templateReviewMs: null });

    await create(meta);
    await meta.idle();
    expect(meta.templates.list().at(-1)?.status).toBe("PENDING");
    meta.templates.change({ name: "cake_ready" }, { status: "REJECTED", rejectedReason: "SCAM" });
    meta.templates.change({ name: "hello_again" }, { status: "PAUSED", qualityScore: "RED" });
    meta.templates.change({ name: "order_shipped" }, { category: "MARKETING" });
    await meta.idle();

    expect(updatesOf(host, "message_template_status_update")).toMatchObject([
      { event: "REJECTED", reason: "SCAM" },
      { event: "PAUSED", other_info: { title: "FIRST_PAUSE" } },
    ]);
    expect(updatesOf(host, "message_template_quality_update")).toMatchObject([
      { previous_quality_score: "GREEN", new_quality_score: "RED" },
    ]);
    expect(updatesOf(host, "template_category_update")).toMatchObject([
      { previous_category: "UTILITY", new_category: "MARKETING" },
    ]);
  });

  it("has variables by name or by number, and no other format", async () => {
    const meta = await startSimulator();

    expect((await create(meta, { parameter_format: "BOTH" })).body.error?.code).toBe(100);
    expect((await create(meta, { parameter_format: "positional" })).status).toBe(200);
  });

  it("is filed as marketing when it sells something", async () => {
    const meta = await startSimulator();
    const text = "Hi {{1}}, your {{2}} discount on every cake of ours ends today.";

    const { body } = await create(meta, { components: [{ ...BODY, text }] });

    expect(body).toMatchObject({ category: "MARKETING" });
  });

  it("is refused by Meta's subcodes", async () => {
    const meta = await startSimulator();
    const button = { type: "QUICK_REPLY", text: "Yes" };

    expect(await subcodeOf(meta, { ...BODY, example: undefined })).toBe(2388043);
    expect(await subcodeOf(meta, { type: "HEADER", format: "IMAGE" }, BODY)).toBe(2388043);
    expect(await subcodeOf(meta, { type: "FOOTER", text: "only a footer" })).toBe(2388043);
    expect(await subcodeOf(meta, { ...BODY, text: "x".repeat(1025) })).toBe(2388040);
    expect(await subcodeOf(meta, { type: "HEADER", format: "TEXT", text: "x".repeat(61) }, BODY)).toBe(2388040);
    expect(await subcodeOf(meta, BODY, { type: "BUTTONS", buttons: [{ ...button, text: "x".repeat(26) }] })).toBe(
      2388040,
    );
    expect(await subcodeOf(meta, { type: "HEADER", format: "TEXT", text: "{{1}} {{2}}" }, BODY)).toBe(2388047);
    expect(await subcodeOf(meta, { ...BODY, text: "Hi {{1}}, your cake {{3}} is ready to be collected." })).toBe(
      2388072,
    );
    expect(await subcodeOf(meta, BODY, { type: "FOOTER", text: "Bye {{1}}" })).toBe(2388073);
    expect(await subcodeOf(meta, { ...BODY, text: "{{1}}, your cake {{2}} is ready to be collected." })).toBe(2388299);
    expect(await subcodeOf(meta, { ...BODY, text: "Hi {{1}} and {{2}}." })).toBe(2388293);
    const mixed = [button, { type: "URL", text: "See", url: "https://bakery.example" }, button];
    expect(await subcodeOf(meta, BODY, { type: "BUTTONS", buttons: mixed })).toBeUndefined();
    expect((await create(meta, { name: "Cake-Ready" })).body.error?.code).toBe(100);
    expect((await create(meta, { name: "hello_again" })).body.error?.error_subcode).toBe(2388024);
  });

  it.each([
    ["UTILITY", -1, 200],
    ["UTILITY", 43_201, 400],
    ["MARKETING", 43_200, 200],
    ["MARKETING", 30, 400],
    // Thirty days, which marketing says in seconds.
    ["MARKETING", -1, 400],
  ])("of %s may live for %i seconds: %i", async (category, seconds, status) => {
    const meta = await startSimulator();

    const answer = await create(meta, { category, message_send_ttl_seconds: seconds });

    expect(answer.status).toBe(status);
  });

  it("is one of a hundred in an hour, and of 250 in an account that is not verified", async () => {
    const meta = await startSimulator({
      accounts: [{ wabaId: NUMBER.wabaId, verificationStatus: "not_verified" }],
      templates: Array.from({ length: 151 }, (_, index) => ({
        name: `t_${index}`,
        language: "en_GB",
        components: [BODY],
      })),
      templateReviewMs: null,
    });

    const answers = [];
    for (let index = 0; index < 101; index += 1) answers.push((await create(meta, { name: `n_${index}` })).body.error);

    expect(answers.slice(0, 99).every((error) => error === undefined)).toBe(true);
    expect(answers[99]).toMatchObject({ code: 100, error_subcode: 2388019 });
    meta.templates.remove({ name: "t_0" });
    expect((await create(meta, { name: "last" })).status).toBe(200);
    expect((await create(meta, { name: "one_too_many" })).body.error?.code).toBe(80008);
  });
});

describe("a template that is edited", () => {
  it("goes back to review, once a day when it is approved, and never changes its name", async () => {
    let now = new Date("2026-11-01T10:00:00Z");
    const meta = await startSimulator({ now: () => now, templateReviewMs: 1_500 });
    const { id } = (await create(meta)).body as { id?: string };
    expect((await post(meta, `${id}`, { components: [BODY] })).body.error?.code).toBe(100);
    await meta.idle();

    expect((await post(meta, `${id}`, { name: "other" })).status).toBe(400);
    expect((await post(meta, `${id}`, { category: "MARKETING" })).status).toBe(400);
    expect((await post(meta, `${id}`, { components: [{ type: "BODY", text: "It is ready." }] })).status).toBe(200);
    expect(meta.templates.list().at(-1)?.status).toBe("PENDING");
    await meta.idle();
    expect(meta.templates.list().at(-1)).toMatchObject({ status: "APPROVED", components: [{ text: "It is ready." }] });

    expect((await post(meta, `${id}`, { components: [BODY] })).status).toBe(400);
    now = new Date("2026-11-02T10:00:01Z");
    expect((await post(meta, `${id}`, { components: [BODY] })).status).toBe(200);
  });

  it("is refused when nothing is changed, or a category that there is not, and may be edited that day all the same", async () => {
    const meta = await startSimulator();
    const { id } = (await create(meta)).body as { id?: string };
    await meta.idle();

    expect((await post(meta, `${id}`, {})).body.error?.code).toBe(100);
    expect((await post(meta, `${id}`, { category: "FOO" })).body.error?.code).toBe(100);
    expect(meta.templates.list().at(-1)?.status).toBe("APPROVED");
    expect((await post(meta, `${id}`, { components: [BODY] })).status).toBe(200);
  });

  it("is sent again once it is no longer paused", async () => {
    const meta = await startSimulator();
    meta.templates.change({ name: "hello_again" }, { status: "PAUSED" });
    const [{ id } = {}] = (await call(meta, `${PATH}?name=hello_again`)).body.data as readonly { id?: string }[];

    expect((await post(meta, `${id}/unpause`, {})).body).toEqual({ success: true });
    expect((await call(meta, `${id}?fields=status`)).body).toEqual({ id, status: "APPROVED" });
  });
});

describe("a template that is deleted", () => {
  it("is gone in all languages, or in the one that is named, and its name is kept for thirty days", async () => {
    let now = new Date("2026-11-01T10:00:00Z");
    const meta = await startSimulator({ now: () => now });
    meta.templates.add({ name: "hello_again", language: "de", components: [BODY] });
    const remove = (query: string) => call(meta, `${PATH}?${query}`, { method: "DELETE" });
    const found = (await call(meta, `${PATH}?name=hello_again&language=de`)).body.data as readonly { id?: string }[];

    expect((await remove(`name=hello_again&hsm_id=${found[0]?.id}`)).body).toEqual({ success: true });
    expect(meta.templates.list().filter(({ name }) => name === "hello_again")).toHaveLength(1);
    expect((await remove("name=hello_again")).body).toEqual({ success: true });
    expect((await remove("name=hello_again")).body.error?.error_subcode).toBe(2593002);
    expect((await create(meta, { name: "hello_again" })).body.error?.error_subcode).toBe(2388023);
    now = new Date("2026-12-02T10:00:00Z");
    expect((await create(meta, { name: "hello_again" })).status).toBe(200);
  });
});

describe("a number that Meta rates anew", () => {
  it("is told by its quality and by a webhook", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    meta.changeQuality(NUMBER.phoneNumberId, "RED");
    await meta.idle();

    expect(updatesOf(host, "phone_number_quality_update")).toMatchObject([
      { display_phone_number: "15557770100", event: "FLAGGED" },
    ]);
    expect((await call(meta, `${NUMBER.phoneNumberId}?fields=quality_rating`)).body).toMatchObject({
      quality_rating: "RED",
    });
  });
});
