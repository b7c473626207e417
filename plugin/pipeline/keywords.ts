/** Words by which a person says that they want no more marketing, or want it again. */
import type { MessageEvent } from "../contract.ts";

/**
 * Whole messages, in the languages of the largest WhatsApp markets. Meta's own opt-out arrives as `user_preferences`;
 * a business must heed what people say by themselves too.
 * @see https://business.whatsapp.com/policy (opt-outs "on or off WhatsApp")
 */
const STOP: ReadonlySet<string> = new Set([
  "stop",
  "stop promotions",
  "unsubscribe",
  "arret",
  "arrêt",
  "baja",
  "parar",
  "sair",
  "abmelden",
  "berhenti",
  "रोकें",
  "توقف",
]);
const RESUME: ReadonlySet<string> = new Set(["start", "unstop", "subscribe", "resume"]);

/** @returns null for everything that is not just such a word: "please don't stop" is none. */
export function keywordOf({ text }: Pick<MessageEvent, "text">): "stop" | "resume" | null {
  const word = (text ?? "")
    .trim()
    .replace(/[.!]+$/, "")
    .toLowerCase();
  if (STOP.has(word)) return "stop";
  return RESUME.has(word) ? "resume" : null;
}
