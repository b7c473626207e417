/** What a newcomer can do while the demo runs: the page, the database, a webhook of their own. */
import { CHAT_NUMBER, YOU } from "./cast.ts";
import { API_KEY, APP_SECRET, type Stage } from "./stage.ts";
import type { Paint } from "./terminal.ts";

export function whereToLook({ host, databaseUrl }: Stage, paint: Paint): string {
  const channel = `${host.url}/api/whatsapp`;
  return `${paint.bold("It keeps running. Look around:")}

  ${paint.bold("Page")}      ${host.url}/login?key=${API_KEY}
  ${paint.bold("API")}       curl -H 'Authorization: Bearer ${API_KEY}' ${channel}/status
  ${paint.bold("Database")}  DATABASE_URL=${databaseUrl}
            psql ${databaseUrl} -c 'select role, status, content from messages order by created_at desc limit 5'
  ${paint.bold("Webhook")}   a signed one of your own, answered below:

${signedText(`${channel}/webhook`)}
`;
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
