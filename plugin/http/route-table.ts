/** Every route, relative to the mount point: the router is built from it and the manifest lists it. */
import type { ManifestRoute } from "../contract.ts";
import { UI_FILES } from "./ui-routes.ts";

export const ROUTES = [
  { name: "handshake", method: "GET", path: "/webhook", auth: "meta" },
  { name: "delivery", method: "POST", path: "/webhook", auth: "meta" },
  { name: "deauthorize", method: "POST", path: "/oauth/deauthorize", auth: "meta" },
  { name: "dataDeletion", method: "POST", path: "/oauth/data-deletion", auth: "meta" },
  { name: "deletionStatus", method: "GET", path: "/oauth/data-deletion/:code", auth: "public" },
  { name: "status", method: "GET", path: "/status", auth: "tenant" },
  { name: "doctor", method: "GET", path: "/doctor", auth: "tenant" },
  { name: "authorize", method: "GET", path: "/oauth/authorize", auth: "tenant" },
  { name: "callback", method: "GET", path: "/oauth/callback", auth: "tenant" },
  { name: "embeddedSignup", method: "POST", path: "/oauth/embedded-signup", auth: "tenant" },
  { name: "onboarding", method: "GET", path: "/oauth/onboarding", auth: "tenant" },
  { name: "goOn", method: "POST", path: "/oauth/onboarding", auth: "tenant" },
  { name: "disconnect", method: "POST", path: "/disconnect", auth: "tenant" },
  { name: "send", method: "POST", path: "/send", auth: "tenant" },
  { name: "receipt", method: "GET", path: "/sends/:id", auth: "tenant" },
  { name: "session", method: "GET", path: "/sessions/:conversationId", auth: "tenant" },
  { name: "upload", method: "POST", path: "/media/upload", auth: "tenant" },
  { name: "download", method: "GET", path: "/media/download/:id", auth: "tenant" },
  { name: "sample", method: "POST", path: "/templates/samples", auth: "tenant" },
  { name: "templates", method: "GET", path: "/templates", auth: "tenant" },
  { name: "createTemplate", method: "POST", path: "/templates", auth: "tenant" },
  { name: "syncTemplates", method: "POST", path: "/templates/sync", auth: "tenant" },
  { name: "template", method: "GET", path: "/templates/:id", auth: "tenant" },
  { name: "editTemplate", method: "PATCH", path: "/templates/:id", auth: "tenant" },
  { name: "removeTemplate", method: "DELETE", path: "/templates/:id", auth: "tenant" },
  { name: "deadLetters", method: "GET", path: "/dead-letters", auth: "tenant" },
  { name: "redrive", method: "POST", path: "/dead-letters/redrive", auth: "tenant" },
  { name: "webhooks", method: "GET", path: "/webhooks", auth: "tenant" },
  { name: "webhook", method: "GET", path: "/webhooks/:id", auth: "tenant" },
  { name: "replay", method: "POST", path: "/webhooks/:id/replay", auth: "tenant" },
  { name: "messages", method: "GET", path: "/messages", auth: "tenant" },
  { name: "message", method: "GET", path: "/messages/:id", auth: "tenant" },
  { name: "changes", method: "GET", path: "/changes", auth: "tenant" },
  { name: "openapi", method: "GET", path: "/openapi.json", auth: "public" },
  { name: "metrics", method: "GET", path: "/metrics", auth: "host" },
  { name: "health", method: "GET", path: "/health", auth: "public" },
  { name: "page", method: "GET", path: "/ui/", auth: "tenant" },
  { name: "ui", method: "GET", path: "/ui/page/:file", auth: "public" },
  { name: "ui", method: "GET", path: "/ui/lit/:file", auth: "public" },
  ...UI_FILES.map((file) => ({ name: "ui", method: "GET", path: `/ui/${file}`, auth: "public" }) as const),
] as const satisfies readonly (ManifestRoute & { readonly name: string })[];

export const DELIVERY = { method: "POST", path: "/webhook" } as const satisfies Partial<(typeof ROUTES)[number]>;

export type RouteName = (typeof ROUTES)[number]["name"];
