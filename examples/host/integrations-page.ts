/** The page at `/dashboard/integrations`: where a tenant connects WhatsApp, with the channel's own element. */
import type { Request, Response } from "express";

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:44rem;padding:2rem 1.5rem}
a{color:light-dark(#0b6a3f,#7fd9a8)}
nav{font-size:.875rem}nav ol{display:flex;gap:.5rem;margin:0;padding:0;list-style:none}nav li+li::before{content:"›";margin-inline-end:.5rem}
h1{margin:.25rem 0 1.5rem;font-size:1.75rem}whatsapp-connect:not(:defined){display:block;min-height:13rem}`;

export function createIntegrationsPage({ isSignedIn }: { readonly isSignedIn: (request: Request) => boolean }) {
  return (request: Request, response: Response): void => {
    const isIn = isSignedIn(request);
    const flow = request.query.flow === "popup" ? "popup" : "redirect";
    response
      .status(isIn ? 200 : 403)
      .set("cache-control", "no-store")
      .type("html")
      .send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Integrations · Example host</title>
<style>${STYLE}</style>
<nav aria-label="Breadcrumb"><ol><li><a href="/">Settings</a></li><li aria-current="page">Integrations</li></ol></nav>
<main>
<h1>Integrations</h1>
${isIn ? elementOf(flow) : `<p>You are not signed in. <a href="/">Sign in</a>, then come back.</p>`}
</main>
</html>
`);
  };
}

function elementOf(flow: "popup" | "redirect"): string {
  return `<script type="module" src="/api/whatsapp/ui/whatsapp-connect.js"></script>
<whatsapp-connect flow="${flow}"></whatsapp-connect>
<p><a href="/api/whatsapp/ui/">Health, messages, templates and all else of WhatsApp</a></p>`;
}
