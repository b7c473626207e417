/** `GET /ui/`: the integrations page, for somebody who is signed in. It says what they may do, and its modules do the rest. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChannelError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import { statusOfError } from "./error-response.ts";
import { LIT_FILES } from "./lit-files.ts";
import { type Permission, readSession, type Session } from "./session.ts";
import { PAGE_FILES, UI_FILES } from "./ui-routes.ts";

const PERMISSIONS: readonly Permission[] = ["connect", "operate"];

/** For the moment before the modules have come, and for the pages that have none. */
const STYLE =
  "body{margin:0;background:light-dark(#f4f7f5,#0e1411);color:light-dark(#16211b,#e9f0ec);font:1rem/1.5 system-ui,sans-serif}" +
  "body>main,whatsapp-page>p,noscript>p{max-width:36rem;margin:12vh auto 0;padding:1.5rem}h1{margin:0;font-size:1.5rem}code{color:light-dark(#56635c,#a3b1a9)}";

/**
 * Scripts and styles are ours and none is inline; nothing is sent anywhere else; nobody else shows it in a frame. What turns
 * text into markup is switched off in the browser, but for lit's own templates.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html",
].join("; ");

export function createPageRoute(
  ask: (request: IncomingMessage) => Promise<Parameters<typeof readSession>[0]>,
  log: Logger,
) {
  return async (
    request: IncomingMessage & { readonly originalUrl?: string },
    response: ServerResponse,
  ): Promise<void> => {
    const { pathname } = new URL(request.originalUrl ?? request.url ?? "/", "http://localhost");
    if (!pathname.endsWith("/")) {
      // Its modules are found relative to it.
      response.statusCode = 308;
      response.setHeader("location", `${pathname.slice(pathname.lastIndexOf("/") + 1)}/`);
      response.end();
      return;
    }
    try {
      answer(response, 200, pageFor(readSession(await ask(request))));
    } catch (error) {
      const isStranger = error instanceof ChannelError && error.code === "NOT_AUTHENTICATED";
      answer(response, isStranger ? 401 : statusOfError(error, log).status, isStranger ? STRANGER : BROKEN);
    }
  };
}

function answer(response: ServerResponse, status: number, html: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.setHeader("content-security-policy", POLICY);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  // It says what this person may do.
  response.setHeader("cache-control", "no-store");
  response.end(html);
}

function head(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<title>${title}</title>`;
}

/** Named at once: otherwise each module would be asked for only when the one that imports it has come. */
const MODULES = [
  ...PAGE_FILES.map((name) => `page/${name}`),
  ...UI_FILES,
  ...LIT_FILES.map((name) => `lit/${name}`),
].map((path) => `<link rel="modulepreload" href="${path}">`);

function pageFor({ permissions }: Session): string {
  const may = PERMISSIONS.filter((one) => permissions?.includes(one));
  return `${head("WhatsApp")}
${MODULES.join("\n")}
<script type="module" src="page/page.js"></script>
</head>
<body>
<whatsapp-page permissions="${may.join(" ")}"><p>Loading…</p></whatsapp-page>
<noscript><p>This page needs JavaScript.</p></noscript>
</body>
</html>
`;
}

const STRANGER = `${head("Sign in first · WhatsApp")}
</head>
<body>
<main>
<h1>You are not signed in</h1>
<p>This page shows the WhatsApp channel of one account. Sign in to your platform in this browser, then open this page again.</p>
<p>Signed in already? Then the session has ended, or the platform does not know it here. (For its developer: <code>authenticate</code> returned nobody for this request, NOT_AUTHENTICATED.)</p>
</main>
</body>
</html>
`;

const BROKEN = `${head("Not available · WhatsApp")}
</head>
<body>
<main>
<h1>This page is not available right now</h1>
<p>Nothing is lost: messages are received and answered meanwhile. Load the page again in a minute; if that does not help, tell the operator of this platform.</p>
</main>
</body>
</html>
`;
