/** A card as the AI gave it → what of it WhatsApp can show as picture, button and text. */
import type { AiCard, AiChoice, HeaderMedia } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import { shorten, toPlainLine } from "./one-line.ts";
import { type Change, joinPieces, type Piece, plainPiece } from "./said.ts";
import { hostOf, isHttps, isInlineData, kindFor, toAddress } from "./web-address.ts";
import { toPiece, toWhatsAppLine } from "./whatsapp-markup.ts";

export type Card = {
  /** Where in the response. */
  readonly what: string;
  readonly title: string;
  /** Title, text, and what found no better place. */
  readonly body: Piece;
  readonly picture: HeaderMedia | undefined;
  readonly link: { readonly label: string; readonly url: string } | undefined;
  readonly choices: readonly AiChoice[];
  /** Of its first choice. */
  readonly number: number;
};

export function readCard(card: AiCard, { what, number }: { readonly what: string; readonly number: number }): Card {
  const choices = card.choices ?? [];
  const image = toAddress(card.imageUrl);
  const picture: HeaderMedia | undefined =
    isHttps(image) && kindFor(image, "image") === "image" ? { media: "image", url: image } : undefined;
  const { link, line } = readLink(card, { what: `${what}.url`, isButton: choices.length === 0 });
  return {
    what,
    title: toPlainLine(card.title),
    body: joinPieces(
      [
        plainPiece(toWhatsAppLine(card.title, { isBold: true })),
        toPiece(card.text ?? "", `${what}.text`),
        picture === undefined ? pictureLine(image, `${what}.imageUrl`) : plainPiece(""),
        line,
      ],
      "\n",
    ),
    picture,
    link,
    choices,
    number,
  };
}

function pictureLine(image: string, what: string): Piece {
  if (image === "") return plainPiece("");
  const change: Change = { what, from: "image", to: "link" };
  return isInlineData(image)
    ? plainPiece("", { ...change, to: "left out: the address is the file itself" })
    : plainPiece(image, change);
}

/** One message has one kind of button: beside choices a link goes into the text. */
function readLink(
  card: AiCard,
  { what, isButton }: { readonly what: string; readonly isButton: boolean },
): { readonly link: Card["link"]; readonly line: Piece } {
  const url = toAddress(card.url);
  const label = toPlainLine(card.urlLabel ?? "");
  if (url === "") return { link: undefined, line: plainPiece(toWhatsAppLine(card.urlLabel ?? "")) };
  if (!isButton || !isHttps(url)) {
    const shown = toWhatsAppLine(card.urlLabel ?? "");
    const text = shown === "" ? url : `${shown}: ${url}`;
    return { link: undefined, line: plainPiece(text, { what, from: "link button", to: "link" }) };
  }
  const { max } = LIMITS.linkLabel;
  const link = { label: shorten(label || hostOf(url) || url, max), url };
  const isShortened = label.length > max;
  return {
    link,
    line: isShortened
      ? plainPiece(toWhatsAppLine(card.urlLabel ?? ""), {
          what: `${what}Label`,
          from: `label of ${label.length} characters`,
          to: "shortened on the button, whole in the text",
        })
      : plainPiece(""),
  };
}
