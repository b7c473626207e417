/** OpenAPI 3.1 of every route, made from the schemas that check the requests and those that hold the answers. */
import { z } from "zod";
import { VERSION } from "../version.ts";
import * as answers from "./answers.ts";
import { AUDIT_SCHEMAS } from "./audit-routes.ts";
import { CONNECT_SCHEMAS } from "./connect-routes.ts";
import { DEAD_LETTER_SCHEMAS } from "./dead-letter-routes.ts";
import { DISCONNECT_REQUEST } from "./disconnect-route.ts";
import { ROUTES, type RouteName } from "./route-table.ts";
import type { Permission } from "./session.ts";
import { TEMPLATE_SCHEMAS } from "./template-routes.ts";
import { SEND_REQUEST } from "./tenant-routes.ts";

type Answer = z.ZodType | { readonly type: string } | null;

/** What is said of a route beside its method and path. */
export type Operation = {
  readonly summary: string;
  readonly needs?: Permission;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** An empty body means what its schema makes of `{}`. */
  readonly isBodyOptional?: true;
  /** Other bodies than JSON, by their type. */
  readonly otherBody?: Readonly<Record<string, object>>;
  /** By status; null: without a body. */
  readonly answers: Readonly<Record<number, Answer>>;
};

const FILE = {
  "multipart/form-data": {
    schema: {
      type: "object",
      properties: {
        file: { type: "string", contentMediaType: "application/octet-stream" },
        kind: { type: "string", enum: ["image", "video", "audio", "document", "sticker"] },
      },
      required: ["file"],
    },
  },
};
const SIGNED = {
  "application/x-www-form-urlencoded": {
    schema: { type: "object", properties: { signed_request: { type: "string" } }, required: ["signed_request"] },
  },
};
const BYTES = { type: "application/octet-stream" };
const returnTo = z.strictObject({ returnTo: z.string().optional() });

export const OPERATIONS: Readonly<Record<RouteName, Operation>> = {
  handshake: { summary: "Meta verifies the webhook's address", answers: { 200: { type: "text/plain" } } },
  delivery: {
    summary: "Meta delivers changes, signed with X-Hub-Signature-256; answered once they are stored",
    body: z.looseObject({}),
    answers: { 200: null },
  },
  deauthorize: { summary: "Meta: somebody takes their permission back", otherBody: SIGNED, answers: { 200: null } },
  dataDeletion: {
    summary: "Meta: somebody wants to be forgotten",
    otherBody: SIGNED,
    answers: { 200: answers.DELETION },
  },
  deletionStatus: {
    summary: "Whether somebody was forgotten, by their code",
    answers: { 200: answers.DELETION_STATUS },
  },
  status: { summary: "What is connected", answers: { 200: answers.STATUS } },
  doctor: { summary: "What is still missing, step by step", answers: { 200: answers.DIAGNOSIS } },
  authorize: {
    summary: "The browser, on its way to Meta's dialog",
    needs: "connect",
    query: returnTo.extend({ domain: z.string().optional() }).loose(),
    answers: { 302: null },
  },
  callback: {
    summary: "The browser, back from Meta's dialog and on to the host's page",
    needs: "connect",
    query: z.looseObject({ state: z.string().optional(), code: z.string().optional() }),
    answers: { 303: null },
  },
  embeddedSignup: {
    summary: "The code of Meta's popup",
    needs: "connect",
    body: CONNECT_SCHEMAS.embeddedSignup,
    answers: { 200: answers.ONBOARDING },
  },
  onboarding: { summary: "Where connecting stands", needs: "connect", answers: { 200: answers.ONBOARDING } },
  goOn: {
    summary: "Answers a question of connecting, or tries again",
    needs: "connect",
    body: CONNECT_SCHEMAS.goOn,
    answers: { 200: answers.ONBOARDING },
  },
  disconnect: {
    summary: "Gives up a number, or all of them",
    needs: "connect",
    body: DISCONNECT_REQUEST,
    isBodyOptional: true,
    answers: { 200: answers.STATUS },
  },
  send: {
    summary: "Sends an answer, one message, or a template",
    body: SEND_REQUEST,
    answers: { 202: answers.RECEIPT },
  },
  receipt: { summary: "What became of a send", answers: { 200: answers.RECEIPT } },
  session: { summary: "Whether free-form messages may be sent now, and until when", answers: { 200: answers.SESSION } },
  upload: { summary: "A file in", otherBody: FILE, answers: { 201: answers.UPLOADED } },
  download: {
    summary: "A file out, inert; or on to where the media store serves it",
    answers: { 200: BYTES, 206: BYTES, 302: null, 416: null },
  },
  sample: {
    summary: "The sample of a template's header, to Meta",
    needs: "operate",
    body: TEMPLATE_SCHEMAS.sample,
    answers: { 201: answers.SAMPLE },
  },
  templates: {
    summary: "The templates of the tenant's accounts",
    query: TEMPLATE_SCHEMAS.list,
    answers: { 200: answers.TEMPLATES },
  },
  template: { summary: "One template, with Meta's state of it", answers: { 200: answers.TEMPLATE } },
  createTemplate: {
    summary: "Gives Meta a template to review",
    needs: "operate",
    body: TEMPLATE_SCHEMAS.create,
    answers: { 201: answers.TEMPLATE },
  },
  syncTemplates: {
    summary: "Reads the templates from Meta",
    needs: "operate",
    body: TEMPLATE_SCHEMAS.sync,
    isBodyOptional: true,
    answers: { 200: answers.SYNCED },
  },
  editTemplate: {
    summary: "Changes a template, which Meta reviews again",
    needs: "operate",
    body: TEMPLATE_SCHEMAS.edit,
    answers: { 200: answers.TEMPLATE },
  },
  removeTemplate: { summary: "Deletes a template in one language", needs: "operate", answers: { 204: null } },
  deadLetters: {
    summary: "What lies aside after its last try, newest first",
    needs: "operate",
    query: DEAD_LETTER_SCHEMAS.list,
    answers: { 200: answers.DEAD_LETTERS },
  },
  redrive: {
    summary: "Puts back what lies aside, each where it stood",
    needs: "operate",
    body: DEAD_LETTER_SCHEMAS.redrive,
    isBodyOptional: true,
    answers: { 200: answers.REDRIVEN },
  },
  webhooks: {
    summary: "What Meta has delivered to the tenant's numbers, newest first",
    needs: "operate",
    query: AUDIT_SCHEMAS.webhooks,
    answers: { 200: answers.WEBHOOKS },
  },
  webhook: {
    summary: "One delivery with its events, as far as it is the tenant's",
    needs: "operate",
    answers: { 200: answers.WEBHOOK },
  },
  replay: {
    summary: "Works again what did not come through; what was applied is left alone",
    needs: "operate",
    body: z.looseObject({}),
    isBodyOptional: true,
    answers: { 202: answers.REPLAYED },
  },
  messages: {
    summary: "What came and went, newest first, each with its life",
    query: AUDIT_SCHEMAS.messages,
    answers: { 200: answers.MESSAGES },
  },
  message: {
    summary: "One message with its life, by its id in the list (in:17, out:17)",
    answers: { 200: answers.MESSAGE },
  },
  changes: {
    summary: "What has changed since the last look",
    query: AUDIT_SCHEMAS.changes,
    answers: { 200: answers.CHANGES },
  },
  metrics: { summary: "For Prometheus, of all tenants together", answers: { 200: { type: "text/plain" } } },
  health: {
    summary: "For a load balancer",
    answers: { 200: answers.HEALTH, 503: answers.HEALTH },
  },
  openapi: { summary: "This document", answers: { 200: z.looseObject({ openapi: z.string() }) } },
  page: { summary: "The integrations page", answers: { 200: { type: "text/html" }, 401: { type: "text/html" } } },
  ui: {
    summary: "A module of the custom element or of the integrations page",
    answers: { 200: { type: "text/javascript" }, 304: null },
  },
};

