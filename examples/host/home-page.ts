/** The page at `/`: says what runs here and offers the login to a browser on this machine. */
import type { Request, Response } from "express";
import { isLoopback } from "./settings.ts";

export function createHomePage({
  apiKey,
  isSignedIn,
}: {
  readonly apiKey: string;
  readonly isSignedIn: (request: Request) => boolean;
}) {
  return (request: Request, response: Response): void => {
    const door = isSignedIn(request)
      ? `<p>Signed in as the demo tenant. <a href="/dashboard/integrations">Integrations</a> · <a href="/api/whatsapp/ui/">WhatsApp</a> · <a href="/api/whatsapp/status">Connection status</a></p>`
      : isFromHere(request)
        ? `<p><a href="/login?key=${encodeURIComponent(apiKey)}">Sign in as the demo tenant</a></p>`
        : `<p>Sign in at <code>/login?key=…</code></p>`;
    // The page may hold the key.
    response
      .set("cache-control", "no-store")
      .type("html")
      .send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Example host</title>
<style>body{font:16px/1.5 system-ui;margin:3rem auto;max-width:40rem;padding:0 1rem}:root{color-scheme:light dark}code{font-size:.9em}</style>
<h1>Example host</h1>
<p>A chat platform with a WhatsApp channel: <code>@omniops/whatsapp</code> is mounted at <code>/api/whatsapp</code>.</p>
${door}
<p><a href="/api/whatsapp/health">Health</a></p>
</html>
`);
  };
}

/** A tunnel that lets Meta in also comes from this machine, but under its own name: it must not hand out the key. */
function isFromHere(request: Request): boolean {
  return (
    isLoopback(request.socket.remoteAddress ?? "") &&
    isLoopback(request.hostname) &&
    request.headers["x-forwarded-for"] === undefined &&
    request.headers.forwarded === undefined
  );
}
