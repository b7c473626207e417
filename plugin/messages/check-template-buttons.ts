/** What makes the parameters of a template's buttons fit to be sent. */
import type { TemplateButton } from "../contract.ts";
import { id } from "./check-content.ts";
import { jsonObject } from "./check-json.ts";
import { productSections } from "./check-products.ts";
import { type Check, isFields, list, number, oneOf, optional, shape, text, unique } from "./check-value.ts";
import { LIMITS, type Limit } from "./limits.ts";
import { fitsTemplate } from "./text-rules.ts";

type Button<Kind extends TemplateButton["kind"]> = Extract<TemplateButton, { readonly kind: Kind }>;

const words = fitsTemplate(LIMITS.templateSpaces.max);
const index = number({ min: 0, max: LIMITS.templateButtons.max - 1 }, { whole: true });

const OTHERS = {
  url: shape<Button<"url">>({ index, suffix: text(LIMITS.urlSuffix, words) }),
  "copy-code": shape<Button<"copy-code">>({ index, code: text(LIMITS.couponCode, words) }),
  flow: shape<Button<"flow">>({ index, token: optional(id), data: optional(jsonObject) }),
  catalog: shape<Button<"catalog">>({ index, thumbnailProductId: optional(id) }),
  products: shape<Button<"products">>({ index, thumbnailProductId: id, sections: productSections }),
  "order-details": shape<Button<"order-details">>({ index, orderDetails: jsonObject }),
  call: shape<Button<"call">>(
    {
      index,
      ttlMinutes: optional(number(LIMITS.callTtl, { whole: true })),
      payload: optional(text(LIMITS.callPayload)),
    },
    (button, place) => {
      if (button.ttlMinutes === undefined && button.payload === undefined)
        place.report("has nothing to send", "Leave the button out, or give it a payload or minutes.");
    },
  ),
};

/** @param payload the limit of a quick reply's payload, which is another inside a card. */
export function templateButtons(payload: Limit): Check {
  const kinds: { readonly [Kind in TemplateButton["kind"]]: Check } = {
    ...OTHERS,
    "quick-reply": shape<Button<"quick-reply">>({ index, payload: text(payload) }),
  };
  const aKind = oneOf(...Object.keys(kinds));
  const button: Check = (value, place) => {
    if (!isFields(value)) return place.report("is not an object", "Give an object.");
    const { kind, ...members } = value;
    const known = Object.entries(kinds).find(([name]) => name === kind);
    if (known === undefined) return aKind(kind, place.member("kind"));
    known[1](members, place);
  };
  return list({ max: LIMITS.templateButtons.max }, button, unique("index"));
}
