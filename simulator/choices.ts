/** What a message offers a person to press or to choose, and what the business hears when it happens. */
import { isObject, objectsOf } from "./accepts.ts";
import { quickRepliesOf } from "./template-rules.ts";
import type { ListedTemplate } from "./templates.ts";
import type { WireObject } from "./wire.ts";

/** A reply button, a row of a list, or a quick reply of a template. */
export type Choice = {
  readonly kind: "button" | "row" | "quick-reply";
  /** As the person reads it. */
  readonly title: string;
  /** The button's or row's id, or the quick reply's payload. */
  readonly id: string;
  readonly description?: string;
};

/** @param listed the template that the message is made from; undefined when it is none. */
export function choicesOf(message: WireObject, listed: ListedTemplate | undefined): readonly Choice[] {
  if (listed && isObject(message.template))
    return quickRepliesOf(message.template, listed).map(({ title, payload }) => ({
      kind: "quick-reply",
      title,
      id: payload,
    }));
  const action = isObject(message.interactive) ? message.interactive.action : undefined;
  if (!isObject(action)) return [];
  const rows = objectsOf(action.sections).flatMap((section) => objectsOf(section.rows));
  const cards = objectsOf(action.cards).map((card) => (isObject(card.action) ? card.action : {}));
  const buttons = [action, ...cards].flatMap((one) => objectsOf(one.buttons));
  return [
    ...buttons.map((button) => choice("button", button.reply ?? button.quick_reply)),
    ...rows.map((row) => choice("row", row)),
  ];
}

function choice(kind: Choice["kind"], offered: unknown): Choice {
  const { id, title, description } = isObject(offered) ? offered : {};
  return {
    kind,
    id: String(id),
    title: String(title),
    ...(typeof description === "string" && { description }),
  };
}

/** What the business hears when a person chooses it. */
export function replyOf({ kind, id, title, description }: Choice): WireObject {
  switch (kind) {
    case "button":
      return { type: "interactive", interactive: { type: "button_reply", button_reply: { id, title } } };
    case "row": {
      const row = { id, title, ...(description !== undefined && { description }) };
      return { type: "interactive", interactive: { type: "list_reply", list_reply: row } };
    }
    case "quick-reply":
      return { type: "button", button: { payload: id, text: title } };
  }
}
