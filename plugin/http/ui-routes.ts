/** The browser's modules: static JavaScript, the same for everybody, read from beside this package's code and from lit's. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { LIT_FILES, litFile, withLitAt } from "./lit-files.ts";

/** The element and every module that it imports. */
export const UI_FILES = [
  "whatsapp-connect.js",
  "api.js",
  "dom.js",
  "embedded-signup.js",
  "progress.js",
  "returned.js",
  "sentences.js",
  "style.js",
  "texts.js",
  "views.js",
] as const;

/** The integrations page's own, in `ui/page/`. */
export const PAGE_FILES = [
  "page.js",
  "api.js",
  "changes.js",
  "dead-letters.js",
  "format.js",
  "health.js",
  "icons.js",
  "lit.js",
  "loading.js",
  "messages.js",
  "navigation.js",
  "numbers.js",
  "overview.js",
  "parts.js",
  "place.js",
  "standing.js",
  "style.js",
  "template-draft.js",
  "template-form.js",
  "template-preview.js",
  "templates.js",
  "view.js",
  "webhooks.js",
  "whatsapp-text.js",
  "words.js",
] as const;

type File = { readonly bytes: Uint8Array; readonly zipped: Uint8Array; readonly etag: string };

/** As Express tells it: the route and its parameters, however the request has spelt them. */
type Routed = IncomingMessage & {
  readonly route?: { readonly path: string };
  readonly params?: Readonly<Record<string, string | readonly string[] | undefined>>;
};

export function createUiRoute() {
  const files = new Map<string, File>();

  return async (request: Routed, response: ServerResponse): Promise<void> => {
    const path = pathOf(request);
    response.setHeader("x-content-type-options", "nosniff");
    if (path === null) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const file = files.get(path) ?? (await readUiFile(path));
    files.set(path, file);
    const { headers } = request;
    // The modules belong together: after an upgrade no browser may mix old ones with new ones.
    response.setHeader("cache-control", "public, no-cache");
    response.setHeader("etag", file.etag);
    response.setHeader("vary", "accept-encoding");
    if (knows(headers["if-none-match"], file.etag)) {
      response.statusCode = 304;
      response.end();
      return;
    }
    const isZipped = /\bgzip\b/.test(String(headers["accept-encoding"]));
    const bytes = isZipped ? file.zipped : file.bytes;
    response.statusCode = 200;
    response.setHeader("content-type", "text/javascript; charset=utf-8");
    response.setHeader("content-length", bytes.byteLength);
    if (isZipped) response.setHeader("content-encoding", "gzip");
    response.end(request.method === "HEAD" ? undefined : bytes);
  };
}

/** Null for a name that is none of ours: what a request says never becomes a path. */
function pathOf({ route, params }: Routed): string | null {
  const wanted = String(params?.file ?? "");
  const folder = (names: readonly string[], at: string) => {
    const name = names.find((one) => one === wanted);
    return name === undefined ? null : `${at}/${name}`;
  };
  if (route?.path === "/ui/page/:file") return folder(PAGE_FILES, "page");
  if (route?.path === "/ui/lit/:file") return folder(LIT_FILES, "lit");
  return UI_FILES.find((one) => route?.path === `/ui/${one}`) ?? null;
}

async function readUiFile(path: string): Promise<File> {
  const bytes = path.startsWith("lit/")
    ? withLitAt("./", await readFile(litFile(path.slice(4)), "utf8"))
    : path === "page/lit.js"
      ? withLitAt("../lit/", await readFile(new URL(`../../ui/${path}`, import.meta.url), "utf8"))
      : await readFile(new URL(`../../ui/${path}`, import.meta.url));
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, zipped: await promisify(gzip)(bytes), etag };
}

/** Weak tags, because the same file goes out with and without compression. */
function knows(header: string | undefined, etag: string): boolean {
  return (header ?? "").split(",").some((one) => one.trim() === etag);
}
