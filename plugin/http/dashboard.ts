/** Where connecting ends: the host's dashboard, with `whatsapp_connected=true` or `whatsapp_error=<code>`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { withResult } from "../connect/return-path.ts";
import { ChannelError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import { answerError, statusOfError } from "./error-response.ts";

/** A clean address at once: the code in the old one must reach no history, log or Referer. */
export function goTo(response: ServerResponse, status: 302 | 303, location: string): void {
  response.statusCode = status;
  response.setHeader("location", location);
  noTrace(response);
  response.end();
}

/** `INVALID_STATE` → `invalid_state`, as it stands in the address. */
export function codeInUrl(error: unknown): string {
  return (error instanceof ChannelError ? error.code : "INTERNAL").toLowerCase();
}

/** A refusal keeps its status, for whoever looks at it, and still brings a browser to the dashboard, with the reason. */
export function answerBrowser(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  dashboard: string,
  log: Logger,
): void {
  const location = withResult(dashboard, { whatsapp_error: codeInUrl(error) });
  noTrace(response);
  if (!response.headersSent) response.setHeader("refresh", `0; url=${location}`);
  if (!(request.headers.accept ?? "").includes("text/html")) {
    answerError(response, error, log);
    return;
  }
  const { status, message } = statusOfError(error, log);
  response.statusCode = status;
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  response.setHeader("x-content-type-options", "nosniff");
  response.end(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>WhatsApp is not connected</title>
<p>${escapeHtml(message)}</p>
<p><a href="${escapeHtml(location)}">Back</a></p>
`);
}

function noTrace(response: ServerResponse): void {
  response.setHeader("cache-control", "no-store");
  response.setHeader("referrer-policy", "no-referrer");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
