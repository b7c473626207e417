/** A picture, film, sound, file or sticker → a media message, with its words in the caption where one is shown. */
import type { AiMedia, MediaMessage } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import { oneLine, toPlainLine } from "./one-line.ts";
import {
  type Change,
  inOrder,
  isSendable,
  joinPieces,
  type Piece,
  plainPiece,
  report,
  type Said,
  say,
  sayText,
} from "./said.ts";
import { filenameOf, isInlineData, kindFor, toAddress } from "./web-address.ts";
import { toPiece } from "./whatsapp-markup.ts";

export function sayMedia(media: AiMedia, what: string): Said {
  if (media.mediaId !== undefined) return sayKept(media.mediaId, media, what);
  const url = toAddress(media.url);
  const caption = toPiece(media.caption ?? "", `${what}.caption`);
  const filename = oneLine(media.filename ?? "");
  const kind = kindFor(url, media.kind);
  const bare: MediaMessage = {
    kind,
    url,
    ...(kind === "document" ? named(filename || oneLine(filenameOf(url))) : {}),
    ...asVoice(kind, media.voice),
  };
  if (!isSendable(bare)) return sayAsText(media.kind, { url, caption, filename, what });

  const changedKind: Change[] = kind === media.kind ? [] : [{ what, from: media.kind, to: kind }];
  const changes = [...changedKind, ...noVoice(kind, media.voice, what), ...notShown(kind, filename, what)];
  return withCaption({ media: bare, caption, changes, what: `${what}.caption` });
}

/** A file of the tenant's own: what it can be sent as is known where its bytes are. */
function sayKept(mediaId: string, { kind, caption, filename, voice }: AiMedia, what: string): Said {
  const words = toPiece(caption ?? "", `${what}.caption`);
  const name = oneLine(filename ?? "");
  const bare: MediaMessage = { kind, mediaId, ...(kind === "document" ? named(name) : {}), ...asVoice(kind, voice) };
  if (!isSendable(bare))
    return sayText(
      joinPieces([words, plainPiece(toPlainLine(name), { what, from: kind, to: "left out: no id of media" })], "\n"),
      what,
    );
  const changes = [...noVoice(kind, voice, what), ...notShown(kind, name, what)];
  return withCaption({ media: bare, caption: words, changes, what: `${what}.caption` });
}

function notShown(kind: AiMedia["kind"], filename: string, what: string): readonly Change[] {
  if (filename === "" || kind === "document") return [];
  return [{ what: `${what}.filename`, from: "filename", to: `left out: not shown with this ${kind}` }];
}

function noVoice(kind: AiMedia["kind"], voice: boolean | undefined, what: string): readonly Change[] {
  return kind === "audio" || voice !== true ? [] : [{ what: `${what}.voice`, from: "voice note", to: kind }];
}

function asVoice(kind: AiMedia["kind"], voice: boolean | undefined): { readonly voice?: boolean } {
  return kind === "audio" && voice === true ? { voice } : {};
}

type Captioned = {
  readonly media: MediaMessage;
  readonly caption: Piece;
  readonly changes: readonly Change[];
  readonly what: string;
};

/** In the caption, or as a text after it. */
export function withCaption({ media, caption, changes, what }: Captioned): Said {
  if (caption.text === "") return inOrder(say(media, changes), report(...caption.changes));
  const captioned = { ...media, caption: caption.text };
  if (isSendable(captioned)) return say(captioned, [...changes, ...caption.changes]);
  const from =
    caption.text.length > LIMITS.caption.max
      ? `caption of ${caption.text.length} characters`
      : `caption of ${media.kind}`;
  return inOrder(say(media, [...changes, { what, from, to: "text after it" }]), sayText(caption, what));
}

function sayAsText(
  kind: AiMedia["kind"],
  { url, caption, filename, what }: { url: string; caption: Piece; filename: string; what: string },
): Said {
  const isData = isInlineData(url);
  const name = toPlainLine(filename);
  const link = isData || url === "" ? name : name === "" ? url : `${name}: ${url}`;
  const to = isData ? "left out: the address is the file itself" : url === "" ? "left out: no address" : "link";
  return sayText(joinPieces([caption, plainPiece(link, { what, from: kind, to })], "\n"), what);
}

function named(filename: string): { readonly filename?: string } {
  return filename === "" ? {} : { filename };
}
