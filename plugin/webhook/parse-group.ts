/** One element of `groups[]`: kept, and named by what happened. Groups are no conversations of ours. */
import type { UnsupportedEvent } from "../contract.ts";
import { type ChangeContext, unsupportedItem } from "./change-context.ts";
import { asText, type Wire } from "./wire.ts";

export function parseGroup(group: Wire, change: ChangeContext): UnsupportedEvent {
  return { ...unsupportedItem("groups", group, change), type: asText(group.type) ?? "groups" };
}
