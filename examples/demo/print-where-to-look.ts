/** What a newcomer can do while the demo runs: the page, the database, a webhook of their own. */
import { CHAT_NUMBER, NEW_NUMBER, YOU } from "./cast.ts";
import { API_KEY, APP_SECRET, type Stage } from "./stage.ts";
import type { Paint } from "./terminal.ts";

export function whereToLook({ host, meta, you, databaseUrl }: Stage, paint: Paint): string {
  const channel = `${host.url}/api/whatsapp`;
  const signedIn = (path: string) => `${host.url}/login?key=${API_KEY}&to=${path}`;
  const rows = [
    [
      "Phone",
      meta.phoneUrlOf(you, CHAT_NUMBER.phoneNumberId),
      `WhatsApp, simulated: you and ${CHAT_NUMBER.verifiedName}; write "help", or let things go wrong in its drawer`,
    ],
    ["Page", signedIn("/api/whatsapp/ui/"), "numbers, health, messages, templates, webhooks, dead letters"],
    [
      "Connect",
      signedIn("/dashboard/integrations"),
      `a page of the host's; its button connects ${NEW_NUMBER.verifiedName} at the simulated Meta`,
    ],
    ["API", `curl -H 'Authorization: Bearer ${API_KEY}' ${channel}/status`],
    ["Database", `psql ${databaseUrl}`, "it is temporary; other tools take the same address as DATABASE_URL"],
    [
      "Record",
      "in another terminal, once you have chatted; then docs/qa.md shows how it is replayed and compared",
      `npm run cli -- record --database-url ${databaseUrl} --person +${YOU.phoneNumber} --text keep --out recordings/mine`,
    ],
    [
      "Webhook",
      "a message signed as Meta signs it; paste the line, and the answer appears here",
      "",
      signedText(`${channel}/webhook`),
    ],
    [
      "Chat",
      process.stdin.isTTY
        ? "type a message here and press Enter, or /send docs/connect/connected.png"
        : "needs a terminal: start the demo in one",
    ],
    ["Stop", "Ctrl-C: nothing is left behind"],
  ];
  const lines = rows.map(([name = "", ...rest]) => `  ${paint.bold(name.padEnd(8))}  ${rest.join("\n            ")}`);
  return `${paint.bold("It keeps running")}\n\n${lines.join("\n")}\n`;
}

/** Pasted into any shell it signs what it sends, as Meta does. */
function signedText(url: string): string {
  const payload = {
    object: "whatsapp_business_account",
    entry: [
      {
        id: CHAT_NUMBER.wabaId,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: {
                display_phone_number: CHAT_NUMBER.displayPhoneNumber.replace(/\D/g, ""),
                phone_number_id: CHAT_NUMBER.phoneNumberId,
              },
              contacts: [{ profile: { name: YOU.name }, wa_id: YOU.phoneNumber }],
              messages: [
                {
                  from: YOU.phoneNumber,
                  // The shell fills in the time: an id that Meta has sent before is not answered twice.
                  id: "wamid.curl-'$(date +%s)'",
                  timestamp: "'$(date +%s)'",
                  type: "text",
                  text: { body: "Hello from curl" },
                },
              ],
            },
          },
        ],
      },
    ],
  };
  return `body='${JSON.stringify(payload)}'; curl -sS -w '%{http_code}\\n' ${url} -H 'content-type: application/json' -H "x-hub-signature-256: sha256=$(printf %s "$body" | openssl dgst -sha256 -hmac ${APP_SECRET} | sed 's/.*= *//')" --data-binary "$body"`;
}
