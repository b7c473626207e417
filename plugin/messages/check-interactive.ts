/** What makes buttons, lists, links, Flows, requests, calls, products and carousels fit to be sent. */
import type {
  ButtonsMessage,
  CallMessage,
  FlowMessage,
  Header,
  HeaderMedia,
  LinkMessage,
  ListMessage,
  RequestMessage,
} from "../contract.ts";
import { anyText, id, oneSource, sources } from "./check-content.ts";
import { jsonObject } from "./check-json.ts";
import { type Check, isFields, list, number, oneOf, optional, SOME, shape, text, unique } from "./check-value.ts";
import { has } from "./has.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";
import { httpsUrl, oneLine, withoutEmoji, withoutMarkup, withoutOuterSpace } from "./text-rules.ts";

export const body = text(LIMITS.interactiveBody);
export const footer = optional(text(LIMITS.footer));
export const textHeader = shape<Extract<Header, { readonly text: string }>>({
  text: text(LIMITS.headerText, oneLine, withoutMarkup),
});

export function mediaHeader(...kinds: readonly HeaderMedia["media"][]): Check {
  return shape<HeaderMedia>({ media: oneOf(...kinds), ...sources, filename: anyText }, oneSource, (fields, place) => {
    if (fields.filename !== undefined && fields.media !== "document")
      place.member("filename").report("is for documents only", "Leave it out.");
  });
}

const anyMedia = mediaHeader("image", "video", "document");

export const header: Check = optional((value, place) =>
  (isFields(value) && has(value, "media") ? anyMedia : textHeader)(value, place),
);

export const checkButtons = shape<ButtonsMessage>({
  text: body,
  header,
  footer,
  buttons: list(
    LIMITS.buttons,
    shape<ButtonsMessage["buttons"][number]>({
      id: text(LIMITS.buttonId, withoutOuterSpace),
      title: text(LIMITS.buttonTitle, oneLine),
    }),
    unique("id"),
    unique("title"),
  ),
});

type Section = ListMessage["sections"][number];

export const checkList = shape<ListMessage>({
  text: text(LIMITS.listBody),
  header: optional(textHeader),
  footer,
  button: text(LIMITS.listButton, oneLine),
  sections: list(
    LIMITS.listSections,
    shape<Section>({
      title: optional(text(LIMITS.sectionTitle, oneLine)),
      rows: list(
        SOME,
        shape<Section["rows"][number]>({
          id: text(LIMITS.rowId, withoutOuterSpace),
          title: text(LIMITS.rowTitle, oneLine),
          description: optional(text(LIMITS.rowDescription)),
        }),
      ),
    }),
    titlesWhenSeveral,
    rowsTogether,
  ),
});

function titlesWhenSeveral(sections: readonly unknown[], place: Place): void {
  if (sections.length < 2) return;
  sections.forEach((section, index) => {
    if (isFields(section) && section.title === undefined)
      place.item(index).member("title").report("is missing, with several sections", "Give each section a title.");
  });
}

/** The limit of rows, and their ids, are of the whole list. */
function rowsTogether(sections: readonly unknown[], place: Place): void {
  const seen = new Set<unknown>();
  let count = 0;
  sections.forEach((section, at) => {
    const rows: readonly unknown[] = isFields(section) && Array.isArray(section.rows) ? section.rows : [];
    count += rows.length;
    rows.forEach((row, index) => {
      const rowId = isFields(row) ? row.id : undefined;
      if (rowId !== undefined && seen.has(rowId))
        place
          .item(at)
          .member("rows")
          .item(index)
          .member("id")
          .report("is the same as in an earlier one", "Give each its own.");
      seen.add(rowId);
    });
  });
  const { max } = LIMITS.listRows;
  if (count > max)
    place.report(`has more rows than ${max} altogether`, "Send fewer, or ask again for the others.", max);
}

export const checkLink = shape<LinkMessage>({
  text: body,
  header,
  footer,
  label: text(LIMITS.linkLabel, oneLine),
  url: text(SOME, httpsUrl),
});

export const checkFlow = shape<FlowMessage>(
  {
    text: body,
    header,
    footer,
    flow: shape<{ readonly id: string; readonly name: string }>(
      { id: optional(id), name: optional(id) },
      (flow, place) => {
        if ((flow.id === undefined) === (flow.name === undefined))
          place.report("needs an id or a name, and not both", "Give one of the two.");
      },
    ),
    label: text(LIMITS.flowLabel, oneLine, withoutEmoji),
    token: optional(id),
    mode: optional(oneOf("draft", "published")),
    action: optional(oneOf("navigate", "data_exchange")),
    screen: optional(id),
    data: optional(jsonObject),
  },
  (flow, place) => {
    for (const member of ["screen", "data"])
      if (flow.action === "data_exchange" && flow[member] !== undefined)
        place.member(member).report("is not for data_exchange, where your endpoint answers", "Leave it out.");
    if (flow.data !== undefined && flow.screen === undefined && flow.action !== "data_exchange")
      place.member("screen").report("is missing, with data for it", "Name the screen that gets the data.");
  },
);

export const checkRequest = shape<RequestMessage>({ text: body });

export const checkCall = shape<CallMessage>({
  text: body,
  label: optional(text(LIMITS.callLabel, oneLine)),
  ttlMinutes: optional(number(LIMITS.callTtl, { whole: true })),
  payload: optional(text(LIMITS.callPayload)),
});
