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

/**
 * A stop counts wherever it stands, as a button's title too; that they want it again is their own word only when they typed
 * it: "Start" is on many a button.
 * @returns null for everything that is not just such a word: "please don't stop" is none.
 */
export function keywordOf({ text, content }: Pick<MessageEvent, "text" | "content">): "stop" | "resume" | null {
  const word = (text ?? "")
    .trim()
    .replace(/[.!]+$/, "")
    .toLowerCase();
  if (STOP.has(word)) return "stop";
  return content === null && RESUME.has(word) ? "resume" : null;
}
