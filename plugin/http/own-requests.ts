/** Whose page is behind a request that changes something: a browser adds the person's cookie to whatever any page makes it send. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ChannelError } from "../errors.ts";

type Asked = Pick<IncomingMessage, "method" | "headers">;

/** What a route takes: JSON or nothing, or a form with a file. */
export type Takes = "json" | "form";

/**
 * Browsers say themselves where a request comes from; programs say nothing.
 * @param appUrl the origin of the host's pages, where it is known: they may be at another address of the same site.
 * @throws ChannelError NOT_AUTHENTICATED.
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
export function refuseOtherPages({ method, headers }: Asked, takes: Takes, appUrl: string | null): void {
  if (isRead(method)) return;
  const { origin, host } = headers;
  const isHosts = origin !== undefined && origin === appUrl;
  const site = headers["sec-fetch-site"];
  if (site === "same-origin" || site === "none" || (site === "same-site" && isHosts)) return;
  // An old browser, or one that is not asked over https: it may send a form to anybody, but no JSON.
  const isFormOfOthers = takes === "form" && origin !== undefined && !isHosts && hostOf(origin) !== host;
  if (site === undefined && !isFormOfOthers) return;
  throw new ChannelError(
    "NOT_AUTHENTICATED",
    site === "cross-site"
      ? "Another site has sent this request."
      : "A page of another address has sent this request. (For the host's developer: if it is yours, NEXT_PUBLIC_APP_URL must be its address.)",
  );
}

/**
 * The other half, which needs no word of the browser's: another site's page can make it post text, forms and nothing at all, but for JSON it has to
 * ask us first, and nobody answers.
 * @throws ChannelError REQUEST_INVALID saying what to send.
 */
export function requireSafeType({ method, headers }: Asked, takes: Takes): void {
  // Whether it is a form, its reader says.
  if (isRead(method) || takes === "form") return;
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return;
  if (type === undefined && isEmpty(headers) && (method !== "POST" || isBeyondForms(headers))) return;
  throw new ChannelError(
    "REQUEST_INVALID",
    'Send the header "content-type: application/json", also where there is no body: a page of another site could not.',
  );
}

function isRead(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD";
}

function isEmpty(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
}

/** No page of another site can have these sent. A browser adds `Basic` by itself. */
function isBeyondForms(headers: IncomingHttpHeaders): boolean {
  return headers["sec-fetch-site"] === "same-origin" || /^bearer /i.test(headers.authorization ?? "");
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
