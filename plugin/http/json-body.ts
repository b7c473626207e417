/** The JSON of a tenant's request, whether or not the host's parser has read it before us. */
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
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

/**
 * The same, checked.
 * @throws ChannelError REQUEST_INVALID naming every place that is wrong.
 */
export async function readBody<Schema extends z.ZodType>(
  request: Parameters<typeof readJsonBody>[0],
  schema: Schema,
  fallback?: object,
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(await readJsonBody(request, fallback));
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/** Every problem by its place in the body. */
export function invalid(error: z.ZodError): ChannelError {
  const problems = error.issues.flatMap((issue) => problemsOf(issue));
  return new ChannelError("REQUEST_INVALID", problems.join("; "));
}

/** Names the place inside an alternative too, once the value is clearly meant to be that one. */
function problemsOf(issue: z.core.$ZodIssue, at: readonly PropertyKey[] = []): readonly string[] {
  const path = [...at, ...issue.path];
  const alternatives = issue.code === "invalid_union" ? issue.errors : [];
  const meant = alternatives.find(
    (issues) => !issues.some((one) => one.code === "invalid_type" && one.path.length === 0),
  );
  if (meant !== undefined) return meant.flatMap((one) => problemsOf(one, path));
  return [`${path.join(".") || "body"}: ${issue.message}`];
}
