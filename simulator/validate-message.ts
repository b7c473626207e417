/** Checks a body against the rules and finds the first refusal, in Meta's order. */
import { type GraphAnswer, refuse } from "./graph-error.ts";
import { ENVELOPE_RULES, type MessageRule, SEND_RULES, TYPE_RULES } from "./message-rules.ts";
import type { WireObject } from "./wire.ts";

export function validateEnvelope(body: WireObject): GraphAnswer | null {
  return firstRefusal(body, ENVELOPE_RULES);
}

/** Checks a message after its envelope. */
export function validateSend(body: WireObject): GraphAnswer | null {
  if (body.to === undefined && body.recipient === undefined) {
    return refuse({ code: 131008, details: "Parameter to or recipient is required" });
  }
  return firstRefusal(body, SEND_RULES) ?? validateContent(body);
}

function validateContent(body: WireObject): GraphAnswer | null {
  const type = messageTypeOf(body);
  const rules = Object.hasOwn(TYPE_RULES, type) ? TYPE_RULES[type] : undefined;
  if (!rules) return refuse({ code: 131051, details: `Message type ${type} is not supported` });
  return firstRefusal(body, rules);
}

/** Meta takes a body without a type as text. */
export function messageTypeOf(body: WireObject): string {
  return typeof body.type === "string" ? body.type : "text";
}

function firstRefusal(body: WireObject, rules: readonly MessageRule[]): GraphAnswer | null {
  for (const rule of rules) {
    const value = valueAt(body, rule.at);
    if (value === undefined || value === null) {
      if (rule.isRequired) return refuse(rule.absence ?? { code: 131008, details: `Parameter ${rule.at} is required` });
    } else if (!rule.accepts(value)) {
      return refuse(rule.refusal ?? { code: 131009, details: `Parameter ${rule.at} has a value that is not valid` });
    }
  }
  return null;
}

function valueAt(body: WireObject, path: string): unknown {
  let value: unknown = body;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as WireObject)[name];
  }
  return value;
}
