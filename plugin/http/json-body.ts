/** The JSON of a tenant's request, whether or not the host's parser has read it before us. */
import type { IncomingMessage } from "node:http";
import { ChannelError } from "../errors.ts";
import { readRawBody } from "./raw-body.ts";

/** @param fallback what an empty body means; left out where it is a mistake. */
export async function readJsonBody(
  request: IncomingMessage & { readonly body?: unknown },
  fallback?: object,
): Promise<unknown> {
  const { body } = request;
  const isObject = typeof body === "object" && body !== null && !(body instanceof Uint8Array);
  // Express 4 sets {} on requests that it did not read; on one that it did, {} is what was sent.
  if (isObject && (Object.keys(body).length > 0 || request.readableEnded)) return body;
  const text = new TextDecoder().decode(await readRawBody(request));
  if (text === "" && fallback !== undefined) return fallback;
  try {
    return JSON.parse(text);
  } catch {
    throw new ChannelError("REQUEST_INVALID", "The body is not JSON.");
  }
}
