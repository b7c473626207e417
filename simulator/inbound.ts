/** What people send to the business: remembered as Meta remembers it, then queued as webhooks. */

import { isObject } from "./accepts.ts";
import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import { type Conversations, shownText } from "./conversations.ts";
import { escapedJson } from "./escape-json.ts";
import { newWamid } from "./ids.ts";
import { opensWindow } from "./limits.ts";
import type { Settings } from "./options.ts";
import type { People, PersonRecord } from "./people.ts";
import { messagesIn } from "./read-payload.ts";
import type { WebhookSender } from "./webhook-sender.ts";
import { echoChange, messageChange, preferenceChange, secondsOf, type WireChange, type WireObject } from "./wire.ts";

/** Where a message goes, what it quotes, and when it was written. */
export type InboundOptions = {
  /** The business number it goes to. Default: the first. */
  readonly to?: string;
  /** The wamid it quotes. */
  readonly replyTo?: string;
  /** When it was written. Default: now. */
  readonly at?: Date;
};

/** A message of Meta's shape; `from`, `id` and `timestamp` are filled in where they are missing. */
export type InboundMessage = InboundOptions & {
  readonly from: PersonRecord;
  readonly message: WireObject;
  /** What the person did, where Meta tells the business something else. Default: the message. */
  readonly shown?: WireObject;
};

export type Inbound = {
  /** Queues each message in a delivery of its own, or all in one, and returns their wamids. */
  send(messages: readonly InboundMessage[]): readonly string[];
  /** Posts anything, signed. Messages in it that Meta would know are remembered. */
  deliver(payload: WireObject | Uint8Array): void;
  /** Somebody of the business writes by the WhatsApp Business app. */
  echo(to: PersonRecord, text: string, from?: string): string;
  /** The person switches offers and announcements off, or on again. */
  prefer(person: PersonRecord, value: "stop" | "resume", to?: string): void;
};

export function createInbound(deps: {
  readonly settings: Settings;
  readonly numbers: ReadonlyMap<string, SimulatedNumber>;
  readonly people: People;
  readonly conversations: Conversations;
  readonly sender: WebhookSender;
  readonly isOnBusinessApp: (phoneNumberId: string) => boolean;
}): Inbound {
  const { settings, numbers, people, conversations, sender, isOnBusinessApp } = deps;

  function numberAt(phoneNumberId = settings.numbers[0]?.phoneNumberId): SimulatedNumber {
    const number = numbers.get(phoneNumberId ?? "");
    if (!number) throw new Error(`The simulator has no business number ${phoneNumberId}.`);
    return number;
  }

  function prepare({ from, message, shown, to, replyTo, at }: InboundMessage): Prepared {
    const number = numberAt(to);
    const wamid = typeof message.id === "string" ? message.id : newWamid();
    const context = replyTo !== undefined && {
      context: { from: number.displayPhoneNumber.replace(/\D/g, ""), id: replyTo },
    };
    const whole = { id: wamid, timestamp: secondsOf(at ?? settings.now()), ...context, ...message };
    remember(number, from, { ...whole, ...shown });
    return { wamid, lane: number.phoneNumberId, change: messageChange(number, from, whole) };
  }

  function remember({ phoneNumberId }: SimulatedNumber, person: PersonRecord, message: WireObject): void {
    const type = String(message.type);
    const wamid = String(message.id);
    const at = timeOf(message.timestamp, settings.now());
    const conversation = conversations.between(phoneNumberId, person);
    const replyTo = (message.context as { readonly id?: string } | undefined)?.id ?? null;
    if (!conversations.find(wamid)) {
      conversations.add(
        conversation,
        { direction: "inbound", type, text: shownText(message), wamid, at, status: "sent", replyTo },
        { message },
      );
    }
    if (opensWindow(message)) conversation.lastInboundAt = Math.max(conversation.lastInboundAt ?? 0, at.getTime());
  }

  return {
    send(messages) {
      const prepared = messages.map(prepare);
      const first = prepared[0];
      if (!first) return [];
      const wamids = prepared.map(({ wamid }) => wamid);
      void sender.send({ kind: "message", lane: first.lane, wamids, content: prepared.map(({ change }) => change) });
      return wamids;
    },
    prefer(person, value, to) {
      const number = numberAt(to);
      conversations.between(number.phoneNumberId, person).hasStoppedMarketing = value === "stop";
      const content = [preferenceChange(number, person, { value, at: settings.now() })];
      void sender.send({ kind: "account", lane: number.phoneNumberId, wamids: [], content });
    },
    echo(person, text, from) {
      const number = numberAt(from);
      const { phoneNumberId } = number;
      if (!isOnBusinessApp(phoneNumberId))
        throw new Error(`The number ${phoneNumberId} is not on the WhatsApp Business app.`);
      const wamid = newWamid();
      const at = settings.now();
      const message = { id: wamid, timestamp: secondsOf(at), type: "text", text: { body: text } };
      conversations.add(
        conversations.between(phoneNumberId, person),
        { direction: "outbound", type: "text", text, wamid, at, status: "delivered", replyTo: null },
        { message, author: "From the WhatsApp Business app" },
      );
      void sender.send({
        kind: "message",
        lane: phoneNumberId,
        wamids: [wamid],
        content: [echoChange(number, person, message)],
      });
      return wamid;
    },
    deliver(payload) {
      const bytes = payload instanceof Uint8Array ? payload : null;
      const found = messagesIn(payload);
      for (const { phoneNumberId, contact, message } of found) {
        const number = numbers.get(phoneNumberId);
        if (!number) continue;
        const phoneNumber = textOf(message.from) ?? textOf(contact.wa_id) ?? sharedNumber(message);
        const userId = textOf(message.from_user_id) ?? textOf(contact.user_id);
        if (phoneNumber !== null || userId !== null) remember(number, people.meet({ phoneNumber, userId }), message);
      }
      void sender.send({
        kind: "payload",
        lane: found[0]?.phoneNumberId ?? "",
        wamids: found.map(({ message }) => String(message.id)),
        content: bytes ?? Buffer.from(escapedJson(payload)),
      });
    },
  };
}

type Prepared = { readonly wamid: string; readonly lane: string; readonly change: WireChange };

// A window never opens in the future, and hand-made payloads may carry any timestamp at all.
function timeOf(timestamp: unknown, now: Date): Date {
  const milliseconds = Number(timestamp) * 1000;
  return milliseconds <= now.getTime() ? new Date(milliseconds) : now;
}

// Somebody whose number Meta withholds gives it when asked for it, and is answered there.
function sharedNumber({ contacts }: WireObject): string | null {
  const [card] = objectsOf(contacts);
  const [phone] = card?.origin === "contact_request" ? objectsOf(card.phones) : [];
  return textOf(phone?.wa_id);
}

function objectsOf(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
