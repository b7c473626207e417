/** Whether bytes can be what a message says they are. */
import type { MediaKind } from "../contract.ts";
import { UNKNOWN_TYPE } from "./mime-type.ts";

/** A sound may come in a container that is a film's as well, and the other way round; a document may be anything. */
const FAMILIES: Readonly<Record<MediaKind, readonly string[] | null>> = {
  image: ["image/"],
  sticker: ["image/"],
  audio: ["audio/", "video/"],
  video: ["video/", "audio/"],
  document: null,
};

/** @param mime by the bytes. What is in no list of ours fits: a rare codec is no attack, and it is never shown inline. */
export function fitsKind(mime: string, kind: MediaKind): boolean {
  const families = FAMILIES[kind];
  return mime === UNKNOWN_TYPE || families === null || families.some((family) => mime.startsWith(family));
}
