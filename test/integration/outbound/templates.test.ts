/** Templates over the whole channel: known from Meta, checked and mended before anything is stored, sent out of the window. */
import type { SendReceipt, SendRequest, TemplateChoice } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createTemplates } from "../../../adapters/postgres/templates.ts";
import type { SendingAccount } from "../../../plugin/ports.ts";
import { ACCESS_TOKEN, allQuiet, NUMBER, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import {
  attemptsOf,
  type Contact,
  closeWindow,
  countOf,
  inState,
  keepBack,
  meet,
  NOTHING,
  receiptWhen,
  settled,
  startSilent,
  texts,
  threeParts,
} from "./outbound.ts";

const POSTS = "POST /301777000333444/messages";
const LISTS = "GET /201555000111222/message_templates";
const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const HELLO = { name: "hello_again", language: "en_GB" };
const HELLO_TEXT = "Hello again! Write to us any time: we are here until six.";
const SHIPPED = {
  name: "order_shipped",
  language: "en_GB",
  params: {
    header: { text: ["A-17"] },
    body: ["Ada", "A-17"],
    buttons: [{ index: 0, kind: "url", suffix: "A-17" }],
  },
} as const satisfies TemplateChoice;

/** As if the account's templates had been read that long ago. */
async function age(channel: TestChannel, interval: string): Promise<void> {
  await channel.rows("update whatsapp_connections set templates_synced_at = now() - ?::interval", [interval]);
}

/** Meta tells of it by a webhook: of the template that is known, if of no other. */
async function announce(
  channel: TestChannel,
  event: string,
  { name, language }: TemplateChoice,
  { id, at, field = "status_update", ...more }: { id?: number; at?: number; field?: string } & object = {},
): Promise<void> {
  const { templateId } = await known(channel, name);
  const value = {
    event,
    message_template_id: id ?? Number(templateId),
    message_template_name: name,
    message_template_language: language,
    reason: "NONE",
    ...more,
  };
  const time = at === undefined ? {} : { time: at };
  channel.meta.deliver({
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, ...time, changes: [{ field: `message_template_${field}`, value }] }],
  });
  await allQuiet(channel);
}

/** By Meta's clock. */
const seconds = () => Math.floor(Date.now() / 1000);

async function known(channel: TestChannel, name: string) {
  const [row] = await channel.rows<{ templateId: string | null; status: string }>(
    'select template_id as "templateId", status from whatsapp_templates where name = ?',
    [name],
  );
  return row as NonNullable<typeof row>;
}

function send(channel: TestChannel, { conversationId }: Contact, what: Omit<SendRequest, "conversationId">) {
  return channel.plugin.send({ conversationId, ...what });
}

describe("a template", () => {
  it("is sent while the window is closed, and shown in the host's inbox with its values", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);

    const receipt = await send(channel, ada, { template: SHIPPED });
    await inState(channel, receipt, "read");

    expect(receipt).toMatchObject({ parts: [{ kind: "template" }], degraded: [] });
    expect(texts(channel)).toEqual(["Hi Ada, your order A-17 is on its way."]);
    expect(await channel.rows("select content, status from messages where role = 'assistant'")).toEqual([
      { content: "[Template order_shipped] Ada, A-17", status: "read" },
    ]);
    expect(channel.meta.accepted[0]!.endpoint).toBe("messages");
  });

  it("has its values mended, and the receipt says how", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    const receipt = await send(channel, ada, {
      template: { ...SHIPPED, params: { ...SHIPPED.params, body: ["Ada\n\tLovelace", "  "] } },
    });
    await inState(channel, receipt, "read");

    expect(texts(channel)).toEqual(["Hi Ada Lovelace, your order – is on its way."]);
    expect(receipt.degraded).toEqual([
      { part: 0, what: "template.params.body[0]", from: "text with line breaks or wide gaps", to: "one line" },
      { part: 0, what: "template.params.body[1]", from: "empty value", to: "dash" },
    ]);
  });

  it("is the same by the name of `message`, and in an answer", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const names = SHIPPED.params.body.map((value) => ` ${value}\n`);
    const template = { ...SHIPPED, params: { ...SHIPPED.params, body: names } };

    const asMessage = await send(channel, ada, { message: { ...template, kind: "template" } });
    const inAnswer = await send(channel, ada, { response: { template } });
    await inState(channel, asMessage, "read");
    await inState(channel, inAnswer, "read");

    expect(new Set(texts(channel)).size).toBe(1);
    expect(asMessage.degraded.map(({ what }) => what)).toEqual(["message.params.body[0]", "message.params.body[1]"]);
    expect(inAnswer.degraded.map(({ what }) => what)).toEqual([
      "response.template.params.body[0]",
      "response.template.params.body[1]",
    ]);
  });
});

