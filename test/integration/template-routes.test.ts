/** A tenant's templates over HTTP: written, reviewed, changed, deleted and read again, with Meta's words where it says no. */
import type { Permission } from "@omniops/whatsapp";
import { beforeAll, describe, expect, it } from "vitest";
import { allQuiet, NUMBER, quiet, startChannel, TENANT, type TestChannel, until } from "../support/channel.ts";
import { APP_ID } from "../support/connecting.ts";

type Template = {
  id: string;
  metaId: string;
  name: string;
  language: string;
  status: string;
  rejectionReason: string | null;
  editable: boolean;
  why?: string;
  components: object[];
};
type Listed = { templates: Template[]; accounts: object[] };

const BODY = {
  type: "BODY",
  text: "Hi {{1}}, your cake {{2}} is ready to be collected.",
  example: { body_text: [["Ada", "A-17"]] },
};
const DRAFT = { name: "cake_ready", language: "en_GB", category: "UTILITY", components: [BODY] };

let channel: TestChannel;

beforeAll(async () => {
  channel = await startChannel({
    config: { metaAppId: APP_ID },
    plugin: {
      authenticate: () => ({ customerConfigId: TENANT, permissions: ["operate"] as Permission[] }),
    },
  });
});

async function ask<T>(method: string, path: string, body?: object): Promise<T & { httpStatus: number; code?: string }> {
  const answer = await fetch(`${channel.url}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    ...(text === "" ? {} : JSON.parse(text)),
    ...(answer.ok ? {} : { code: JSON.parse(text).error?.code }),
    httpStatus: answer.status,
  };
}

const list = (query = "") => ask<Listed>("GET", `/templates?${query}`);
const one = async (name: string) => (await list(`q=${name}`)).templates[0];
const reviewed = (name: string, status: string) =>
  until(async () => {
    const template = await one(name);
    return template?.status === status && template;
  }, `${name} to be ${status}`);

describe("the templates of a tenant", () => {
  it("are read from Meta, counted, and listed with their account", async () => {
    const first = await ask<{ accounts: { added: number }[] }>("POST", "/templates/sync");
    expect(first.accounts).toEqual([
      { wabaId: NUMBER.wabaId, added: channel.meta.templates.list().length, changed: 0, removed: 0, unchanged: 0 },
    ]);
    const added = first.accounts[0]?.added ?? 0;
    expect(added).toBeGreaterThan(2);
    const { templates, accounts } = await list();
    expect(accounts).toEqual([
      { wabaId: NUMBER.wabaId, name: NUMBER.verifiedName, syncedAt: expect.stringMatching(/Z$/) },
    ]);
    expect(templates).toHaveLength(added);
    const [template] = templates;
    channel.meta.templates.add({
      name: "new_one",
      language: "en",
      components: [{ type: "BODY", text: "Hello there." }],
    });
    channel.meta.templates.remove({ name: template?.name ?? "", language: template?.language ?? "" });

    expect(await ask("POST", "/templates/sync", { wabaId: NUMBER.wabaId })).toMatchObject({
      accounts: [{ added: 1, changed: 0, removed: 1, unchanged: added - 1 }],
    });
    expect((await list("q=NEW_one")).templates).toMatchObject([
      { name: "new_one", status: "APPROVED", editable: true },
    ]);
    expect((await list("status=rejected")).templates).toEqual([]);
    expect(await ask("POST", "/templates/sync", { wabaId: "20999999999" })).toMatchObject({
      code: "CONNECTION_MISSING",
    });
  });

  it("are created, cannot be changed while Meta reviews them, and are approved by webhook", async () => {
    const created = await ask<Template>("POST", "/templates", DRAFT);
    expect(created).toMatchObject({
      ...DRAFT,
      httpStatus: 201,
      metaId: expect.stringMatching(/^\d+$/),
      wabaId: NUMBER.wabaId,
    });
    const approved = await reviewed("cake_ready", "APPROVED");
    expect(approved).toMatchObject({ id: created.id, editable: true, rejectionReason: null });
    expect(await ask("POST", "/templates", DRAFT)).toMatchObject({ httpStatus: 409, code: "TEMPLATE_LOCKED" });
  });

  it("are changed, and reviewed again", async () => {
    const { id } = (await one("cake_ready")) as Template;
    const components = [BODY, { type: "FOOTER", text: "Demo Shop" }];

    expect(await ask("PATCH", `/templates/${id}`, { components, category: "MARKETING" })).toMatchObject({
      code: "TEMPLATE_LOCKED",
    });
    // Meta dates its webhooks to the second: the same decision within one is the same webhook.
    channel.meta.clock.moveOn(2_000);
    const changed = await ask<Template>("PATCH", `/templates/${id}`, { components });

    expect(changed).toMatchObject({ httpStatus: 200, id, components });
    expect(await reviewed("cake_ready", "APPROVED")).toMatchObject({ components });
    expect(channel.meta.templates.list().find(({ name }) => name === "cake_ready")?.components).toEqual(components);
  });

  it("are as they were, and say so in Meta's words, when Meta does not take a change", async () => {
    const before = (await one("cake_ready")) as Template;
    // Once a day.
    const refused = await ask<{ error: { message: string } }>("PATCH", `/templates/${before.id}`, {
      components: [BODY],
    });

    expect(refused).toMatchObject({ httpStatus: 502, code: "GRAPH_REJECTED" });
    expect(refused.error.message).toContain(
      "Meta says: This template can't be edited: An approved template can be edited once in 24 hours",
    );
    const { syncedAt: _, ...after } = (await one("cake_ready")) as Template & { syncedAt: unknown };
    expect(before).toMatchObject(after);
  });

  it("are refused with each place that is wrong before Meta is asked", async () => {
    const wrong = {
      ...DRAFT,
      name: "Cake Ready",
      components: [
        { ...BODY, example: undefined },
        { type: "FOOTER", text: "x".repeat(61) },
      ],
    };
    const answer = await ask<{ error: { message: string; problems: object[] } }>("POST", "/templates", wrong);

    expect(answer).toMatchObject({ httpStatus: 400, code: "TEMPLATE_DRAFT_INVALID" });
    for (const path of ["name has", "components[0].example.body_text lacks", "components[1].text is longer than 60"])
      expect(answer.error.message).toContain(path);
    expect(answer.error.problems).toEqual([
      {
        path: "name",
        problem: "has other characters than a-z, 0-9 and _",
        limit: null,
        fix: "Write it in lower case, with _ for spaces.",
      },
      expect.objectContaining({ path: "components[0].example.body_text" }),
      expect.objectContaining({ path: "components[1].text", limit: 60 }),
    ]);
    expect(await ask("POST", "/templates", { ...DRAFT, components: "x" })).toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("leave nothing behind when Meta refuses them", async () => {
    const few = { ...DRAFT, name: "too_few_words", components: [{ ...BODY, text: "Hi {{1}}, {{2}} now." }] };
    expect(await ask("POST", "/templates", few)).toMatchObject({ code: "GRAPH_REJECTED" });
    expect(await one("too_few_words")).toBeUndefined();
  });

  it("take the sample of their header from a file of the tenant's", async () => {
    const form = new FormData();
    form.append("file", new File([PNG], "cake.png"));
    const { id: headerMediaId } = (await (
      await fetch(`${channel.url}/media/upload`, { method: "POST", body: form })
    ).json()) as { id: string };
    const components = [{ type: "HEADER", format: "IMAGE" }, BODY];
    const draft = { ...DRAFT, name: "cake_picture", components };

    expect(await ask("POST", "/templates", draft)).toMatchObject({ code: "TEMPLATE_DRAFT_INVALID" });
    expect(await ask("POST", "/templates", { ...DRAFT, name: "no_picture", headerMediaId })).toMatchObject({
      code: "TEMPLATE_DRAFT_INVALID",
    });
    expect(await ask("POST", "/templates", { ...draft, headerMediaId })).toMatchObject({
      httpStatus: 201,
      components: [
        { type: "HEADER", format: "IMAGE", example: { header_handle: [expect.stringMatching(/^4::/)] } },
        BODY,
      ],
    });
  });

  it("are deleted, at Meta too", async () => {
    const { id } = (await one("cake_ready")) as Template;

    expect(await ask("DELETE", `/templates/${id}`)).toEqual({ httpStatus: 204 });
    expect(await ask("DELETE", `/templates/${id}`)).toMatchObject({ httpStatus: 404, code: "TEMPLATE_UNKNOWN" });
    expect(await one("cake_ready")).toBeUndefined();
    expect(channel.meta.templates.list().map(({ name }) => name)).not.toContain("cake_ready");
    await channel.meta.idle();
  });
});

describe("what was done in WhatsApp Manager", () => {
  async function told(name: string, event: string, reason = "NONE") {
    const { metaId, language } = (await one(name)) as Template;
    channel.meta.clock.moveOn(2_000);
    const value = {
      event,
      message_template_id: Number(metaId),
      message_template_name: name,
      message_template_language: language,
      reason,
    };
    const time = Math.floor(channel.meta.clock.now().getTime() / 1000);
    channel.meta.deliver({
      object: "whatsapp_business_account",
      entry: [{ id: NUMBER.wabaId, time, changes: [{ field: "message_template_status_update", value }] }],
    });
    await allQuiet(channel);
    return one(name);
  }
  const draft = (name: string) => ({ ...DRAFT, name, components: [{ type: "BODY", text: `We have ${name} today.` }] });

  beforeAll(async () => {
    for (const name of ["managed", "gone"]) {
      await ask("POST", "/templates", draft(name));
      await reviewed(name, "APPROVED");
    }
  });

  it("has a reason for its rejection only while it is rejected", async () => {
    expect(await told("managed", "REJECTED", "INVALID_FORMAT")).toMatchObject({ rejectionReason: "INVALID_FORMAT" });
    expect(await told("managed", "APPROVED")).toMatchObject({ status: "APPROVED", rejectionReason: null });
  });

  it.each(["REINSTATED", "UNARCHIVED", "UNLOCKED", "FLAGGED"])(
    "is approved, and can be edited, when it is %s",
    async (word) => {
      if (word !== "FLAGGED") await told("managed", "ARCHIVED");

      expect(await told("managed", word)).toMatchObject({ status: "APPROVED", editable: true });
      expect((await list("status=APPROVED&q=managed")).templates).toHaveLength(1);
    },
  );

  it("can be deleted or created again once it is deleted there", async () => {
    channel.meta.templates.remove({ name: "gone", language: "en_GB" });
    const { id } = (await told("gone", "DELETED")) as Template;

    expect(await ask("POST", "/templates", draft("gone"))).toMatchObject({ httpStatus: 201, id });
    expect(await reviewed("gone", "APPROVED")).toMatchObject({ id, editable: true });
    channel.meta.templates.remove({ name: "gone", language: "en_GB" });
    await told("gone", "DELETED");
    expect(await ask("DELETE", `/templates/${id}`)).toEqual({ httpStatus: 204 });
    expect(await one("gone")).toBeUndefined();
  });

  it("is read again within minutes where a webhook does not say what it is now", async () => {
    const { id } = (await one("managed")) as Template;
    const components = [{ type: "BODY", text: "We have other cakes." }];
    channel.meta.templates.add({ name: "managed", language: "en_GB", components });
    await channel.rows(
      "update whatsapp_templates set outdated = true, updated_at = now() - interval '2 minutes' where id = ?",
      [id],
    );

    await until(async () => JSON.stringify((await one("managed"))?.components).includes("other cakes"), "the change");
    expect(await channel.rows("select outdated from whatsapp_templates where id = ?", [id])).toEqual([
      { outdated: false },
    ]);
  });
});

describe("when Meta's answer is lost", () => {
  const draft = (name: string) => ({ ...DRAFT, name, components: [{ type: "BODY", text: `We have ${name} today.` }] });
  const lose = (kind: "accept-then-reset" | "reset-before-accept" | "garbage", on: "message_templates" | "template") =>
    channel.meta.faults.next({ do: kind, on });
  /** As if a minute had gone by: then whoever waited for the answer is gone. */
  const later = () => channel.rows("update whatsapp_templates set updated_at = updated_at - interval '2 minutes'");

  it("a new template is unconfirmed, neither doubled nor sent nor deleted, until its webhook says what became of it", async () => {
    lose("accept-then-reset", "message_templates");
    const created = await ask<Template>("POST", "/templates", draft("lost_answer"));
    expect(created).toMatchObject({ httpStatus: 201, metaId: null, status: "UNCONFIRMED", editable: false });
    expect(created.why).toContain("asked again within minutes");
    if ((await one("lost_answer"))?.status === "UNCONFIRMED") {
      expect(await ask("POST", "/templates", draft("lost_answer"))).toMatchObject({ code: "TEMPLATE_LOCKED" });
    }

    expect(await reviewed("lost_answer", "APPROVED")).toMatchObject({
      id: created.id,
      metaId: expect.stringMatching(/^\d+$/),
      editable: true,
    });
  });

  it("and Meta has it and says nothing, it is found out by itself", async () => {
    lose("garbage", "message_templates");
    const { id } = await ask<Template>("POST", "/templates", draft("quiet_meta"));
    await reviewed("quiet_meta", "APPROVED");
    await channel.rows("update whatsapp_templates set status = 'UNCONFIRMED', template_id = null where id = ?", [id]);
    await later();

    expect(await reviewed("quiet_meta", "APPROVED")).toMatchObject({ id, metaId: expect.stringMatching(/^\d+$/) });
  });

  it("and Meta never had it, its words are kept and can be sent again", async () => {
    lose("reset-before-accept", "message_templates");
    const { id } = await ask<Template>("POST", "/templates", draft("never_came"));
    expect(await ask("DELETE", `/templates/${id}`)).toMatchObject({ httpStatus: 409, code: "TEMPLATE_LOCKED" });
    await ask("POST", "/templates/sync");
    expect(await one("never_came")).toMatchObject({ id, status: "UNCONFIRMED" });
    await later();

    expect(await reviewed("never_came", "NOT_SENT")).toMatchObject({ id, components: draft("never_came").components });
    expect(await ask("POST", "/templates", draft("never_came"))).toMatchObject({ httpStatus: 201, id });
    await reviewed("never_came", "APPROVED");
  });

  it("a changed or deleted one is unconfirmed, and becomes what Meta has", async () => {
    const { id } = (await one("never_came")) as Template;
    const components = [{ type: "BODY", text: "We have two of them today." }];
    channel.meta.clock.moveOn(2_000);
    lose("reset-before-accept", "template");
    expect(await ask("PATCH", `/templates/${id}`, { components })).toMatchObject({ status: "UNCONFIRMED", components });
    await later();
    expect(await reviewed("never_came", "APPROVED")).toMatchObject({ id, components: draft("never_came").components });

    lose("accept-then-reset", "message_templates");
    expect(await ask("DELETE", `/templates/${id}`)).toMatchObject({ httpStatus: 502, code: "GRAPH_AMBIGUOUS" });
    expect(await one("never_came")).toMatchObject({ status: "UNCONFIRMED" });
    await later();
    await until(async () => (await one("never_came")) === undefined, "it to be gone");
    expect(await ask("GET", `/templates/${id}`)).toMatchObject({ httpStatus: 404, code: "TEMPLATE_UNKNOWN" });
  });
});

describe("two changes of one template at one moment", () => {
  it("leave what Meta has: the other is refused, and changes nothing", async () => {
    const { id } = await ask<Template>("POST", "/templates", { ...DRAFT, name: "two_hands" });
    await reviewed("two_hands", "APPROVED");
    // Meta dates its webhooks to the second: the same decision within one is the same webhook.
    channel.meta.clock.moveOn(2_000);
    const words = ["This is from the first hand.", "This is from the second one."];

    const answers = await Promise.all(
      words.map((text) => ask<Template>("PATCH", `/templates/${id}`, { components: [{ type: "BODY", text }] })),
    );

    expect(answers.map(({ code }) => code).sort()).toEqual(["TEMPLATE_LOCKED", undefined]);
    const changed = await reviewed("two_hands", "APPROVED");
    expect(changed.components).toEqual(answers.find(({ httpStatus }) => httpStatus === 200)?.components);
    expect(channel.meta.templates.list().find(({ name }) => name === "two_hands")).toMatchObject({
      components: changed.components,
    });
  });
});

describe("many templates", () => {
  it("are listed by name and language, page by page, each once", async () => {
    const all = (await list("limit=200")).templates.map(({ id }) => id);
    const found: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page: Listed & { next: string | null } = await ask(
        "GET",
        `/templates?limit=2${after && `&after=${after}`}`,
      );
      expect(page.templates.length).toBeLessThanOrEqual(2);
      found.push(...page.templates.map(({ id }) => id));
      after = page.next;
    }

    expect(found).toEqual(all);
    expect(await ask("GET", "/templates?after=x")).toMatchObject({ httpStatus: 400, code: "REQUEST_INVALID" });
    const nonsense = { customerConfigId: TENANT, after: "a\u0000b.en.1" };
    await expect(channel.plugin.templates.list(nonsense)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    expect(await ask("GET", `/templates/${all[0]}`)).toEqual({ ...(await list()).templates[0], httpStatus: 200 });
    await quiet(channel);
  });
});

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
