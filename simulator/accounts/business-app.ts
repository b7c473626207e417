/** /{phone}/smb_app_data: what a number shares that is also used with the WhatsApp Business app, and the webhooks with it. */
import { type GraphAnswer, refuse, titleOf } from "../graph-error.ts";
import { newRequestId, newWamid } from "../ids.ts";
import { ok } from "../node.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import { frame, secondsOf, type WireObject } from "../wire.ts";
import type { AccountRecord, NumberRecord } from "./account-book.ts";

const SYNC_TYPES = ["smb_app_state_sync", "history"];
const SYNC_WINDOW_MS = 24 * 60 * 60 * 1000;
const SYNC_FAILED = 2_593_109;
const CONTACT = { full_name: "Bo Li", first_name: "Bo", phone_number: "447700900999" };

export function synchronise(
  number: NumberRecord,
  account: AccountRecord,
  about: { readonly syncType: string | null; readonly now: Date; readonly sender: WebhookSender },
): GraphAnswer {
  const { syncType, now, sender } = about;
  if (!number.about.isOnBusinessApp)
    return refuse({ code: 100, message: "(#100) This number is not in use with the WhatsApp Business app." });
  if (syncType === null || !SYNC_TYPES.includes(syncType))
    return refuse({ code: 100, message: `(#100) Param sync_type must be one of {${SYNC_TYPES.join(", ")}}` });
  if (number.synced.includes(syncType)) return refuse({ code: 2593107 });
  if (now.getTime() - number.onboardedAt.getTime() > SYNC_WINDOW_MS) return refuse({ code: 2593108 });
  number.synced.push(syncType);
  const content = syncType === "history" ? historyOf(number, now) : { state_sync: [stateOf(now)] };
  void sender.send({
    kind: "account",
    lane: number.about.phoneNumberId,
    wamids: [],
    content: [{ wabaId: account.wabaId, field: syncType, value: { ...frame(number.about), ...content } }],
  });
  return ok({ messaging_product: "whatsapp", request_id: newRequestId() });
}

function stateOf(now: Date): WireObject {
  return { type: "contact", contact: CONTACT, action: "add", metadata: { timestamp: secondsOf(now) } };
}

function historyOf({ about }: NumberRecord, now: Date): WireObject {
  if (!(about.sharesHistory ?? true))
    return {
      history: [
        {
          errors: [
            {
              code: SYNC_FAILED,
              title: titleOf(SYNC_FAILED),
              message: titleOf(SYNC_FAILED),
              error_data: { details: "History sharing is turned off by the business" },
            },
          ],
        },
      ],
    };
  const own = about.displayPhoneNumber.replace(/\D/g, "");
  const person = CONTACT.phone_number;
  const at = (minutesAgo: number) => secondsOf(new Date(now.getTime() - minutesAgo * 60_000));
  return {
    history: [
      {
        metadata: { phase: 0, chunk_order: 1, progress: 100 },
        threads: [
          {
            id: person,
            messages: [
              {
                from: person,
                id: newWamid(),
                timestamp: at(120),
                type: "text",
                text: { body: "Do you bake on Sundays?" },
                history_context: { status: "READ" },
              },
              {
                from: own,
                to: person,
                id: newWamid(),
                timestamp: at(118),
                type: "text",
                text: { body: "We do, until noon." },
                history_context: { status: "READ" },
              },
            ],
          },
        ],
      },
    ],
  };
}
