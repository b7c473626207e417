/** One of the options we offered: a reply button, a list row, a template's quick reply. Its title is what the person said. */
import type { ChoiceContent } from "../contract.ts";
import type { Said } from "./said.ts";
import { asText, type Wire } from "./wire.ts";

/** @returns null when it names no option at all. */
export function parseChoice(from: "button" | "list", reply: Wire): Said | null {
  return choice(from, asText(reply.id), asText(reply.title), asText(reply.description));
}

/** A template's button has a payload when one was set at sending, and else its label in both places. */
export function parseTemplateButton(button: Wire | null): Said | null {
  return choice("template-button", asText(button?.payload), asText(button?.text), null);
}

function choice(
  from: ChoiceContent["from"],
  id: string | null,
  title: string | null,
  description: string | null,
): Said | null {
  const [anyId, anyTitle] = [id ?? title, title ?? id];
  if (anyId === null || anyTitle === null) return null;
  return { text: anyTitle, content: { kind: "choice", from, id: anyId, title: anyTitle, description } };
}
