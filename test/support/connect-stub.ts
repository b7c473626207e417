/** The routes of connecting as the element meets them, answering what a test tells them to: no database, no Meta. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Request, type Response } from "express";
import { afterAll } from "vitest";
import { createUiRoute, UI_FILES } from "../../plugin/http/ui-routes.ts";

type Answer = { readonly status: number; readonly body: unknown };
type Route = (request: Request) => Answer | Promise<Answer>;

export type ConnectStub = {
  readonly url: string;
  /** `METHOD path`, with the body or query, in the order of arrival. */
  readonly asked: { readonly route: string; readonly sent: unknown }[];
  /** Answers by `METHOD path`, until it is told otherwise. */
  answer(route: string, answer: Route | Answer | object): void;
  /** What stands in the page's body, and its policy. */
  page: { body: string; policy: string };
};

export const CONNECTED = {
  phone_number_id: "301777000333444",
  phone_number: "+1 555-777-0100",
  verified_name: "Test Shop",
  quality_rating: "GREEN",
  state: "connected",
  reason: null,
};
export const EMPTY = { enabled: false, phone_number: null, state: "disconnected", reason: null, numbers: [] };

export const statusOf = (...numbers: readonly object[]) =>
  numbers.length === 0 ? EMPTY : { ...EMPTY, enabled: true, ...numbers[0], numbers };

export const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none'";

/** To be called at the top of a test file; told anew by `reset` before each test. */
export async function startConnectStub(): Promise<ConnectStub & { reset(): void }> {
  const app = express();
  const asked: { route: string; sent: unknown }[] = [];
  const answers = new Map<string, Route>();
  const page = { body: "", policy: "" };
  const stub = { url: "", asked, answer, page, reset };

  const ui = createUiRoute();
  for (const file of UI_FILES)
    app.get(
      `/ui/${file}`,
      (request, response) => void ui(Object.assign(request, { route: { path: `/ui/${file}` } }), response),
    );
  // Its own address is the dialog's too, as the simulator's is.
  app.get("/sdk.js", (_request, response) => {
    response.type("js").set("access-control-allow-origin", "*").send(SDK);
  });
  app.get(["/dashboard/integrations", "/elsewhere"], (_request, response) => {
    response.set("content-security-policy", page.policy).send(PAGE.replace("<!-- body -->", page.body));
  });
  app.get("/favicon.ico", (_request, response) => void response.status(204).end());
  app.get("/page.js", (_request, response) => void response.type("js").send(PAGE_SCRIPT));
  app.get("/page.css", (_request, response) => void response.type("css").send(PAGE_STYLE));
  app.get("/api/whatsapp/oauth/authorize", (request, response) => {
    asked.push({ route: "GET /oauth/authorize", sent: { ...request.query } });
    response.type("html").send("<!doctype html><title>Meta's dialog</title><p>Meta's dialog</p>");
  });
  app.get("/popup", (_request, response) => void response.type("html").send("<!doctype html><title>Popup</title>"));
  app.use("/api/whatsapp", express.json(), (request: Request, response: Response) => {
    const route = `${request.method} ${request.path}`;
    if (request.method !== "GET") asked.push({ route, sent: request.body });
    const known = answers.get(route);
    void (async () => {
      const { status, body } = known === undefined ? { status: 404, body: {} } : await known(request);
      response.status(status).json(body);
    })();
  });

  function answer(route: string, given: Route | Answer | object): void {
    const isAnswer = "status" in given && "body" in given;
    answers.set(
      route,
      typeof given === "function"
        ? (given as Route)
        : () => (isAnswer ? (given as Answer) : { status: 200, body: given }),
    );
  }
  function reset(): void {
    asked.length = 0;
    answers.clear();
    page.body = "<whatsapp-connect></whatsapp-connect>";
    page.policy = POLICY;
    answer("GET /status", EMPTY);
    answer("GET /oauth/onboarding", { onboarding: null, login: loginOf(stub.url) });
  }

  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  stub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  reset();
  return stub;
}

export const loginOf = (url: string) => ({
  app_id: "777",
  config_id: "888",
  graph_version: "v25.0",
  sdk_url: `${url}/sdk.js`,
  dialog_origin: url,
});

export const refusal = (status: number, code: string, message = "A sentence of the server.") => ({
  status,
  body: { error: { code, message } },
});

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Integrations</title>
<link rel="stylesheet" href="/page.css">
<script type="module" src="/ui/whatsapp-connect.js"></script>
<script src="/page.js"></script>
<main><h1>Integrations</h1><!-- body --></main>
</html>
`;

const PAGE_STYLE = `:root { color-scheme: light dark; font-family: system-ui } body { margin: 1rem auto; max-width: 42rem; padding: 0 1rem }
whatsapp-connect:not(:defined) { display: block; min-height: 14rem }`;

/** Keeps what the element tells its page. */
const PAGE_SCRIPT = `window.heard = [];
for (const type of ["whatsapp-connected", "whatsapp-error", "whatsapp-disconnected"])
  document.addEventListener(type, ({ detail, composed }) => heard.push({ type, detail, composed }));`;

/** As Meta's SDK goes about it: the window opens at once, the callback comes when it has closed. */
const SDK = `window.FB = {
  init(options) { FB.initWith = options; FB.inits = (FB.inits ?? 0) + 1; },
  login(callback, options) {
    FB.loginWith = options;
    FB.popup = window.open("/popup", "popup", "width=500,height=600");
    FB.answer = (code) => { FB.popup?.close(); callback(code === null ? { authResponse: null, status: "unknown" } : { authResponse: { code }, status: "connected" }); };
  },
};
window.fbAsyncInit?.();`;
