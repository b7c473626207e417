/** The Express router: the route table, top to bottom. No global middleware, any mount path, Express 4 and 5. */

import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import type { Disconnect } from "../connect/disconnect.ts";
import type { ChannelPlugin } from "../contract.ts";
import type { DeadLetterService } from "../dead-letters.ts";
import type { Doctor } from "../doctor/doctor.ts";
import type { Scraped } from "../operations/metrics.ts";
import type { Logger, Store } from "../ports.ts";
import type { TemplateService } from "../templates/manage-templates.ts";
import type { UploadSample } from "../templates/upload-sample.ts";
import { type AuditDeps, createAuditRoutes } from "./audit-routes.ts";
import { type CallbackDeps, createCallbackRoutes } from "./callback-routes.ts";
import { type ConnectDeps, createConnectRoutes } from "./connect-routes.ts";
import { answerBrowser } from "./dashboard.ts";
import { createDeadLetterRoutes } from "./dead-letter-routes.ts";
import { createDisconnectRoute } from "./disconnect-route.ts";
import { createDoctorRoute } from "./doctor-route.ts";
import { answerError, sendJson } from "./error-response.ts";
import { createMediaRoutes, type MediaDeps } from "./media-routes.ts";
import { type AllowMetrics, createMetricsRoute } from "./metrics-route.ts";
import { createOpenApiRoute } from "./openapi-route.ts";
import { refuseOtherPages, requireSafeType, type Takes } from "./own-requests.ts";
import { createPageRoute } from "./page-route.ts";
import { DELIVERY, ROUTES, type RouteName } from "./route-table.ts";
import { type Authenticate, type Permission, readSession, requirePermission, type TenantRoute } from "./session.ts";
import { createTemplateRoutes } from "./template-routes.ts";
import { createTenantRoutes } from "./tenant-routes.ts";
import { createUiRoute } from "./ui-routes.ts";
import { createUnprovenReads } from "./unproven-reads.ts";
import { createDeliveryRoute, createHandshakeRoute } from "./webhook-routes.ts";

/** What `app.use` takes, in Express 4 and 5 alike, without Express's types in ours. */
export type Router = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

export type RouterDeps = {
  readonly plugin: Pick<ChannelPlugin, "receive" | "send" | "sessionStatus">;
  readonly doctor: Doctor;
  readonly deadLetters: DeadLetterService;
  readonly audit: AuditDeps;
  readonly store: Store;
  readonly disconnect: Disconnect;
  readonly callbacks: CallbackDeps;
  readonly media: MediaDeps;
  readonly uploadSample: UploadSample;
  readonly templates: TemplateService;
  readonly verifyToken: string;
  readonly connect: ConnectDeps;
  /** The origin of the host's pages; null where it is not known. */
  readonly appUrl: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: the host's own request type, whichever Express it runs.
  readonly authenticate: Authenticate<any>;
  readonly scrape: () => Promise<Scraped>;
  // biome-ignore lint/suspicious/noExplicitAny: the host's own request type, whichever Express it runs.
  readonly allowMetrics: AllowMetrics<any>;
  /** Whether `stop` was called and `start` not since: a load balancer is to send nobody here any more. */
  readonly isDraining: () => boolean;
  /** @throws ChannelError MIGRATIONS_PENDING, STORE_UNAVAILABLE. */
  readonly requireMigrated: () => Promise<void>;
  /** A delivery was answered with this status. */
  readonly onDelivery: (status: number) => void;
  readonly log: Logger;
};

type Deliver = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
type Handler = (request: express.Request, response: express.Response) => Promise<void> | void;

/** Where a person's browser goes by itself: what goes wrong there must end on the host's dashboard. */
const BROWSER: ReadonlySet<RouteName> = new Set(["authorize", "callback"]);

