/** What makes a Graph message of the host's own making fit to be sent. */
import type { RawMessage } from "../contract.ts";

import { jsonObject } from "./check-json.ts";
import { ANY, isFields, SOME, shape, text } from "./check-value.ts";
import { matching } from "./text-rules.ts";

/** They say whom it is for and what becomes of it: a host's part must not reach another person, or be no message at all. */
const OURS = [
  "to",
  "recipient",
  "recipient_type",
  "recipient_identity_key_hash",
  "messaging_product",
  "biz_opaque_callback_data",
  "type",
  "status",
  "message_id",
  "typing_indicator",
];

export const checkRaw = shape<RawMessage>(
  {
    type: text(
      SOME,
      matching(/^[a-z][a-z0-9_]{0,63}$/, "is no type of Graph's", "Spell it as Graph does: order_status."),
    ),
    payload: jsonObject,
    content: text(ANY),
  },
  ({ type, payload }, place) => {
    if (!isFields(payload)) return;
    for (const name of OURS)
      if (Object.hasOwn(payload, name))
        place.member("payload").member(name).report("is not the host's to give", "Leave it out.");
    // What is promised of templates (parameters, opt-outs, the window, no second copy) is kept by their own kind.
    if (type === "template")
      place.member("type").report("has a kind of its own", "Send it as kind template, by its name and parameters.");
    if (typeof type === "string" && type !== "" && !Object.hasOwn(payload, type))
      place.member("payload").report("has no member by the name of its type", "Give the content under that name.");
  },
);
