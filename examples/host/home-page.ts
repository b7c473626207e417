/** The page at `/`: says what runs here and offers the login to a browser on this machine. */
import type { Request, Response } from "express";

export function createHomePage({
  apiKey,
  isSignedIn,
}: {
  readonly apiKey: string;
  readonly isSignedIn: (request: Request) => boolean;
}) {
  return (request: Request, response: Response): void => {
    const isLocal = ["127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(request.socket.remoteAddress ?? "");
    const door = isSignedIn(request)
      ? `<p>Signed in as the demo tenant. <a href="/api/whatsapp/status">Connection status</a></p>`
      : isLocal
        ? `<p><a href="/login?key=${encodeURIComponent(apiKey)}">Sign in as the demo tenant</a></p>`
        : `<p>Sign in at <code>/login?key=…</code></p>`;
    response.type("html").send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Example host</title>
<style>body{font:16px/1.5 system-ui;margin:3rem auto;max-width:40rem;padding:0 1rem;color-scheme:light dark}code{font-size:.9em}</style>
<h1>Example host</h1>
<p>A chat platform with a WhatsApp channel: <code>@omniops/whatsapp</code> is mounted at <code>/api/whatsapp</code>.</p>
${door}
<p><a href="/api/whatsapp/health">Health</a></p>
</html>
`);
  };
}
