/** The integrations page by its real handlers, before routes that answer what a test tells them to: no database, no Meta. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Request, type Response } from "express";
import { createPageRoute } from "../../plugin/http/page-route.ts";
import type { Session } from "../../plugin/http/session.ts";
import { createUiRoute, UI_FILES } from "../../plugin/http/ui-routes.ts";
import { CHECKS, DEAD_LETTERS, MESSAGES, NUMBERS, TEMPLATES, WEBHOOK, WEBHOOKS } from "./page-samples.ts";

type Answer = { readonly status: number; readonly body: unknown };
type Route = (request: Request) => Answer | Promise<Answer>;

export type PageStub = {
  /** Of the page. */
  readonly url: string;
  /** What was changed: `METHOD path` and the body, in the order of arrival. */
  readonly asked: { readonly route: string; readonly sent: unknown }[];
  /** What was looked at: the path and the query, in the order of arrival. */
  readonly looked: string[];
  answer(route: string, answer: Route | Answer | object): void;
  /** What may be done by whoever looks; null for a stranger. */
  permissions: Session["permissions"] | null;
  reset(): void;
  stop(): Promise<void>;
};

/** @param mount where the router is, as the browser sees it. */
export async function startPageStub(mount = "/api/whatsapp"): Promise<PageStub> {
  const app = express();
  const asked: { route: string; sent: unknown }[] = [];
  const looked: string[] = [];
  const answers = new Map<string, Route>();
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const stub = { url: "", asked, looked, answer, permissions: null as Session["permissions"] | null, reset, stop };

  const router = express.Router();
  const ui = createUiRoute();
  for (const path of ["/ui/page/:file", "/ui/lit/:file", ...UI_FILES.map((file) => `/ui/${file}`)])
    router.get(path, (request, response) => void ui(request as never, response));
  const page = createPageRoute(
    async () =>
      stub.permissions === null
        ? null
        : { customerConfigId: "00000000-0000-4000-8000-000000000001", permissions: stub.permissions },
    silent,
  );
  router.get("/ui/", (request, response) => void page(request, response));
  router.use(express.json(), (request: Request, response: Response) => {
    const route = `${request.method} ${request.path}`;
    if (request.method === "GET") looked.push(request.url);
    else asked.push({ route, sent: request.body });
    const known = answers.get(route);
    void (async () => {
      const { status, body } = known === undefined ? { status: 404, body: {} } : await known(request);
      if (status === 204) response.status(204).end();
      else response.status(status).json(body);
    })();
  });
  app.use(mount, router);

  function answer(route: string, given: Route | Answer | object): void {
    const isAnswer = "status" in given && typeof given.status === "number" && "body" in given;
    answers.set(
      route,
      typeof given === "function"
        ? (given as Route)
        : () => (isAnswer ? (given as Answer) : { status: 200, body: given }),
    );
  }

  function reset(): void {
    asked.length = 0;
    looked.length = 0;
    answers.clear();
    stub.permissions = ["connect", "operate"];
    const [first] = NUMBERS;
    answer("GET /status", {
      enabled: true,
      phone_number: first?.phone_number,
      state: "connected",
      reason: null,
      numbers: NUMBERS,
    });
    answer("GET /oauth/onboarding", {
      onboarding: null,
      login: { app_id: "777", config_id: null, graph_version: "v25.0", sdk_url: "", dialog_origin: "" },
    });
    answer("GET /doctor", { healthy: false, checks: CHECKS });
    answer("GET /messages", { messages: MESSAGES, next: null });
    answer("GET /webhooks", { webhooks: WEBHOOKS, next: null });
    answer(`GET /webhooks/${WEBHOOK.id}`, WEBHOOK);
    answer("GET /dead-letters", { dead_letters: DEAD_LETTERS, next: null });
    for (const message of MESSAGES) answer(`GET /messages/${message.id}`, message);
    answer("GET /templates", TEMPLATES);
    for (const template of TEMPLATES.templates) answer(`GET /templates/${template.id}`, template);
    answer("GET /changes", {
      cursor: "1",
      messages: false,
      webhooks: false,
      deadLetters: false,
      templates: false,
      numbers: false,
    });
  }

  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  stub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${mount}/ui/`;
  async function stop(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
  reset();
  return stub;
}
