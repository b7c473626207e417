/** A tenant's templates over HTTP: written, reviewed, changed, deleted and read again, with Meta's words where it says no. */
import type { Permission } from "@omniops/whatsapp";
import { beforeAll, describe, expect, it } from "vitest";
import { NUMBER, quiet, startChannel, TENANT, type TestChannel, until } from "../support/channel.ts";
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
    const answer = await ask<{ error: { message: string } }>("POST", "/templates", wrong);

    expect(answer).toMatchObject({ httpStatus: 400, code: "TEMPLATE_DRAFT_INVALID" });
    for (const path of ["name has", "components[0].example.body_text lacks", "components[1].text is longer than 60"])
      expect(answer.error.message).toContain(path);
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
    await quiet(channel);
  });
});

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
