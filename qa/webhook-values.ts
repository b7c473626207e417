/** Where things are in a webhook of Meta's, as far as a replay and a recording look. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { objectOf, objectsIn, textOf } from "./lossless-json.ts";

/** What each of its changes holds. */
export function valuesIn(webhook: unknown): readonly WireObject[] {
  return objectsIn(objectOf(webhook).entry)
    .flatMap(({ changes }) => objectsIn(changes))
    .map(({ value }) => objectOf(value));
}

/** Message id and address of everybody who wrote: their number, or their user id while it hides that. */
export function sendersIn(webhook: unknown): readonly (readonly [string, string])[] {
  return valuesIn(webhook)
    .flatMap(({ messages }) => objectsIn(messages))
    .flatMap(({ id, from, from_user_id: user }) => {
      const [messageId, address] = [textOf(id), textOf(from) ?? textOf(user)];
      return messageId === null || address === null ? [] : [[messageId, address] as const];
    });
}

/** Of the messages that somebody wrote. */
export function messageIdsIn(webhook: unknown): readonly string[] {
  return valuesIn(webhook).flatMap(({ messages }) => objectsIn(messages).flatMap(({ id }) => textOf(id) ?? []));
}
