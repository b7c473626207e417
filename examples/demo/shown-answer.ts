/** What a person sees of an answer, as far as a terminal can show it: the text, and in brackets what can be pressed or opened. */
import type { AcceptedMessage } from "@omniops/whatsapp/simulator";

type Fields = Readonly<Record<string, unknown>>;

export function shownAnswer({ type, text, body }: Pick<AcceptedMessage, "type" | "text" | "body">): string {
  const part = fields(body[type]);
  const words = text === `[${type}]` ? "" : text;
  if (type === "location") return lines(`[location ${part.latitude}, ${part.longitude}]`, part.name, part.address);
  if (type === "interactive") {
    const header = fields(part.header);
    return lines(attachment(header.type, header), words, ...actionOf(fields(part.action)));
  }
  if ("link" in part || "id" in part) return lines(attachment(type, { [type]: part }), words);
  return words === "" ? text : words;
}

function attachment(type: unknown, holder: Fields): string {
  const { link, id, filename } = fields(holder[String(type)]);
  const name = filename ?? link ?? id;
  return name === undefined ? "" : `[${type} ${name}]`;
}

/** Buttons, rows, a link; of a carousel those of each card. */
function actionOf(action: Fields): readonly string[] {
  const { display_text: label, url } = fields(action.parameters);
  return [
    list(action.buttons)
      .map((button) => `[${fields(button.reply ?? button.quick_reply).title}]`)
      .join(" "),
    ...list(action.sections).flatMap(({ rows }) => list(rows).map((row) => `- ${said(row.title, row.description)}`)),
    url === undefined ? "" : `[${label}: ${url}]`,
    ...list(action.cards).map((card) => {
      const header = fields(card.header);
      const words = fields(card.body).text;
      return `- ${said(attachment(header.type, header), words)} ${actionOf(fields(card.action)).join(" ").trim()}`;
    }),
  ];
}

function said(...words: readonly unknown[]): string {
  return words.filter((word) => typeof word === "string" && word !== "").join(": ");
}

function lines(...some: readonly unknown[]): string {
  return some.filter((line) => typeof line === "string" && line !== "").join("\n");
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}