describe("a template that cannot be sent", () => {
  it.each<[string, TemplateChoice, RegExp]>([
    [
      "of which the account has none",
      { name: "order_shiped", language: "en_GB" },
      /^template\.name is no template of this account\. /,
    ],
    [
      "in a language that it does not have",
      { ...SHIPPED, language: "en" },
      /^template\.language is none that this template has: it exists in en_GB\. /,
    ],
    [
      "with a value too few",
      { ...SHIPPED, params: { ...SHIPPED.params, body: ["Ada"] } },
      /^template\.params\.body .*2/,
    ],
    [
      "with numbers for names",
      { name: "appointment_reminder", language: "en_GB", params: { body: ["Ada", "Monday"] } },
      /^template\.params\.body is a list, .*first_name, day/,
    ],
    [
      "without what its link needs",
      { ...SHIPPED, params: { ...SHIPPED.params, buttons: [] } },
      /^template\.params\.buttons/,
    ],
    ["that is paused", { name: "paused_one", language: "en_GB" }, /^template\.name is paused for its low quality\. /],
    ["without a name", { language: "en_GB" } as TemplateChoice, /^template\.name /],
  ])(
    "%s is refused with the place and what there is; nothing is stored and nothing posted",
    async (_how, template, what) => {
      const channel = await startSilent();
      channel.meta.templates.add({
        name: "paused_one",
        language: "en_GB",
        status: "PAUSED",
        components: [{ type: "BODY", text: "Hi" }],
      });
      const ada = await meet(channel, { name: "Ada" });

      await expect(send(channel, ada, { template })).rejects.toMatchObject({
        code: template.name === undefined ? "MESSAGE_INVALID" : "TEMPLATE_INVALID",
        message: expect.stringMatching(what),
      });

      expect(await countOf(channel)).toEqual(NOTHING);
      expect(channel.meta.requests[POSTS]).toBeUndefined();
    },
  );

  it("by the Marketing Messages API is refused when it is no marketing template", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    await expect(
      send(channel, ada, { message: { ...HELLO, kind: "template", endpoint: "marketing" } }),
    ).rejects.toMatchObject({ code: "TEMPLATE_INVALID", message: expect.stringMatching(/^message\.endpoint /) });
    expect(await countOf(channel)).toEqual(NOTHING);
  });
});

