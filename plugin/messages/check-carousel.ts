/** What makes cards side by side fit to be sent: each by itself, and all of them alike. */
import type { CarouselCard, CarouselMessage } from "../contract.ts";
import { body, mediaHeader } from "./check-interactive.ts";
import { isFields, list, optional, SOME, shape, text, unique } from "./check-value.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";
import { atMostLineBreaks, httpsUrl, oneLine, withoutOuterSpace } from "./text-rules.ts";

type Link = Extract<CarouselCard, { readonly link: unknown }>["link"];
type Buttons = Extract<CarouselCard, { readonly buttons: unknown }>["buttons"];

const checkCard = shape<CarouselCard>(
  {
    header: mediaHeader("image", "video"),
    text: optional(text(LIMITS.cardBody, atMostLineBreaks(LIMITS.cardBodyLineBreaks.max))),
    link: optional(shape<Link>({ label: text(LIMITS.linkLabel, oneLine), url: text(SOME, httpsUrl) })),
    buttons: optional(
      list(
        LIMITS.cardButtons,
        shape<Buttons[number]>({
          id: text(LIMITS.cardButtonId, withoutOuterSpace),
          title: text(LIMITS.cardButtonTitle, oneLine),
        }),
        unique("id"),
        unique("title"),
      ),
    ),
  },
  (card, place) => {
    if ((card.link === undefined) === (card.buttons === undefined))
      place.report("needs a link or buttons, and not both", "Give one of the two.");
  },
);

export const checkCarousel = shape<CarouselMessage>({ text: body, cards: list(LIMITS.cards, checkCard, alike) });

/** Meta refuses cards that differ in kind or number of buttons. */
function alike(cards: readonly unknown[], place: Place): void {
  const [first, ...others] = cards.map(buttonsOf);
  others.forEach((buttons, index) => {
    if (buttons !== first)
      place
        .item(index + 1)
        .report(
          "differs from the first card in kind or number of buttons",
          "Give all cards a link, or all the same number of buttons.",
        );
  });
}

function buttonsOf(card: unknown): string {
  if (!isFields(card)) return "none";
  return Array.isArray(card.buttons) ? `${card.buttons.length} buttons` : "link";
}
