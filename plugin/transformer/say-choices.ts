/** Choices → reply buttons, a list, or numbered text: whichever shows every word of them. */
import type { AiChoice, ButtonsMessage, HeaderMedia, ListMessage, MediaSource } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import { shorten, toPlainLine } from "./one-line.ts";
import {
  type Change,
  inOrder,
  isSendable,
  joinPieces,
  NOTHING,
  type Piece,
  plainPiece,
  report,
  type Said,
  say,
  sayText,
} from "./said.ts";
import { takeQuestion } from "./take-question.ts";
import { toWhatsAppLine } from "./whatsapp-markup.ts";

/** Where the answer has no words for it; understood in every language. */
export const POINTER = "👇";
const LIST_BUTTON = "Options";
const DASH = " – ";

export type Ask = {
  readonly choices: readonly AiChoice[];
  /** Where in the response. */
  readonly what: string;
  /** What stands above the choices. */
  readonly question: Piece;
  /** Of the first choice: the numbers rise through all choices of an answer. */
  readonly number: number;
  readonly picture?: HeaderMedia;
};

type Option = {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly description: string;
  /** With WhatsApp's marks. */
  readonly line: string;
};

export function sayChoices(ask: Ask): Said {
  if (ask.choices.length === 0) return NOTHING;
  const options = ask.choices.map((choice, index) => toOption(choice, ask.number + index));
  const blank = ask.choices.flatMap(({ title }, index) =>
    toPlainLine(title) === "" ? [{ what: `${ask.what}[${index}].title`, from: "blank title", to: "its id" }] : [],
  );
  return inOrder(
    asButtons(ask, options) ?? withPictureFirst(ask, asList(ask, options) ?? asNumbers(ask, options)),
    report(...blank),
  );
}

/** What may be answered by number or title. */
export function offered(choices: readonly AiChoice[], number: number): readonly Pick<AiChoice, "id" | "title">[] {
  return choices.map((choice, index) => {
    const { id, title } = toOption(choice, number + index);
    return { id: id.toWellFormed().replaceAll("\u0000", ""), title };
  });
}

export function fitsButton(choice: AiChoice): boolean {
  return toPlainLine(choice.title).length <= LIMITS.buttonTitle.max && toPlainLine(choice.description ?? "") === "";
}

function toOption({ id, title, description = "" }: AiChoice, number: number): Option {
  const plain = toPlainLine(title) || toPlainLine(id) || `${number}`;
  const said = toPlainLine(description);
  const words = [toWhatsAppLine(title) || plain, toWhatsAppLine(description)].filter((word) => word !== "");
  return { id, number, title: plain, description: said, line: `${number}. ${words.join(DASH)}` };
}

function asButtons({ what, question, picture }: Ask, options: readonly Option[]): Said | null {
  if (options.length > LIMITS.buttons.max) return null;
  const { max } = LIMITS.buttonTitle;
  const areShort =
    options.every(({ title }) => title.length <= max) &&
    new Set(options.map(({ title }) => title)).size === options.length;
  const areDescribed = options.some(({ description }) => description !== "");
  const changes: Change[] = [];
  if (!areShort)
    changes.push({ what, from: "titles that buttons cannot show", to: "numbered text above shortened buttons" });
  else if (areDescribed) changes.push({ what, from: "descriptions", to: "numbered text above the buttons" });
  const body = withLines(question, areShort && !areDescribed ? [] : options);
  if (body === null) return null;
  const buttons: ButtonsMessage = {
    kind: "buttons",
    text: body.text,
    ...(picture === undefined ? {} : { header: picture }),
    buttons: options.map(({ id, number, title }) => ({
      id,
      title: areShort ? title : shorten(`${number}. ${title}`, max),
    })),
  };
  return isSendable(buttons) ? inOrder(body.before, say(buttons, [...body.changes, ...changes])) : null;
}

function asList({ what, question }: Ask, options: readonly Option[]): Said | null {
  if (options.length > LIMITS.listRows.max) return null;
  const rows = options.map(toRow);
  const areWhole = rows.every((row) => row !== null);
  const body = withLines(question, areWhole ? [] : options);
  if (body === null) return null;
  const changes: Change[] = options.flatMap(({ title }, index) =>
    areWhole && title.length > LIMITS.rowTitle.max
      ? [
          {
            what: `${what}[${index}].title`,
            from: `title of ${title.length} characters`,
            to: "shortened, whole in the row's description",
          },
        ]
      : [],
  );
  if (!areWhole) changes.push({ what, from: "words that rows cannot show", to: "numbered text above shortened rows" });
  const list: ListMessage = {
    kind: "list",
    text: body.text,
    button: LIST_BUTTON,
    sections: [
      {
        rows: areWhole
          ? rows.filter((row) => row !== null)
          : options.map(({ id, number, title }) => ({
              id,
              title: shorten(`${number}. ${title}`, LIMITS.rowTitle.max),
            })),
      },
    ],
  };
  return isSendable(list) ? inOrder(body.before, say(list, [...body.changes, ...changes])) : null;
}

/** Null where its words do not fit. */
function toRow({ id, title, description }: Option): ListMessage["sections"][number]["rows"][number] | null {
  const isShort = title.length <= LIMITS.rowTitle.max;
  const details = isShort ? description : [title, description].filter((word) => word !== "").join(DASH);
  if (details.length > LIMITS.rowDescription.max) return null;
  return { id, title: shorten(title, LIMITS.rowTitle.max), ...(details === "" ? {} : { description: details }) };
}

function asNumbers({ what, question }: Ask, options: readonly Option[]): Said {
  const lines = plainPiece(numbered(options), { what, from: "choices", to: "numbered text" });
  return sayText(joinPieces([question, lines], "\n\n"), what);
}

function withPictureFirst({ picture }: Ask, said: Said): Said {
  return picture === undefined ? said : inOrder(say({ kind: "image", ...sourceOf(picture) }), said);
}

function sourceOf({ url, mediaId }: HeaderMedia): MediaSource {
  return url === undefined ? { mediaId } : { url };
}

function numbered(options: readonly Option[]): string {
  return options.map(({ line }) => line).join("\n");
}

type Body = { readonly before: Said; readonly text: string; readonly changes: readonly Change[] };

/** The question, and under it the options in full; null where they alone are too long. */
function withLines(question: Piece, options: readonly Option[]): Body | null {
  const lines = numbered(options);
  const room = LIMITS.interactiveBody.max - (lines === "" ? 0 : lines.length + "\n\n".length);
  if (room < POINTER.length) return null;
  const taken = takeQuestion(question, { max: room });
  const asked = taken.question.text.trim() === "" && lines === "" ? POINTER : taken.question.text;
  return {
    before: sayText(taken.before, "text"),
    text: [asked, lines].filter((part) => part !== "").join("\n\n"),
    changes: taken.question.changes,
  };
}