describe("the templates of an account", () => {
  it("are read from Meta when the first is sent, and once for many that are sent at the same time", async () => {
    const channel = await startSilent();
    const people = await Promise.all(["Ada", "Bob", "Cy", "Di"].map((name) => meet(channel, { name })));
    expect(channel.meta.requests[LISTS]).toBeUndefined();

    const receipts = await Promise.all(people.map((person) => send(channel, person, { template: HELLO })));
    for (const receipt of receipts) await inState(channel, receipt, "read");
    await inState(channel, await send(channel, people[0]!, { template: SHIPPED }), "read");

    expect(channel.meta.requests[LISTS]).toBe(1);
  });

  it("are read again for one that was approved since, but not for every wrong name", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const template = { name: "back_in_stock", language: "en_GB" };
    const refused = { code: "TEMPLATE_INVALID" };
    await expect(send(channel, ada, { template })).rejects.toMatchObject(refused);

    channel.meta.templates.add({ ...template, components: [{ type: "BODY", text: "It is back." }] });
    await expect(send(channel, ada, { template })).rejects.toMatchObject(refused);
    expect(channel.meta.requests[LISTS]).toBe(1);
    await age(channel, "2 minutes");

    await inState(channel, await send(channel, ada, { template }), "read");
    expect(texts(channel)).toEqual(["It is back."]);
    expect(channel.meta.requests[LISTS]).toBe(2);
  });

  it("are read again for another language that was approved since", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    channel.meta.templates.add({ ...HELLO, language: "de", components: [{ type: "BODY", text: "Hallo!" }] });
    await age(channel, "2 minutes");

    await inState(channel, await send(channel, ada, { template: { ...HELLO, language: "de" } }), "read");

    expect(texts(channel)).toEqual([HELLO_TEXT, "Hallo!"]);
  });

  it("are known as they were while Meta is away", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    await age(channel, "1 day");
    channel.meta.faults.next({ on: "message_templates", do: { error: { code: 131000 } }, times: 10 });

    const receipt = await send(channel, ada, { template: HELLO });
    await inState(channel, receipt, "read");

    expect(receipt.degraded).toEqual([]);
    await expect(send(channel, ada, { template: { ...HELLO, language: "de" } })).rejects.toMatchObject({
      code: "TEMPLATE_INVALID",
    });
  });

  it("are not known when Meta will not list them: then one is sent unchecked, and the receipt says so", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ on: "message_templates", do: { error: { code: 200 } }, times: 10 });

    const receipt = await send(channel, ada, {
      template: { ...SHIPPED, params: { ...SHIPPED.params, body: ["A\nB", ""] } },
    });
    await inState(channel, receipt, "read");

    expect(texts(channel)).toEqual(["Hi A B, your order – is on its way."]);
    expect(receipt.degraded.map(({ what, to }) => [what, to])).toEqual([
      ["template.params.body[0]", "one line"],
      ["template.params.body[1]", "dash"],
      ["template", "template that could not be checked"],
    ]);
    const wrong = await send(channel, ada, { template: { name: "none_such", language: "en_GB" } });
    expect((await inState(channel, wrong, "failed")).parts[0]!.error).toMatchObject({ code: "GRAPH_REJECTED" });
  });

  it("are the same for every tenant with a number of it, with whichever token they were read", async () => {
    const other = { phoneNumberId: "301777000333999", wabaId: NUMBER.wabaId, displayPhoneNumber: "15557770199" };
    const channel = await startSilent({ meta: { numbers: [NUMBER, { ...other, verifiedName: "Other Shop" }] } });
    await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    await channel.plugin.connect({ customerConfigId: OTHER_TENANT, accessToken: ACCESS_TOKEN, ...other });
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" }, { to: other.phoneNumberId });

    const receipts: SendReceipt[] = [];
    for (const person of [ada, bob, ada]) receipts.push(await send(channel, person, { template: HELLO }));

    for (const [i, tenant] of [TENANT, OTHER_TENANT, TENANT].entries())
      await channel.until(
        async () => (await channel.plugin.receipt(receipts[i]!.sendId, tenant))?.parts[0]?.state === "read",
        "the template to be read",
      );
    expect(channel.meta.requests[LISTS]).toBe(1);
  });

  it("follow what Meta's webhooks say of them, without being read again", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");

    await announce(channel, "PAUSED", HELLO);

    await expect(send(channel, ada, { template: HELLO })).rejects.toMatchObject({
      code: "TEMPLATE_INVALID",
      message: expect.stringContaining("paused"),
    });
    expect(channel.meta.requests[LISTS]).toBe(1);
  });
});

