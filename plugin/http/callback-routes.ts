/** Meta's two callbacks about a person, and the page that tells them that they were forgotten. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DataDeletion } from "../connect/data-deletion.ts";
import { readSignedRequest, type SignedRequest } from "../connect/read-signed-request.ts";
import { ChannelError } from "../errors.ts";
import { isStorable } from "../storable.ts";
import { sendJson } from "./error-response.ts";
import type { TenantRequest } from "./session.ts";
import type { ReadUnproven } from "./unproven-reads.ts";

export type CallbackDeps = DataDeletion & {
  /** Any of them may have signed. */
  readonly secrets: readonly string[];
  readonly now: () => Date;
};

type CallbackRequest = IncomingMessage & { readonly body?: unknown };

const MAX_BODY_BYTES = 16 * 1024;
const MAX_CODE_LENGTH = 100;

export function createCallbackRoutes(
  { secrets, now, deauthorize, deleteData, erasure }: CallbackDeps,
  readBody: ReadUnproven,
) {
  async function read(request: CallbackRequest): Promise<SignedRequest> {
    const text = await readField(request, "signed_request", readBody);
    return readSignedRequest(text, secrets, now());
  }

  return {
    deauthorize: async (request: CallbackRequest, response: ServerResponse): Promise<void> => {
      await deauthorize(await read(request));
      response.statusCode = 200;
      response.end();
    },

    dataDeletion: async (request: CallbackRequest, response: ServerResponse): Promise<void> => {
      const { url, code } = await deleteData(await read(request));
      sendJson(response, 200, { url, confirmation_code: code });
    },

    deletionStatus: async (request: TenantRequest, response: ServerResponse): Promise<void> => {
      const { code } = request.params;
      const isCode = typeof code === "string" && code.length <= MAX_CODE_LENGTH && isStorable(code);
      const found = isCode ? await erasure(code) : undefined;
      const isPage = request.headers.accept?.includes("text/html") === true;
      if (found === undefined && !isPage)
        throw new ChannelError("ERASURE_UNKNOWN", "There is no deletion with this code.");
      if (isPage) sendPage(response, found);
      else sendJson(response, 200, { status: statusOf(found), deleted_at: found?.completedAt ?? null });
    },
  };
}

/** Of a form, whether or not the host's parser has read it before us. */
async function readField(request: CallbackRequest, name: string, readBody: ReadUnproven): Promise<unknown> {
  const { body } = request;
  const isParsed = typeof body === "object" && body !== null && !(body instanceof Uint8Array);
  if (isParsed && (Object.keys(body).length > 0 || request.readableEnded)) {
    const value = Object.hasOwn(body, name) ? (body as Readonly<Record<string, unknown>>)[name] : undefined;
    return typeof value === "string" && value.length <= MAX_BODY_BYTES ? value : null;
  }
  const text = typeof body === "string" ? body : await readText(request, readBody);
  const values = text.length <= MAX_BODY_BYTES ? new URLSearchParams(text).getAll(name) : [];
  return values.length === 1 ? values[0] : null;
}

/** What cannot be read is not signed either. */
async function readText(request: CallbackRequest, readBody: ReadUnproven): Promise<string> {
  const bytes = await readBody(request, MAX_BODY_BYTES).catch(() => null);
  return bytes === null ? "" : Buffer.from(bytes).toString("utf8");
}

type Found = Awaited<ReturnType<CallbackDeps["erasure"]>>;

function statusOf(found: Found): "deleted" | "pending" {
  return found?.completedAt ? "deleted" : "pending";
}

function sendPage(response: ServerResponse, found: Found): void {
  const said =
    found === undefined
      ? "There is no deletion with this code."
      : found.completedAt === null
        ? "Your data is being deleted."
        : `Your data was deleted on ${found.completedAt.toISOString().slice(0, 10)}.`;
  response.statusCode = found === undefined ? 404 : 200;
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "default-src 'none'");
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Data deletion</title><p>${said}</p></html>\n`,
  );
}
