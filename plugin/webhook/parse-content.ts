/** What a message says, by its type: the same for messages, edits, echoes, history and standby. */
import type { MediaContent, MessageContent } from "../contract.ts";
import { parseTemplateButton } from "./parse-choice.ts";
import { parseInteractive } from "./parse-interactive.ts";
import { parseMedia } from "./parse-media.ts";
import { parseOrder } from "./parse-order.ts";
import { parseSharedContacts } from "./parse-shared-contacts.ts";
import { type Said, withoutText } from "./said.ts";
import { asNumber, asObject, asText, type Wire } from "./wire.ts";

/** Null where what the type announces is not there. A type that is missing here is `unsupported`. */
const SAID: Readonly<Record<string, (message: Wire) => Said | null>> = {
  text: parseText,
  image: media("image"),
  video: media("video"),
  document: media("document"),
  audio: media("audio"),
  sticker: media("sticker"),
  location: (message) => withoutText(parseLocation(asObject(message.location))),
  contacts: (message) => withoutText(parseSharedContacts(message.contacts)),
  order: (message) => parseOrder(asObject(message.order)),
  button: (message) => parseTemplateButton(asObject(message.button)),
  interactive: (message) => parseInteractive(asObject(message.interactive)),
};

/** The message types that become `message` events. */
export const MESSAGE_TYPES: readonly string[] = Object.keys(SAID);

/** @returns null for a type that this version does not know, or that came without what it is about. */
export function parseContent(message: Wire, type: string): Said | null {
  return Object.hasOwn(SAID, type) ? (SAID[type]?.(message) ?? null) : null;
}

const NOTHING: Said = { text: null, content: null };

/** For what is told whether or not we understand it. */
export function parseContentOrNothing(message: Wire, type: string): Said {
  return parseContent(message, type) ?? NOTHING;
}

function parseText(message: Wire): Said | null {
  const text = asText(asObject(message.text)?.body);
  return text === null ? null : { text, content: null };
}

function media(kind: MediaContent["media"]): (message: Wire) => Said | null {
  return (message) => {
    const wire = asObject(message[kind]);
    const content = parseMedia(kind, wire, message.errors);
    return content === null ? null : { text: asText(wire?.caption), content };
  };
}

/** Name, address and link are there for venues only. */
function parseLocation(location: Wire | null): MessageContent | null {
  const latitude = asNumber(location?.latitude);
  const longitude = asNumber(location?.longitude);
  if (latitude === null || longitude === null) return null;
  return {
    kind: "location",
    latitude,
    longitude,
    name: asText(location?.name),
    address: asText(location?.address),
    url: asText(location?.url),
  };
}
