/** Checks a body against the rules and finds the first refusal, in Meta's order. */
import { isObject } from "./accepts.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import { INTERACTIVE_RULES } from "./interactive-rules.ts";
import {
  ENVELOPE_RULES,
  MARKETING_RULES,
  type MessageRule,
  RECEIPT_RULES,
  SEND_RULES,
  TYPE_RULES,
  TYPING_RULES,
} from "./message-rules.ts";
import type { WireObject } from "./wire.ts";

export function validateEnvelope(body: WireObject): GraphAnswer | null {
  return firstRefusal(body, ENVELOPE_RULES);
}

/** Checks a read receipt after its envelope. */
export function validateReceipt(body: WireObject): GraphAnswer | null {
  return firstRefusal(body, RECEIPT_RULES) ?? (body.typing_indicator ? firstRefusal(body, TYPING_RULES) : null);
}

/** Checks a message after its envelope. Whether a template exists, and what it takes, is not its question. */
export function validateSend(body: WireObject, { isMarketing = false } = {}): GraphAnswer | null {
  if (body.to === undefined && body.recipient === undefined) {
    return refuse({ code: 131008, details: "Parameter to or recipient is required" });
  }
  return (
    firstRefusal(body, SEND_RULES) ??
    (isMarketing ? firstRefusal(body, MARKETING_RULES) : null) ??
    validateContent(body)
  );
}

function validateContent(body: WireObject): GraphAnswer | null {
  const type = messageTypeOf(body);
  const rules = Object.hasOwn(TYPE_RULES, type) ? TYPE_RULES[type] : undefined;
  if (!rules) return refuse({ code: 131051, details: `Message type ${type} is not supported` });
  return firstRefusal(body, rules) ?? (isObject(body.interactive) && type === "interactive" ? validateTap(body) : null);
}

function validateTap(body: WireObject): GraphAnswer | null {
  const type = String((body.interactive as WireObject).type);
  const rules = Object.hasOwn(INTERACTIVE_RULES, type) ? INTERACTIVE_RULES[type] : undefined;
  if (rules) return firstRefusal(body, rules);
  const types = Object.keys(INTERACTIVE_RULES).map((known) => known.toUpperCase());
  return refuse({ code: 100, message: `(#100) Param interactive['type'] must be one of {${types.join(", ")}}.` });
}

/** Meta takes a body without a type as text. */
export function messageTypeOf(body: WireObject): string {
  return typeof body.type === "string" ? body.type : "text";
}

function firstRefusal(body: WireObject, rules: readonly MessageRule[]): GraphAnswer | null {
  for (const rule of rules) {
    for (const value of valuesAt(body, rule.at)) {
      if (value === undefined || value === null) {
        if (rule.isRequired)
          return refuse(rule.absence ?? { code: 131008, details: `Parameter ${rule.at} is required` });
      } else if (!rule.accepts(value)) {
        return refuse(rule.refusal ?? { code: 131009, details: `Parameter ${rule.at} has a value that is not valid` });
      }
    }
  }
  return null;
}

/** One value for a plain path, undefined when it is not there; one for each item where a list is on the way. */
function valuesAt(body: WireObject, path: string): readonly unknown[] {
  let values: readonly unknown[] = [body];
  for (const step of path.split(".")) {
    const name = step.replace("[]", "");
    values = values.map((value) => (isObject(value) ? value[name] : undefined));
    if (name !== step) values = values.flatMap((value) => (Array.isArray(value) ? value : []));
  }
  return values;
}
