/** A place → a map pin, or its words where the coordinates are none. */
import type { AiResponse } from "../contract.ts";
import { oneLine } from "./one-line.ts";
import { isSendable, joinPieces, NOTHING, plainPiece, type Said, say, sayText } from "./said.ts";
import { toWhatsAppLine } from "./whatsapp-markup.ts";

export function sayPlace(location: AiResponse["location"]): Said {
  if (location === undefined) return NOTHING;
  const { latitude, longitude } = location;
  const name = oneLine(location.name ?? "");
  const address = oneLine(location.address ?? "");
  const pin = {
    kind: "location" as const,
    latitude,
    longitude,
    ...(name === "" ? {} : { name }),
    ...(address === "" ? {} : { address }),
  };
  if (isSendable(pin)) return say(pin);
  const lines = [toWhatsAppLine(name), toWhatsAppLine(address), `${latitude}, ${longitude}`];
  const change = { what: "location", from: "location", to: "text" };
  return sayText(joinPieces([plainPiece("", change), ...lines.map((line) => plainPiece(line))], "\n"), "location");
}
