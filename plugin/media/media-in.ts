/** The media in a Graph message: where each stands, where its bytes are, and the message with another one in its place. */
import type { MediaKind } from "../contract.ts";
import { readUuid } from "../uuid.ts";

type Wire = Readonly<Record<string, unknown>>;

export type MediaPlace = {
  /** From the message down to the member that is named after the kind. */
  readonly path: readonly (string | number)[];
  readonly kind: MediaKind;
  /** An address, or an id of ours. Ids of Meta's are digits: those are ready. */
  readonly source: { readonly url: string } | { readonly mediaId: string };
  readonly media: Wire;
};

const KINDS: ReadonlySet<string> = new Set(["image", "video", "audio", "document", "sticker"]);

/** What leads to media in Meta's schema. Whatever is beside it may be the host's own: data of a Flow, details of an order. */
const WAYS: ReadonlySet<string> = new Set([
  "interactive",
  "template",
  "header",
  "action",
  "cards",
  "components",
  "parameters",
]);

/** @returns nothing for a message without media, and for one whose media Meta has already. */
export function mediaIn(payload: unknown, path: readonly (string | number)[] = []): readonly MediaPlace[] {
  if (typeof payload !== "object" || payload === null) return [];
  return Object.entries(payload).flatMap(([name, member]: [string, unknown]) => {
    const at = [...path, Array.isArray(payload) ? Number(name) : name];
    if (Array.isArray(payload) || WAYS.has(name)) return mediaIn(member, at);
    const source = KINDS.has(name) ? sourceOf(member) : null;
    return source === null ? [] : [{ path: at, kind: name as MediaKind, source, media: member as Wire }];
  });
}

function sourceOf(media: unknown): MediaPlace["source"] | null {
  if (typeof media !== "object" || media === null) return null;
  const { link, id } = media as { readonly link?: unknown; readonly id?: unknown };
  if (typeof link === "string") return { url: link };
  const mediaId = readUuid(id);
  return mediaId === null ? null : { mediaId };
}

/** It is all of the message, not a header or a card. */
export function isWhole({ path }: MediaPlace): boolean {
  return path.length === 1;
}

/** @returns a copy. @param kind another one only where the media are the whole message. */
export function withMedia(payload: Wire, place: MediaPlace, media: Wire, kind: MediaKind = place.kind): Wire {
  if (isWhole(place)) {
    const { [place.kind]: _, ...rest } = payload;
    return { ...rest, type: kind, [kind]: media };
  }
  return replaced(payload, place.path, media) as Wire;
}

function replaced(value: unknown, [step, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? replaced(item, rest, by) : item));
  const fields = value as Wire;
  return { ...fields, [step]: replaced(fields[step], rest, by) };
}
