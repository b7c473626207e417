/** What the person pressed, picked, filled in or allowed in an interactive message of ours. */
import type { MessageContent } from "../contract.ts";
import { parseChoice } from "./parse-choice.ts";
import { parseForm } from "./parse-form.ts";
import { type Said, withoutText } from "./said.ts";
import { asObject, asTime, type Wire } from "./wire.ts";

const REPLIES: Readonly<Record<string, (reply: Wire) => Said | null>> = {
  button_reply: (reply) => parseChoice("button", reply),
  list_reply: (reply) => parseChoice("list", reply),
  nfm_reply: (reply) => withoutText(parseForm(reply)),
  call_permission_reply: (reply) => withoutText(parseCallPermission(reply)),
};

/** @returns null for a kind that we do not know, and for one that came without its content: nothing there to be answered. */
export function parseInteractive(interactive: Wire | null): Said | null {
  for (const [name, parse] of Object.entries(REPLIES)) {
    const reply = asObject(interactive?.[name]);
    if (reply !== null) return parse(reply);
  }
  return null;
}

function parseCallPermission({ response, expiration_timestamp, response_source: source }: Wire): MessageContent | null {
  if (response !== "accept" && response !== "reject") return null;
  return {
    kind: "call-permission",
    response,
    expiresAt: response === "accept" ? asTime(expiration_timestamp) : null,
    source: source === "user_action" || source === "automatic" ? source : null,
  };
}
