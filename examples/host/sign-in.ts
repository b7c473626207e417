/** Who is asking: a Bearer key for scripts, a cookie session for browsers, both the demo tenant. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Session } from "@omniops/whatsapp";
import type { Request, Response } from "express";
import { DEMO_TENANT } from "./settings.ts";

const COOKIE = "host_session";

export function createSignIn(apiKey: string) {
  const sessions = new Set<string>();

  return {
    /** What `createWhatsAppPlugin({ authenticate })` takes. */
    authenticate(request: Request): Session | null {
      const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? "")?.[1];
      if (bearer !== undefined) return same(bearer, apiKey) ? sessionOf(bearer) : null;
      const cookie = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];
      return cookie !== undefined && sessions.has(cookie) ? sessionOf(cookie) : null;
    },

    login(request: Request, response: Response): void {
      if (typeof request.query.key !== "string" || !same(request.query.key, apiKey)) {
        response.status(403).type("text/plain").send("Wrong key: it is HOST_API_KEY.\n");
        return;
      }
      const session = randomBytes(24).toString("base64url");
      sessions.add(session);
      response.cookie(COOKIE, session, { httpOnly: true, sameSite: "lax", path: "/" });
      response.redirect(303, ownPath(request.query.to) ?? "/");
    },
  };
}

/** Never another site: `//elsewhere` and `/\elsewhere` are one, for a browser. */
function ownPath(to: unknown): string | null {
  return typeof to === "string" && /^\/(?![/\\])/.test(to) ? to : null;
}

/** One person, who may do everything. A platform with several looks these up, and lets few of them connect numbers. */
function sessionOf(sessionId: string): Session {
  return { customerConfigId: DEMO_TENANT, userId: "demo", sessionId, permissions: ["connect", "operate"] };
}

function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
