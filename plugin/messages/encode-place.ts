/** A place on the map → Graph's `location` object: the same in a message and in a template's header. */
import type { LocationMessage } from "../contract.ts";
import { given, type Wire } from "./wire.ts";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/location-messages */
export function encodePlace({ latitude, longitude, name, address }: Omit<LocationMessage, "kind">): Wire {
  return { latitude, longitude, ...given({ name, address }) };
}
