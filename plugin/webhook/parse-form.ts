/** A filled-in Flow or address form: JSON inside a string, which may hold anything. */
import type { FormContent } from "../contract.ts";
import { parseStorableJson } from "./storable-json.ts";
import { asObject, asText, type Wire } from "./wire.ts";

export function parseForm(reply: Wire): FormContent | null {
  const name = asText(reply.name);
  if (name === null && reply.response_json === undefined) return null;
  return { kind: "form", name: name ?? "flow", values: parseValues(reply.response_json) };
}

function parseValues(json: unknown): FormContent["values"] {
  return asObject(typeof json === "string" ? parseStorableJson(json) : json);
}