const WHO: Readonly<Record<(typeof ROUTES)[number]["auth"], string>> = {
  tenant: "Somebody of the tenant, whom the host's `authenticate` knows.",
  meta: "Meta only.",
  host: "Whoever `allowMetrics` lets in.",
  public: "Anybody.",
};

/** @param basePath where the router is mounted. */
export function openApi(basePath: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "@omniops/whatsapp",
      version: VERSION,
      description: "A WhatsApp channel, relative to where its router is mounted.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: basePath }],
    security: [],
    paths,
    components: { schemas: { Error: jsonOf(answers.ERROR, "output") } },
  };
}

/** Of a body that may be left out: the header may not. */
const WITHOUT_BODY =
  " Without a body too, send `content-type: application/json`: it may be left out with a bearer token, or by a page of the same origin.";

function operation({ name, path, auth }: (typeof ROUTES)[number]): object {
  const { summary, needs, query, body, isBodyOptional, otherBody, answers: by } = OPERATIONS[name];
  const permission = needs === undefined ? "" : ` Needs the permission \`${needs}\`.`;
  return {
    operationId: name === "ui" ? `ui ${path}` : name,
    summary,
    description: `${WHO[auth]}${permission}${isBodyOptional === true ? WITHOUT_BODY : ""}`,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body === undefined && otherBody === undefined
      ? {}
      : {
          requestBody: {
            required: isBodyOptional !== true,
            content: { ...(body && { "application/json": { schema: jsonOf(body, "input") } }), ...otherBody },
          },
        }),
    responses: {
      ...Object.fromEntries(Object.entries(by).map(([status, answer]) => [status, response(Number(status), answer)])),
      default: {
        description: "What is wrong and what to do. Every code: docs/errors.md.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function response(status: number, answer: Answer): object {
  const description = status >= 400 ? "Not now." : status >= 300 ? "Elsewhere, or as before." : "Done.";
  if (answer === null) return { description };
  if (!(answer instanceof z.ZodType)) return { description, content: { [answer.type]: {} } };
  return { description, content: { "application/json": { schema: jsonOf(answer, "output") } } };
}

function pathParameters(path: string): readonly object[] {
  return Array.from(path.matchAll(/:(\w+)/g), ([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: z.ZodObject | undefined): readonly object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = jsonOf(query, "input") as {
    readonly properties?: Readonly<Record<string, object>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function jsonOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      // In a query everything is text, and a date is what Date reads.
      if (zodSchema._zod.def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
    },
  });
  return json;
}
