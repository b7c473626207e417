/** The phone's page and its API over HTTP, for browsers and tests on this machine and for nobody else. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isObject } from "../accepts.ts";
import type { SimulatedFile } from "../options.ts";
import { PAGE_CSS } from "../phone/page-style.js";
import { PHONE_CSS } from "../phone/style.js";
import { BadRequest, type PhoneActions } from "./phone-actions.ts";
import type { PhoneState } from "./phone-state.ts";

export type PhoneServer = {
  /** @returns whether the request was for the phone. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  /** Tells every page that something has changed. */
  announce(): void;
  close(): void;
};

const PHONE = /^\/phone(?:\/([a-z-]+\.(?:js|css)))?\/?$/;
const API = /^\/_phone\/([a-z-]+(?:\/[\w.-]+)?)$/;
/** This machine, by any of its names: a page of another origin that had our address by DNS still calls us by its own. */
const HERE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const MOST_JSON = 1024 * 1024;
const MOST_FILE = 100 * 1024 * 1024;
/** Changes come in crowds; a page looks once for a crowd. */
const GATHER_MS = 25;
const BEAT_MS = 20_000;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<title>Phone · WhatsApp (simulated)</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill='%23129b68' d='M12 2a10 10 0 0 0-8.6 15L2 22l5.2-1.400A10 10 0 1 0 12 2z'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/phone/phone.css">
<script type="module" src="/phone/page.js"></script>
</head>
<body><noscript>The phone needs JavaScript.</noscript></body>
</html>
`;
const SAFE = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

export function createPhoneServer(deps: {
  readonly actions: PhoneActions;
  readonly state: (chosen: { readonly person: string | null; readonly number: string | null }) => PhoneState;
  readonly fileOf: (id: string) => SimulatedFile | null;
}): PhoneServer {
  const { actions, state, fileOf } = deps;
  const listening = new Set<ServerResponse>();
  let gathering: NodeJS.Timeout | null = null;

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const refusal = refuseStranger(request);
    if (refusal !== null) return json(response, 403, { error: refusal });
    const [isPage, file] = PHONE.exec(url.pathname) ?? [];
    if (isPage !== undefined) return serveFile(request, response, file);
    const [, path = ""] = API.exec(url.pathname) ?? [];
    if (request.method === "GET" || request.method === "HEAD") return read(response, path, url);
    if (request.method !== "POST") return json(response, 405, { error: "This is read with GET and done with POST." });
    const mime = request.headers["content-type"] ?? "";
    const isFile = path === "files";
    const bytes = await readBytes(request, isFile ? MOST_FILE : MOST_JSON);
    if (bytes === null) return json(response, 413, { error: "That is larger than it may be." });
    if (isFile) return json(response, 200, actions.sendFile(url.searchParams, mime, bytes));
    // What a form of another page could post is not JSON.
    if (!mime.startsWith("application/json")) return json(response, 415, { error: "The body is application/json." });
    const done = actions.run(path, parsed(bytes));
    return done === null ? json(response, 404, { error: "There is no such action." }) : json(response, 200, done);
  }

  async function read(response: ServerResponse, path: string, { searchParams: query }: URL): Promise<void> {
    if (path === "state")
      return json(response, 200, state({ person: query.get("person"), number: query.get("number") }));
    if (path === "events") return listen(response);
    const file = path === "files" ? fileOf(query.get("id") ?? "") : null;
    if (file === null) return json(response, 404, { error: "There is no such thing." });
    const isShown = /^(image\/(jpeg|png|webp|gif)|video\/|audio\/)/.test(file.mime);
    response.writeHead(200, {
      ...SAFE,
      // Anything that a browser might run is saved and not shown.
      "Content-Type": isShown ? file.mime : "application/octet-stream",
      "Content-Disposition": isShown ? "inline" : "attachment",
      "Content-Length": file.bytes.byteLength,
      "Cache-Control": "private, max-age=3600",
    });
    response.end(file.bytes);
  }

  function listen(response: ServerResponse): void {
    response.writeHead(200, { ...SAFE, "Content-Type": "text/event-stream; charset=utf-8" });
    response.write("data: hello\n\n");
    listening.add(response);
    const beat = setInterval(() => response.write(":\n\n"), BEAT_MS);
    response.once("close", () => {
      clearInterval(beat);
      listening.delete(response);
    });
  }

  return {
    serve(request, response) {
      const url = new URL(request.url ?? "/", "http://phone.invalid");
      if (!PHONE.test(url.pathname) && !url.pathname.startsWith("/_phone/")) return false;
      answer(request, response, url).catch((error: unknown) => {
        if (response.headersSent || response.destroyed) return;
        // What a method of the simulator refuses is the caller's mistake as well, and says so.
        const message = error instanceof Error ? error.message : String(error);
        json(response, error instanceof BadRequest ? 400 : 422, { error: message });
      });
      return true;
    },
    announce() {
      if (listening.size === 0 || gathering !== null) return;
      gathering = setTimeout(() => {
        gathering = null;
        for (const response of listening) response.write("data: changed\n\n");
      }, GATHER_MS);
    },
    close() {
      if (gathering !== null) clearTimeout(gathering);
      for (const response of listening) response.end();
    },
  };
}

/** Only what calls us by a name of this machine, and only pages of our own. */
function refuseStranger({ headers, method }: IncomingMessage): string | null {
  const host = headers.host ?? "";
  if (!HERE.test(host)) return "The phone answers on localhost only. Open it by http://127.0.0.1 and its port.";
  if (headers.origin !== undefined && headers.origin !== `http://${host}`)
    return "The phone answers its own page, and programs that are no browser.";
  const site = headers["sec-fetch-site"];
  // A link to the page may be anywhere; what is behind it is for the page alone.
  const isLink = method === "GET" && headers["sec-fetch-mode"] === "navigate";
  return site === undefined || site === "same-origin" || site === "none" || isLink
    ? null
    : "The phone answers its own page, and programs that are no browser.";
}

async function serveFile(request: IncomingMessage, response: ServerResponse, name: string | undefined): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return json(response, 405, { error: "The page is read." });
  if (name === undefined) return text(response, "text/html; charset=utf-8", PAGE);
  if (name === "phone.css") return text(response, "text/css; charset=utf-8", PHONE_CSS + PAGE_CSS);
  if (!name.endsWith(".js")) return json(response, 404, { error: "There is no such file." });
  try {
    text(
      response,
      "text/javascript; charset=utf-8",
      await readFile(new URL(`../phone/${name}`, import.meta.url), "utf8"),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    json(response, 404, { error: "There is no such file." });
  }
}

function text(response: ServerResponse, type: string, content: string): void {
  response.writeHead(200, { ...SAFE, "Content-Type": type, "Content-Length": Buffer.byteLength(content) });
  response.end(content);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const content = JSON.stringify(body);
  response.writeHead(status, {
    ...SAFE,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(content),
  });
  response.end(content);
  if (!response.req.complete) response.req.resume();
}

async function readBytes(request: IncomingMessage, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= most) chunks.push(chunk);
  }
  return length > most ? null : Buffer.concat(chunks);
}

function parsed(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString("utf8"));
    if (isObject(value)) return value;
  } catch {
    // Told below, as any other body that is no object.
  }
  throw new BadRequest("The body is not a JSON object.");
}
