/** A template as Graph lists it → what must and what may be filled into it. Never throws at what Meta invents. */
import type { TemplateButton } from "../contract.ts";
import { isFields } from "../messages/check-value.ts";
import type { KnownTemplate } from "../ports.ts";

/** Named for the state in which it can be sent; `status` says whether it is. */
export type ApprovedTemplate = TemplatePart &
  Omit<KnownTemplate, "components"> & {
    /** Null when it is no carousel. */
    readonly cards: readonly TemplatePart[] | null;
    /** Whether it is an offer, and whether that one ends. */
    readonly offer: { readonly expires: boolean } | null;
  };

/** What a template and each of its cards consist of. */
export type TemplatePart = {
  readonly header: ApprovedHeader | null;
  readonly body: VariableText;
  /** In the order of their index. */
  readonly buttons: readonly ApprovedButton[];
};

export type VariableText = {
  /** With `{{1}}` or `{{first_name}}` in it. */
  readonly text: string;
  /** Each once, in the order in which they come. */
  readonly variables: readonly string[];
};

export type ApprovedHeader =
  | ({ readonly kind: "text" } & VariableText)
  | { readonly kind: "image" | "video" | "document" | "location" | "product" }
  /** Of Meta's `format` that our parameters have no shape for: a GIF. */
  | { readonly kind: "other"; readonly format: string };

export type ApprovedButton = {
  /** What it can be given; null when it takes nothing. */
  readonly takes: TemplateButton["kind"] | null;
  /** Whether Meta refuses the template without it. */
  readonly isRequired: boolean;
};

type Fields = Readonly<Record<string, unknown>>;

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
export function readTemplate(known: KnownTemplate): ApprovedTemplate {
  const { components, ...about } = known;
  const offer = componentOf(components, "LIMITED_TIME_OFFER");
  const cards = componentOf(components, "CAROUSEL")?.cards;
  const part = readPart(components);
  return {
    ...about,
    ...part,
    // Meta writes the text of these by itself, and may list it without its one variable.
    ...(about.category === "AUTHENTICATION" && part.body.variables.length === 0 && { body: readText("{{1}}") }),
    cards: Array.isArray(cards) ? cards.map((card) => readPart(isFields(card) ? card.components : [])) : null,
    offer:
      offer === undefined
        ? null
        : { expires: isFields(offer.limited_time_offer) && offer.limited_time_offer.has_expiration === true },
  };
}

function readPart(components: unknown): TemplatePart {
  const header = componentOf(components, "HEADER");
  const buttons = componentOf(components, "BUTTONS")?.buttons;
  return {
    header: header === undefined ? null : readHeader(header),
    body: readText(componentOf(components, "BODY")?.text),
    buttons: Array.isArray(buttons) ? buttons.map(readButton) : [],
  };
}

function componentOf(components: unknown, type: string): Fields | undefined {
  const all: readonly unknown[] = Array.isArray(components) ? components : [];
  return all.filter(isFields).find((component) => upper(component.type) === type);
}

function readText(text: unknown): VariableText {
  const shown = typeof text === "string" ? text : "";
  return { text: shown, variables: [...new Set(variablesIn(shown))] };
}

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/** In the order in which they come, each as often as it does. */
export function variablesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(VARIABLE), ([, name = ""]) => name);
}

/** The text as a person gets it. What is not given stays as it is. */
export function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(VARIABLE, (variable, name: string) => values.get(name) ?? variable);
}

function readHeader({ format, text }: Fields): ApprovedHeader {
  const kind = upper(format);
  switch (kind) {
    case "TEXT":
      return { kind: "text", ...readText(text) };
    case "IMAGE":
      return { kind: "image" };
    case "VIDEO":
      return { kind: "video" };
    case "DOCUMENT":
      return { kind: "document" };
    case "LOCATION":
      return { kind: "location" };
    case "PRODUCT":
      return { kind: "product" };
    default:
      return { kind: "other", format: kind };
  }
}

const BUTTONS: ReadonlyMap<string, ApprovedButton> = new Map([
  ["QUICK_REPLY", { takes: "quick-reply", isRequired: false }],
  ["COPY_CODE", { takes: "copy-code", isRequired: true }],
  ["OTP", { takes: "url", isRequired: true }],
  ["FLOW", { takes: "flow", isRequired: false }],
  ["CATALOG", { takes: "catalog", isRequired: false }],
  ["MPM", { takes: "products", isRequired: true }],
  ["ORDER_DETAILS", { takes: "order-details", isRequired: true }],
  ["VOICE_CALL", { takes: "call", isRequired: false }],
]);

function readButton(button: unknown): ApprovedButton {
  const { type, url } = isFields(button) ? button : {};
  if (upper(type) === "URL" && readText(url).variables.length > 0) return { takes: "url", isRequired: true };
  return BUTTONS.get(upper(type)) ?? { takes: null, isRequired: false };
}

function upper(value: unknown): string {
  return typeof value === "string" ? value.toUpperCase() : "";
}
