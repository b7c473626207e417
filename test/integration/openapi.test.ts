/** Every route answers as openapi.json says: real answers, held to the schemas that the document is made from. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { ERROR } from "../../plugin/http/answers.ts";
import { OPERATIONS } from "../../plugin/http/openapi.ts";
import { ROUTES, type RouteName } from "../../plugin/http/route-table.ts";
import { TENANT } from "../support/channel.ts";
import { type Call, MODES, type Mode, type Owned, startTwoTenants, type TwoTenants } from "./security/two-tenants.ts";

let two: TwoTenants;
let own: Owned;
beforeAll(async () => {
  two = await startTwoTenants(MODES[0] as Mode);
  own = two.owned[TENANT] as Owned;
});
afterAll(() => two.stop());

const COMPONENTS = [{ type: "BODY", text: "We have cake today, and it is fresh." }];

it("answers on every route as the document says, where all is well and where it is not", async () => {
  const driven: [RouteName, number][] = [];

  async function drive(name: RouteName, call: Partial<Call> = {}, expected?: number): Promise<unknown> {
    const { method, path } = ROUTES.find((route) => route.name === name) as (typeof ROUTES)[number];
    const answer = await two.as(TENANT, { method, path, ...call });
    const schema = OPERATIONS[name].answers[answer.status];
    const type = answer.headers["content-type"] ?? "";
    driven.push([name, answer.status]);
    expect([name, answer.status, answer.text]).toEqual([name, expected ?? answer.status, answer.text]);
    // What is no answer of its own is an error.
    const wanted = schema === undefined ? ERROR : schema;
    if (wanted === null) expect([name, type.startsWith("application/json")]).toEqual([name, false]);
    else if (!(wanted instanceof z.ZodType)) expect([name, type !== ""]).toEqual([name, true]);
    else {
      const parsed = wanted.safeParse(JSON.parse(answer.text));
      expect([name, answer.text, parsed.error?.issues ?? []]).toEqual([name, answer.text, []]);
    }
    return schema instanceof z.ZodType ? JSON.parse(answer.text) : answer.text;
  }

  const { conversationId, sendId, mediaId, webhookId, templateId, wabaId } = own;
  await drive("status", {}, 200);
  await drive("doctor", {}, 200);
  await drive("onboarding", {}, 200);
  await drive("authorize", {}, 302);
  await drive("callback", { path: `/oauth/callback?state=${two.state}&error=access_denied` }, 303);
  await drive("goOn", { body: { takeover: true } });
  const code = two.channel.meta.login.code({ wabaIds: [wabaId] });
  await drive("embeddedSignup", { body: { code } }, 200);
  await drive("session", { path: `/sessions/${conversationId}` }, 200);
  await drive("receipt", { path: `/sends/${sendId}` }, 200);
  await drive("send", { body: { conversationId, response: "| a | b |\n|---|---|\n| 1 | 2 |" } }, 202);
  await drive("send", { body: { conversationId } }, 400);
  await drive("upload", { form: { file: "a file" } }, 201);
  await drive("upload", { form: {} }, 400);
  await drive("download", { path: `/media/download/${mediaId}` }, 200);
  await drive("download", { path: "/media/download/x" }, 404);
  await drive("deadLetters", {}, 200);
  await drive("webhooks", {}, 200);
  await drive("webhooks", { path: "/webhooks?limit=x" }, 400);
  await drive("webhook", { path: `/webhooks/${webhookId}` }, 200);
  await drive("webhook", { path: "/webhooks/0" }, 404);
  await drive("replay", { path: `/webhooks/${webhookId}/replay` }, 202);
  await drive("messages", {}, 200);
  for (const id of [own.receivedId, own.sentId]) await drive("message", { path: `/messages/${id}` }, 200);
  await drive("message", { path: "/messages/in:0" }, 404);
  await drive("changes", {}, 200);
  await drive("redrive", { body: { ids: [] } }, 200);
  await drive("templates", {}, 200);
  await drive("template", { path: `/templates/${templateId}` }, 200);
  await drive("template", { path: "/templates/x" }, 404);
  await drive("syncTemplates", { body: { wabaId } }, 200);
  await drive("sample", { body: { mediaId } }, 415);
  const draft = { name: "cake_today", language: "en", category: "UTILITY", components: COMPONENTS };
  await drive("createTemplate", { body: draft }, 201);
  await drive("createTemplate", { body: { ...draft, name: "Cake" } }, 400);
  const path = `/templates/${templateId}`;
  await drive("editTemplate", { path, body: { components: COMPONENTS } }, 200);
  await drive("removeTemplate", { path }, 204);
  await drive("health", {}, 200);
  await drive("metrics", {}, 403);
  await drive("openapi", {}, 200);
  await drive("page", {}, 200);
  await drive("handshake", {}, 403);
  await drive("deletionStatus", { path: "/oauth/data-deletion/x" }, 404);
  await drive("disconnect", {}, 200);

  // Meta's own have tests of their own, and so has the element.
  const others: readonly RouteName[] = ["delivery", "deauthorize", "dataDeletion", "ui"];
  const names = new Set(driven.map(([name]) => name));
  expect(ROUTES.map(({ name }) => name).filter((name) => !names.has(name) && !others.includes(name))).toEqual([]);
});

it("serves the document with the place where it is mounted", async () => {
  const { text } = await two.as(TENANT, { method: "GET", path: "/openapi.json" });

  expect(JSON.parse(text)).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/api/whatsapp" }] });
});
