/** The JSON of a tenant's request, whether or not the host's parser has read it before us. */
import type { IncomingMessage } from "node:http";
import { ChannelError } from "../errors.ts";
import { readRawBody } from "./raw-body.ts";

export async function readJsonBody(request: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
  const { body } = request;
  const isParsed =
    typeof body === "object" && body !== null && !(body instanceof Uint8Array) && Object.keys(body).length > 0;
  if (isParsed) return body;
  const text = new TextDecoder().decode(await readRawBody(request));
  try {
    return JSON.parse(text);
  } catch {
    throw new ChannelError("REQUEST_INVALID", "The body is not JSON.");
  }
}
