/** What Meta's webhooks call what has happened to a template → the state that it is in since. Pure. */
import type { TemplateEvent } from "../contract.ts";

/** Words that no list of Meta's has. A flag only threatens: the template is what it was. */
const STATES: Readonly<Record<string, string | null>> = {
  REINSTATED: "APPROVED",
  UNARCHIVED: "APPROVED",
  UNLOCKED: "APPROVED",
  FLAGGED: null,
};

/** @returns with a `status` as Meta's lists have it; null where it stays. */
export function stateAfter(event: TemplateEvent): TemplateEvent {
  const state = event.status === null ? undefined : STATES[event.status];
  return state === undefined ? event : { ...event, status: state };
}
