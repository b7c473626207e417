/** A message whose media cannot be shown → the nearest one without them, with its words, its buttons, and the link where it has one. */
import { isWhole, mediaIn } from "../media/media-in.ts";
import { encodeMessage } from "../messages/encode-message.ts";
import { LIMITS } from "../messages/limits.ts";
import type { OutgoingPart, RewrittenPart } from "../ports.ts";
import { type Cards, withoutPictures } from "./without-pictures.ts";

type Part = Pick<OutgoingPart, "kind" | "payload">;

type File = { readonly link?: string | undefined; readonly filename?: string | undefined };

/** What `encodeInteractive` makes of the kinds that may have media above their words. */
type Framed = {
  readonly header?: { readonly type: string } & Readonly<Record<string, unknown>>;
  readonly body?: { readonly text: string };
  readonly footer?: { readonly text: string };
  readonly action: {
    readonly buttons?: readonly { readonly reply: { readonly title: string } }[];
    readonly parameters?: { readonly display_text?: string; readonly url?: string; readonly flow_cta?: string };
  };
};

/** @returns null where nothing would be left: a file of ours that no link shows, a template, which Meta refuses without its media. */
export function withoutMedia(part: Part): RewrittenPart | null {
  if (part.kind === "raw" || part.kind === "template") return null;
  const { interactive } = part.payload;
  if (part.kind === "carousel") return withoutPictures(part.payload, interactive as Cards);
  if (interactive !== undefined) return withoutHeader(part, interactive as Framed);
  const [place] = mediaIn(part.payload);
  return place !== undefined && isWhole(place) && "url" in place.source ? asText(part, place.source.url) : null;
}

/** The words of the media, and their link. @returns null when that is more than a text holds. */
function asText({ payload, kind }: Part, url: string): RewrittenPart | null {
  const { caption, filename } = payload[kind] as { readonly caption?: string; readonly filename?: string };
  const text = [caption, lineOf({ link: url, filename })].filter((line) => line !== undefined).join("\n");
  if (text.length > LIMITS.textBody.max) return null;
  const { context } = payload;
  return {
    kind: "text",
    payload: { ...encodeMessage({ kind: "text", text, previewUrl: true }), ...(context !== undefined && { context }) },
    content: text,
    mediaType: null,
    degraded: [{ what: "media", from: kind, to: "link" }],
  };
}

/** The link stands under the words, where there is room for it. */
function withoutHeader({ payload, kind }: Part, { header, ...shown }: Framed): RewrittenPart | null {
  if (header === undefined || header.type === "text") return null;
  const words = shown.body?.text ?? "";
  const line = lineOf(header[header.type] as File);
  const both = line === undefined ? words : `${words}\n${line}`;
  const hasRoom = line !== undefined && both.length <= LIMITS.interactiveBody.max;
  const text = hasRoom ? both : words;
  return {
    kind,
    payload: { ...payload, interactive: { ...shown, body: { text } } },
    content: [text, shown.footer?.text, buttonsOf(shown)].filter(Boolean).join("\n"),
    mediaType: null,
    degraded: [{ what: "header", from: header.type, to: hasRoom ? "link" : "left out" }],
  };
}

/** As the host's inbox shows them. */
function buttonsOf({ action: { buttons = [], parameters = {} } }: Framed): string {
  const { display_text: label, url, flow_cta: flow } = parameters;
  const titles = [...buttons.map(({ reply }) => reply.title), label === undefined ? flow : `${label}: ${url}`];
  return titles.flatMap((title) => (title === undefined ? [] : [`[${title}]`])).join(" ");
}

function lineOf({ link, filename }: File): string | undefined {
  return link === undefined || filename === undefined ? link : `${filename}: ${link}`;
}
