/** Where things are in a webhook of Meta's, as far as a replay and a recording look. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { objectOf, objectsIn, textOf } from "./lossless-json.ts";

/** What each of its changes holds. */
export function valuesIn(webhook: unknown): readonly WireObject[] {
  return objectsIn(objectOf(webhook).entry)
    .flatMap(({ changes }) => objectsIn(changes))
    .map(({ value }) => objectOf(value));
}

/** Of the messages that somebody wrote. */
export function messageIdsIn(webhook: unknown): readonly string[] {
  return valuesIn(webhook).flatMap(({ messages }) => objectsIn(messages).flatMap(({ id }) => textOf(id) ?? []));
}