describe("what Meta's webhooks say of a template", () => {
  async function sentOnce(channel: TestChannel) {
    const ada = await meet(channel, { name: "Ada" });
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    return ada;
  }

  it("does not count when it was another of that name, and the templates are read again", async () => {
    const channel = await startSilent();
    const ada = await sentOnce(channel);
    const before = await known(channel, HELLO.name);

    await announce(channel, "DELETED", HELLO, { id: 4711, at: seconds() });

    expect(await known(channel, HELLO.name)).toEqual(before);
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    expect(channel.meta.requests[LISTS]).toBe(2);
    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    expect(channel.meta.requests[LISTS]).toBe(2);
  });

  it("does not count when they were read since", async () => {
    const channel = await startSilent();
    const ada = await sentOnce(channel);

    await announce(channel, "PAUSED", HELLO, { at: seconds() - 3_600 });

    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    expect(channel.meta.requests[LISTS]).toBe(1);
  });

  it("counts in the order of Meta's clock, in whichever they come", async () => {
    const channel = await startSilent();
    await sentOnce(channel);
    const now = seconds();
    await announce(channel, "PAUSED", HELLO, { at: now + 2 });
    await announce(channel, "APPROVED", HELLO, { at: now + 4 });

    await announce(channel, "REJECTED", HELLO, { at: now + 3 });

    expect((await known(channel, HELLO.name)).status).toBe("APPROVED");
  });

  it("of other words in it has the templates read again before it is next sent", async () => {
    const channel = await startSilent();
    const ada = await sentOnce(channel);
    channel.meta.templates.add({
      ...HELLO,
      components: [{ type: "BODY", text: "Hello {{1}}, write to us.", example: { body_text: [["Ada"]] } }],
    });

    await announce(channel, "", HELLO, { field: "components_update", at: seconds() });

    await inState(channel, await send(channel, ada, { template: { ...HELLO, params: { body: ["Ada"] } } }), "read");
    expect(texts(channel).at(-1)).toBe("Hello Ada, write to us.");
    expect(channel.meta.requests[LISTS]).toBe(2);
  });

  it("does not touch one of that name that is being created", async () => {
    const channel = await startSilent();
    const templates = createTemplates(
      createDatabase(channel.database.knex, { schema: "public", hostSchema: "public" }),
    );
    const account = (await templates.accountOf(TENANT, null)) as SendingAccount;
    const draft = {
      ...HELLO,
      name: "again",
      category: "UTILITY",
      parameterFormat: "POSITIONAL",
      components: [],
    } as const;
    await templates.announce(account, draft);

    await announce(channel, "DELETED", draft, { id: 4711, at: seconds() });
    await announce(channel, "REJECTED", draft, { id: 4711, at: seconds() - 3_600 });
    expect(await known(channel, "again")).toEqual({ templateId: null, status: "UNCONFIRMED" });
    await announce(channel, "REJECTED", draft, { id: 4711, at: seconds() });
    await templates.settle(account, draft, { templateId: "4712", status: "PENDING", category: "UTILITY" });

    expect(await known(channel, "again")).toEqual({ templateId: "4712", status: "PENDING" });
  });
});

