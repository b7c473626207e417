/** Finds the messages inside any payload, so that hand-made deliveries open windows as real ones do. */
import type { WireObject } from "./wire.ts";

export type FoundMessage = {
  readonly phoneNumberId: string;
  /** The contact it belongs to; empty when there is none. */
  readonly contact: WireObject;
  readonly message: WireObject;
};

/** Never throws: bytes that are not JSON, or another shape, hold no messages. */
export function messagesIn(payload: WireObject | Uint8Array): readonly FoundMessage[] {
  return (
    objectsAt(payload instanceof Uint8Array ? parse(payload) : payload, "entry")
      .flatMap((entry) => objectsAt(entry, "changes"))
      // Other fields have messages as well, which are nobody's writing now: files that follow a history.
      .filter(({ field = "messages" }) => field === "messages")
      .map((change) => objectOf(change.value))
      .flatMap((value) => {
        const phoneNumberId = String(objectOf(value.metadata).phone_number_id ?? "");
        const contacts = objectsAt(value, "contacts");
        return objectsAt(value, "messages")
          .filter((message) => typeof message.id === "string")
          .map((message) => ({ phoneNumberId, contact: contactOf(message, contacts), message }));
      })
  );
}

// By identity and not by position: several people may share one delivery.
function contactOf(message: WireObject, contacts: readonly WireObject[]): WireObject {
  const { from, from_user_id: userId } = message;
  return (
    contacts.find(
      (contact) =>
        (from !== undefined && contact.wa_id === from) || (userId !== undefined && contact.user_id === userId),
    ) ?? {}
  );
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}

function objectsAt(value: unknown, name: string): readonly WireObject[] {
  const list = objectOf(value)[name];
  return Array.isArray(list) ? list.map(objectOf) : [];
}

function objectOf(value: unknown): WireObject {
  return typeof value === "object" && value !== null ? (value as WireObject) : {};
}
