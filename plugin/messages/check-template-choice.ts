/** What makes a template's name, language and parameters fit to be sent, whatever the template looks like. */
import type { ProductMessage, TemplateMessage, TemplateParams } from "../contract.ts";
import { checkLocation, id } from "./check-content.ts";
import { mediaHeader } from "./check-interactive.ts";
import { templateButtons } from "./check-template-buttons.ts";
import { countValues, templateValues } from "./check-template-values.ts";
import { type Check, isFields, list, oneOf, optional, shape, text } from "./check-value.ts";
import { has } from "./has.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";
import { fitsTemplate, matching } from "./text-rules.ts";

type Values = { readonly text: unknown };
type Card = NonNullable<TemplateParams["cards"]>[number];

const headerValues = templateValues(LIMITS.templateHeader);
const textHeader = shape<Values>({
  text: (values, place) => {
    headerValues(values, place);
    const { max } = LIMITS.templateHeaderValues;
    if (countValues(values) > max) place.report("has more than one value", "A header has one variable.", max);
  },
});
const locationHeader = shape<{ readonly location: unknown }>({ location: checkLocation });
const productHeader = shape<{ readonly product: unknown }>({
  product: shape<Pick<ProductMessage, "catalogId" | "productId">>({ catalogId: id, productId: id }),
});
const anyMedia = mediaHeader("image", "video", "document");
const pictureOrFilm = mediaHeader("image", "video");

const header: Check = (value, place) => {
  if (!isFields(value)) return place.report("is not an object", "Give text, media, a location or a product.");
  if (has(value, "text")) return textHeader(value, place);
  if (has(value, "product")) return productHeader(value, place);
  (has(value, "location") ? locationHeader : anyMedia)(value, place);
};

const cardHeader: Check = (value, place) =>
  (isFields(value) && has(value, "product") ? productHeader : pictureOrFilm)(value, place);

const card = shape<Card>({
  body: optional(templateValues(LIMITS.templateCardBody)),
  header: optional(cardHeader),
  buttons: optional(templateButtons(LIMITS.cardQuickReplyPayload)),
});

const checkParams = shape<TemplateParams>(
  {
    body: optional(templateValues(LIMITS.templateBody)),
    header: optional(header),
    buttons: optional(templateButtons(LIMITS.quickReplyPayload)),
    cards: optional(list(LIMITS.templateCards, card)),
    limitedTimeOffer: optional(shape<NonNullable<TemplateParams["limitedTimeOffer"]>>({ expiresAt: moment })),
    code: optional(text(LIMITS.oneTimeCode, fitsTemplate(LIMITS.templateSpaces.max))),
  },
  (params, place) => {
    if (params.code === undefined) return;
    for (const member of ["body", "buttons"])
      if (params[member] !== undefined)
        place.member(member).report("is filled by the one-time code", "Give the code alone.");
  },
);

/** A moment in time, of either form that the type allows. */
function moment(value: unknown, place: Place): void {
  const at = value instanceof Date ? value : isIso(value) ? new Date(value) : null;
  if (at === null || Number.isNaN(at.getTime()))
    place.report("is not a moment in time", "Give a Date, or its ISO 8601 text.");
}

/** `new Date` would make a year of a bare number. */
function isIso(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value);
}

export const checkTemplateMessage = shape<TemplateMessage>({
  name: text(
    LIMITS.templateName,
    matching(/^[a-z0-9_]+$/, "is no name of a template", "Use the name as approved: lower-case letters, digits and _."),
  ),
  language: text(
    { min: 1, max: 16 },
    matching(
      /^[a-z]{2,3}(_[A-Za-z0-9]{2,4})?$/,
      "is no language code of Meta's",
      "Spell it as approved, e.g. en or en_GB.",
    ),
  ),
  params: optional(checkParams),
  endpoint: optional(oneOf("messages", "marketing")),
});
