/** ChannelError → status and JSON: the only mapping. What is not ours to show becomes a code and nothing else. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChannelError, ERROR_STATUS, nameOf } from "../errors.ts";
import type { Logger } from "../ports.ts";

/** Long enough for a busy client to read its answer, and for a flood to be slow. */
const LINGER_MS = 3_000;
/** Each holds up to 64 KiB of what came with its headers. */
const MAX_LINGERING = 256;
/** Of the whole process, as its memory is. */
let lingering = 0;

export function answerError(response: ServerResponse, error: unknown, log: Logger): void {
  const { status, code, message, problems } = statusOfError(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  // A signature or token that does not fit is told nothing that would help the next guess.
  if (status === 401) {
    response.setHeader("connection", "close");
    endAnswer(response, "");
    return;
  }
  if (status === 413 || status === 400 || status === 415) response.setHeader("connection", "close");
  if (status === 503) response.setHeader("retry-after", "5");
  sendJson(response, status, { error: { code, message, problems } });
}

/**
 * Sends the whole answer now. The connection of somebody who is still sending closes a moment later: closed at once, the kernel
 * resets it, which may overtake the answer, and whoever floods is back at once with a new one. What they send is not read.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
function endAnswer(response: ServerResponse, body: string): void {
  const { req: request } = response;
  if (request.complete || !hasBody(request)) {
    response.end(body);
    return;
  }
  response.setHeader("connection", "close");
  if (lingering >= MAX_LINGERING) {
    response.end(body);
    return;
  }
  lingering++;
  request.pause();
  response.setHeader("content-length", Buffer.byteLength(body));
  if (body === "") response.flushHeaders();
  else response.write(body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.once("close", () => {
    clearTimeout(timer);
    lingering--;
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
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
      {
        code,
        error: nameOf(error),
        cause: error instanceof Error && error.cause instanceof Error ? nameOf(error.cause) : undefined,
      },
      known?.message ?? "request failed",
    );
  return { status, code, message: known?.message ?? "Internal error.", problems: known?.problems };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  endAnswer(response, JSON.stringify(body));
}