/** @returns the router, and its delivery route for whoever needs no router. */
export function createRouter(deps: RouterDeps): { readonly router: Router; readonly deliver: Deliver } {
  const { plugin, store, verifyToken, connect, authenticate, log } = deps;
  const readUnproven = createUnprovenReads(log);
  const callbacks = createCallbackRoutes(deps.callbacks, readUnproven);
  const tenant = createTenantRoutes({ store, send: plugin.send, sessionStatus: plugin.sessionStatus });

  const connecting = createConnectRoutes(connect, log);
  const media = createMediaRoutes(deps.media);
  const templates = createTemplateRoutes({ uploadSample: deps.uploadSample, templates: deps.templates });
  const deadLetters = createDeadLetterRoutes(deps.deadLetters);
  const audit = createAuditRoutes(deps.audit);

  const forTenant =
    ({ permission, takes = "json" }: { readonly permission?: Permission; readonly takes?: Takes }) =>
    (route: TenantRoute): Handler =>
    async (request, response) => {
      refuseOtherPages(request, takes, deps.appUrl);
      const session = readSession(await authenticate(request));
      if (permission !== undefined) requirePermission(session, permission);
      requireSafeType(request, takes);
      await route(request, response, session);
    };
  const asTenant = forTenant({});
  const toConnect = forTenant({ permission: "connect" });
  const toOperate = forTenant({ permission: "operate" });

  const receiveDelivery = createDeliveryRoute(plugin.receive, readUnproven);
  const handlers: Readonly<Record<RouteName, Handler>> = {
    handshake: createHandshakeRoute(verifyToken),
    delivery: (request, response) => deliver(request, response),
    deauthorize: callbacks.deauthorize,
    dataDeletion: callbacks.dataDeletion,
    deletionStatus: callbacks.deletionStatus,
    status: asTenant(tenant.status),
    doctor: asTenant(createDoctorRoute(deps.doctor)),
    authorize: toConnect(connecting.authorize),
    callback: toConnect(connecting.callback),
    embeddedSignup: toConnect(connecting.embeddedSignup),
    onboarding: toConnect(connecting.onboarding),
    goOn: toConnect(connecting.goOn),
    disconnect: toConnect(createDisconnectRoute({ disconnect: deps.disconnect, connections: store.connections })),
    send: asTenant(tenant.send),
    receipt: asTenant(tenant.receipt),
    session: asTenant(tenant.session),
    upload: forTenant({ takes: "form" })(media.upload),
    download: asTenant(media.download),
    sample: toOperate(templates.sample),
    templates: asTenant(templates.list),
    template: asTenant(templates.one),
    createTemplate: toOperate(templates.create),
    syncTemplates: toOperate(templates.sync),
    editTemplate: toOperate(templates.edit),
    removeTemplate: toOperate(templates.remove),
    deadLetters: toOperate(deadLetters.list),
    redrive: toOperate(deadLetters.redrive),
    webhooks: toOperate(audit.list),
    webhook: toOperate(audit.one),
    replay: toOperate(audit.replay),
    messages: asTenant(audit.messages),
    message: asTenant(audit.message),
    changes: asTenant(audit.changes),
    metrics: createMetricsRoute(deps.allowMetrics, deps.scrape),
    health: async (_request, response) => {
      if (deps.isDraining()) return sendJson(response, 503, { status: "draining" });
      await deps.requireMigrated();
      sendJson(response, 200, { status: "ok" });
    },
    openapi: createOpenApiRoute(),
    page: createPageRoute(async (request) => authenticate(request), log),
    ui: createUiRoute(),
  };

  const safely = (name: RouteName) => async (request: express.Request, response: express.Response) => {
    try {
      await handlers[name](request, response);
    } catch (error) {
      // Meta must never meet the host's HTML error page.
      if (BROWSER.has(name)) answerBrowser(request, response, error, connect.returnPaths[0] as string, log);
      else answerError(response, error, log);
    }
  };
  const deliver: Deliver = async (request, response) => {
    try {
      await receiveDelivery(request, response);
    } catch (error) {
      answerError(response, error, log);
    } finally {
      deps.onDelivery(response.statusCode);
    }
  };
  const router = express.Router();
  for (const { name, method, path } of ROUTES) {
    const handler = safely(name);
    const verb = VERBS[method];
    router[verb](path, (request: express.Request, response: express.Response) => void handler(request, response));
  }
  return { router: goStraight(router as unknown as Walk, deliver), deliver };
}

const VERBS = { GET: "get", POST: "post", PATCH: "patch", DELETE: "delete" } as const;

type Walk = Router & { handle: Router };

/**
 * The one route that carries load, as Meta spells it, goes straight to its handler: Express's walk through the layers
 * would be a twelfth of all the work until the 200. Any other spelling takes the walk, to the same handler.
 */
function goStraight(router: Walk, deliver: Deliver): Router {
  const walk = router.handle;
  router.handle = (request, response, next) => {
    if (request.method === DELIVERY.method && request.url === DELIVERY.path) void deliver(request, response);
    else walk.call(router, request, response, next);
  };
  return router;
}
