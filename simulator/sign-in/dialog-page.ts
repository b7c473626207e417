/** The pages of the sign-in dialog: one file of HTML and CSS, with nothing to load. */
import { randomBytes } from "node:crypto";
import type { AccountRecord } from "../accounts/account-book.ts";
import { nameOf } from "../accounts/nodes.ts";
import type { GraphAnswer } from "../graph-error.ts";

export function dialogPage(about: {
  /** Where the form goes. */
  readonly action: string;
  readonly appName: string;
  readonly userName: string;
  readonly scopes: readonly string[];
  readonly accounts: readonly AccountRecord[];
  readonly problem: string | null;
}): GraphAnswer {
  const app = escaped(about.appName);
  return htmlPage(
    200,
    `Connect ${app}`,
    `<p class="who">Signed in as <strong>${escaped(about.userName)}</strong></p>
<h1>Connect ${app} to WhatsApp</h1>
<form method="post" action="${escaped(about.action)}">
<fieldset><legend>Accounts that ${app} may use</legend>
${about.problem === null ? "" : `<p role="alert">${escaped(about.problem)}</p>`}
${about.accounts.map(accountChoice).join("\n") || "<p>You have no WhatsApp Business account.</p>"}
</fieldset>
<section aria-labelledby="asks"><h2 id="asks">${app} asks for</h2>
<ul>${about.scopes.map((scope) => `<li>${meaningOf(scope)}<code>${escaped(scope)}</code></li>`).join("")}</ul></section>
<div class="buttons"><button name="decision" value="continue">Continue</button>
<button name="decision" value="cancel" class="quiet">Cancel</button></div>
</form>`,
  );
}

/** Meta keeps the browser where it is: an address that is not registered must not receive anything. */
export function blockedPage({ title, message }: { readonly title: string; readonly message: string }): GraphAnswer {
  return htmlPage(400, escaped(title), `<h1>${escaped(title)}</h1>\n<p role="alert">${escaped(message)}</p>`);
}

/** Tells the opener, in this order, and goes away. */
export function popupResultPage(messages: readonly string[], origin: string): GraphAnswer {
  const nonce = randomBytes(16).toString("base64");
  const told = JSON.stringify({ messages, origin }).replaceAll("<", "\\u003c");
  return htmlPage(
    200,
    "One moment",
    `<h1>You can close this window.</h1>
<script nonce="${nonce}">const { messages, origin } = ${told};
if (window.opener) for (const message of messages) window.opener.postMessage(message, origin);
window.close();</script>`,
    nonce,
  );
}

function accountChoice(account: AccountRecord, index: number): string {
  const numbers = account.numbers.map(({ about }) => `${about.displayPhoneNumber} · ${about.verifiedName}`);
  const id = `account-${index}`;
  return `<div class="account"><input type="checkbox" id="${id}" name="waba_${escaped(account.wabaId)}" checked aria-describedby="${id}-numbers">
<label for="${id}">${escaped(nameOf(account) || account.wabaId)}</label>
<p id="${id}-numbers">Account ${escaped(account.wabaId)}<br>${numbers.map(escaped).join("<br>") || "No phone number yet"}</p></div>`;
}

function meaningOf(scope: string): string {
  const meaning = MEANINGS[scope];
  return meaning === undefined ? "" : `${meaning}<br>`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  whatsapp_business_management: "Manage your WhatsApp accounts, numbers and templates",
  whatsapp_business_messaging: "Send and receive WhatsApp messages",
  business_management: "See your business portfolios",
};

function htmlPage(httpStatus: number, title: string, main: string, nonce: string | null = null): GraphAnswer {
  return {
    httpStatus,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Frame-Options": "DENY",
      "Content-Security-Policy": `default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'${nonce === null ? "" : `; script-src 'nonce-${nonce}'`}`,
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Meta (simulated)</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>Meta (simulated)</header>
<main>
${main}
</main>
</body>
</html>
`,
  };
}

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ground:#f0f2f5;--ink:#1c2b33;--soft:#5a6b75;--line:#cbd2d9;--blue:#0064e0;--on-blue:#fff;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--paper:#1c2226;--ground:#11161a;--ink:#e9eef1;--soft:#a5b1b9;--line:#3b464e;--blue:#6cb0ff;--on-blue:#06213f;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
header{max-width:32rem;margin:0 auto;padding:1.25rem 1rem .75rem;font-weight:600;color:var(--soft)}
main{max-width:32rem;margin:0 auto 2rem;padding:1.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{font-size:1.375rem;line-height:1.25;margin:.25rem 0 1.25rem}
h2,legend{font-size:1rem;font-weight:600;margin:0;padding:0}
fieldset{border:0;margin:0 0 1.5rem;padding:0}
.who{margin:0;color:var(--soft)}
.account{display:grid;grid-template-columns:auto 1fr;column-gap:.75rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
.account p{grid-column:2;margin:0;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
.account label{font-weight:500}
input{width:1.25rem;height:1.25rem;margin:.125rem 0 0;accent-color:var(--blue)}
ul{margin:.5rem 0 1.5rem;padding-left:1.25rem}
li{margin:.375rem 0}
code{color:var(--soft);font-size:.875em;overflow-wrap:anywhere}
[role=alert]{color:var(--bad)}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:0 1.5rem;border-radius:1.5rem;border:1px solid var(--blue);background:var(--blue);color:var(--on-blue);cursor:pointer}
button.quiet{background:none;color:var(--blue)}
:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
@media (max-width:34rem){main{border-radius:0;border-inline:0}.buttons button{flex:1}}
`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