describe("a template in place of an answer", () => {
  const orHello = { response: "**The answer.**", onWindowClosed: { template: HELLO.name, language: HELLO.language } };

  it("is not needed while the window is open", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    const receipt = await send(channel, ada, orHello);
    await inState(channel, receipt, "read");

    expect(texts(channel)).toEqual(["*The answer.*"]);
    expect(receipt.degraded).toEqual([]);
  });

  it("goes when the window is closed, and the receipt says so", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);

    const receipt = await send(channel, ada, orHello);
    const done = await inState(channel, receipt, "read");

    expect(texts(channel)).toEqual([HELLO_TEXT]);
    expect(done.parts[0]!.kind).toBe("template");
    expect(done.degraded).toEqual([{ part: 0, what: "response", from: "answer", to: "[Template hello_again]" }]);
    expect(await channel.rows("select content from messages where role = 'assistant'")).toEqual([
      { content: "[Template hello_again]" },
    ]);
  });

  it("says how its own values were mended too, and only when it goes", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const onWindowClosed = {
      template: SHIPPED.name,
      language: SHIPPED.language,
      params: { ...SHIPPED.params, body: ["Ada\nL.", "A-17"] },
    };

    const open = await send(channel, ada, { response: "hi", onWindowClosed });
    await settled(channel, open);
    await closeWindow(channel, ada);
    const closed = await send(channel, ada, { response: "hi", onWindowClosed });
    await settled(channel, closed);

    expect(open.degraded).toEqual([]);
    expect(closed.degraded.map(({ part, what }) => [part, what])).toEqual([
      [0, "response"],
      [0, "onWindowClosed.params.body[0]"],
    ]);
    expect(texts(channel)).toEqual(["hi", "Hi Ada L., your order A-17 is on its way."]);
  });

  it("goes when the window closes while the answer waits, in place of all its parts", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const response = ["A", "B", "C"].map((letter) => letter.repeat(4_000)).join("\n\n");
    const receipt = await send(channel, ada, { ...orHello, response });
    const next = await send(channel, ada, { template: SHIPPED });
    await closeWindow(channel, ada);

    await letGo();
    const done = await inState(channel, receipt, "read", "expired", "expired");
    await inState(channel, next, "read");
    await quiet(channel);

    expect(texts(channel)).toEqual([HELLO_TEXT, "Hi Ada, your order A-17 is on its way."]);
    expect(done.parts[0]!.kind).toBe("template");
    expect(done.parts[1]!.error).toMatchObject({ code: "WINDOW_CLOSED" });
    expect(done.degraded.at(-1)).toEqual({
      part: 0,
      what: "response",
      from: "answer",
      to: "[Template hello_again]",
    });
    const shown = await channel.rows(
      "select content, status from messages where role = 'assistant' order by created_at",
    );
    expect(shown[0]).toEqual({ content: "[Template hello_again]", status: "read" });
  });

  it.each([1, 2])("goes when Meta says that the window is closed, to part %i at once", async (nth) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const refuse = () => channel.meta.faults.next({ do: { error: { code: 131047 } } });
    if (nth === 1) refuse();
    else channel.meta.onAccepted(({ text }) => text.startsWith("A") && refuse());

    const receipt = await send(channel, ada, { ...orHello, response: threeParts() });
    const states = ["read", "read", "expired"] as const;
    const done = await inState(
      channel,
      receipt,
      ...(nth === 1 ? ["read" as const, ...states.slice(2), "expired" as const] : states),
    );
    await quiet(channel);

    expect(texts(channel).map((text) => text.slice(0, 5))).toEqual([...(nth === 1 ? [] : ["AAAAA"]), "Hello"]);
    expect(done.parts[nth - 1]).toMatchObject({ kind: "template", error: null });
    expect(done.degraded.at(-1)).toMatchObject({ part: nth - 1, what: "response", to: "[Template hello_again]" });
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toContain("rejected");
  });

  it.each([
    ["all parts", 3, { delayStatusesMs: 500 }],
    ["the first part, while the others may wait still", 1, { statusesBeforeResponse: true }],
  ] as const)("goes, once, when Meta says later that the window was closed to %s", async (_which, times, webhooks) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.webhooks(webhooks);
    channel.meta.faults.next({ do: { failed: { code: 131047 } }, times });

    const receipt = await send(channel, ada, { ...orHello, response: threeParts() });
    const done = await receiptWhen(channel, receipt.sendId, ({ parts }) => parts[3]?.state === "read", "the template");
    await quiet(channel);

    expect(texts(channel).filter((text) => text === HELLO_TEXT)).toHaveLength(1);
    expect(done.parts).toHaveLength(4);
    expect(done.parts[3]).toMatchObject({ index: 3, kind: "template", error: null });
    expect(done.degraded.at(-1)).toMatchObject({ part: 0, what: "response", to: "[Template hello_again]" });
    const shown = await channel.rows("select content, status from messages where role = 'assistant'");
    expect(shown).toContainEqual({ content: "[Template hello_again]", status: "read" });
  });

  it("is no picture in the inbox when it goes in the place of one", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const response = { media: [{ kind: "image", url: "https://example.com/a.jpg" }] } as const;
    const receipt = await send(channel, ada, { ...orHello, response });
    expect(await channel.rows("select media_type from messages where role = 'assistant'")).toEqual([
      { media_type: "image" },
    ]);
    await closeWindow(channel, ada);

    await letGo();
    await inState(channel, receipt, "read");

    expect(await channel.rows("select content, media_type from messages where role = 'assistant'")).toEqual([
      { content: "[Template hello_again]", media_type: null },
    ]);
  });

  it("is checked like every template, though the window is open", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    await expect(
      send(channel, ada, { response: "hi", onWindowClosed: { template: "hello_again", language: "fr" } }),
    ).rejects.toMatchObject({
      code: "TEMPLATE_INVALID",
      message: expect.stringMatching(/^onWindowClosed\.language .*en_GB/),
    });
    expect(await countOf(channel)).toEqual(NOTHING);
  });
});

