/** The custom element's modules: static JavaScript, the same for everybody, read from beside this package's code. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

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

type UiFile = (typeof UI_FILES)[number];
type File = { readonly bytes: Uint8Array; readonly zipped: Uint8Array; readonly etag: string };

/** As Express tells it: the path of the route, however the request has spelt it. */
type Routed = IncomingMessage & { readonly route?: { readonly path: string } };

export function createUiRoute() {
  const files = new Map<UiFile, File>();

  return async (request: Routed, response: ServerResponse): Promise<void> => {
    const name = UI_FILES.find((one) => request.route?.path === `/ui/${one}`) ?? "whatsapp-connect.js";
    const file = files.get(name) ?? (await readUiFile(name));
    files.set(name, file);
    const { headers } = request;
    response.setHeader("x-content-type-options", "nosniff");
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

async function readUiFile(name: UiFile): Promise<File> {
  const bytes = await readFile(new URL(`../../ui/${name}`, import.meta.url));
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, zipped: await promisify(gzip)(bytes), etag };
}

/** Weak tags, because the same file goes out with and without compression. */
function knows(header: string | undefined, etag: string): boolean {
  return (header ?? "").split(",").some((one) => one.trim() === etag);
}
