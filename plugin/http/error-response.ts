/** ChannelError → status and JSON: the only mapping. What is not ours to show becomes a code and nothing else. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChannelError, ERROR_STATUS } from "../errors.ts";
import type { Logger } from "../ports.ts";

export function answerError(response: ServerResponse, error: unknown, log: Logger): void {
  const { status, code, message, problems } = statusOfError(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  // A signature or token that does not fit is told nothing that would help the next guess.
  if (status === 401) {
    // Its body was perhaps not read: Node would take in all of it before the next request, however long it is.
    response.setHeader("connection", "close");
    response.end();
    return;
  }
  if (status === 413 || status === 400 || status === 415 || isUnread(response.req))
    response.setHeader("connection", "close");
  if (status === 503) response.setHeader("retry-after", "5");
  sendJson(response, status, { error: { code, message, problems } });
}

/** Somebody is still sending, perhaps for long: an end to it is cheaper than the rest. */
function isUnread({ complete, method }: IncomingMessage): boolean {
  return !complete && method !== "GET";
}

/** What a caller is told of an error. What is ours to mend is logged. */
export function statusOfError(
  error: unknown,
  log: Logger,
): Pick<ChannelError, "message" | "problems"> & { readonly status: number; readonly code: string } {
  const known = error instanceof ChannelError ? error : null;
  const status = known === null ? 500 : ERROR_STATUS[known.code];
  const code = known?.code ?? "INTERNAL";
  // Whoever floods us must not fill the log as well.
  if (status >= 500 && code !== "OVERLOADED")
    log.error(
      { code, error: error instanceof Error ? error.name : typeof error, cause: causeOf(error) },
      known?.message ?? "request failed",
    );
  return { status, code, message: known?.message ?? "Internal error.", problems: known?.problems };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  response.end(JSON.stringify(body));
}

/** Its class and code; a database's message may quote a row. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return undefined;
  const code = (cause as { code?: unknown }).code;
  return typeof code === "string" ? `${cause.name} ${code}` : cause.name;
}