describe("the same idempotency key", () => {
  it.each<[string, Omit<SendRequest, "conversationId">]>([
    ["a template", { template: HELLO }],
    ["a template as a message", { message: { ...HELLO, kind: "template" } }],
    ["an answer that is a template", { response: { template: HELLO } }],
    [
      "an answer with a template for the closed window",
      { response: "hi", onWindowClosed: { template: HELLO.name, language: HELLO.language } },
    ],
  ])("answers with the first receipt of %s, though the template was paused since", async (_what, what) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const request = { ...what, idempotencyKey: "order-7" };
    const first = await send(channel, ada, request);
    await inState(channel, first, "read");
    await channel.rows("update whatsapp_templates set status = 'PAUSED'");

    const again = await send(channel, ada, request);

    expect(again).toMatchObject({ sendId: first.sendId, parts: [{ state: "read" }] });
    await expect(send(channel, ada, { ...request, replyTo: "wamid.other" })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    await expect(send(channel, ada, what)).rejects.toMatchObject({ code: "TEMPLATE_INVALID" });
    expect(texts(channel)).toHaveLength(1);
  });
});

describe("a template that the AI chose", () => {
  const answering = (template: TemplateChoice) =>
    startSilent({ reply: (turn) => (turn.messages[0]!.text === "hello" ? { template } : "the next answer") });
  const turns = (channel: TestChannel) =>
    channel.rows<{ state: number; attempts: number; last_error: string | null }>(
      "select state, attempts, last_error from whatsapp_turns order by seq",
    );

  it("is its answer", async () => {
    const channel = await answering(SHIPPED);
    channel.meta.person({ name: "Ada" }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);

    expect(texts(channel)).toEqual(["Hi Ada, your order A-17 is on its way."]);
  });

  it("and may not be sent ends the turn at once, as a dead letter that says why, and the conversation goes on", async () => {
    const channel = await answering({ ...SHIPPED, language: "fr" });
    const ada = channel.meta.person({ name: "Ada" });
    ada.says("hello");
    await channel.until(async () => (await turns(channel))[0]?.state === 2, "the dead letter");
    ada.says("and now?");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);

    expect(texts(channel)).toEqual(["the next answer"]);
    expect(await turns(channel)).toEqual([
      {
        state: 2,
        attempts: 1,
        last_error: expect.stringMatching(
          /^ChannelError TEMPLATE_INVALID: response\.template\.language .*it exists in en_GB/,
        ),
      },
      { state: 1, attempts: 1, last_error: null },
    ]);
  });
});
