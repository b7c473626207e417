/** What makes text, media, places, contact cards and reactions fit to be sent. */
import type {
  ContactCard,
  ContactsMessage,
  LocationMessage,
  MediaKind,
  MediaMessage,
  ReactionMessage,
  TextMessage,
} from "../contract.ts";
import { readUuid } from "../uuid.ts";
import { ANY, absent, type Check, flag, list, number, optional, SOME, shape, text } from "./check-value.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";
import { calendarDay, httpsUrl, matching, oneEmoji } from "./text-rules.ts";

export const checkText = shape<TextMessage>({ text: text(LIMITS.textBody), previewUrl: flag });

export const anyText = optional(text(ANY));
export const mediaUrl = text(SOME, httpsUrl);
/** Meta's ids, and the host's own: of messages, catalogues, products, Flows. */
export const id = text(SOME);

/** Where media may be, in messages and headers. */
export const sources = {
  url: optional(mediaUrl),
  mediaId: optional(
    text(SOME, (value) =>
      readUuid(value) === null
        ? ["is no id of media", "Give the id from POST /media/upload; Meta's own ids go into raw messages."]
        : null,
    ),
  ),
};

/** One of them, in whatever has {@link sources}. */
export function oneSource(fields: Readonly<Record<string, unknown>>, place: Place): void {
  const given = ["url", "mediaId", "bytes"].filter((name) => fields[name] !== undefined);
  if (given.length === 0) place.member("url").report("is missing", "Give a url or a mediaId.");
  for (const name of given.slice(1)) place.member(name).report("is one source too many", "Give exactly one.");
}

const fileBytes: Check = (value, place) => {
  if (!(value instanceof Uint8Array) || value.byteLength === 0)
    return place.report("is no file", "Give a Uint8Array that is not empty.");
  const { max } = LIMITS.documentFile;
  if (value.byteLength > max) place.report(`has more than ${max} bytes`, "Send a link in its place.", max);
};

export function checkMedia(kind: MediaKind): Check {
  const hasCaption = kind !== "audio" && kind !== "sticker";
  return shape<MediaMessage>(
    {
      ...sources,
      bytes: optional(fileBytes),
      mime: optional(text(SOME, matching(/^[\w.+-]+\/[\w.+-]+$/, "is no type of a file", "Give one like image/jpeg."))),
      caption: hasCaption
        ? optional(text(LIMITS.caption))
        : absent("is not shown with this kind", "Send the words as a text of their own."),
      filename: kind === "document" ? anyText : absent("is for documents only", "Leave it out."),
      voice: kind === "audio" ? optional(flag) : absent("is for audio only", "Leave it out."),
    },
    oneSource,
    (fields, place) => {
      if (fields.bytes !== undefined && fields.mime === undefined)
        place.member("mime").report("is missing", "Say what the bytes are, like image/jpeg.");
      if (fields.bytes === undefined && fields.mime !== undefined)
        place.member("mime").report("is for bytes only", "Leave it out.");
    },
  );
}

export const placeMembers = {
  latitude: number(LIMITS.latitude, { whole: false }),
  longitude: number(LIMITS.longitude, { whole: false }),
  name: anyText,
  address: anyText,
};
export const checkLocation = shape<LocationMessage>(placeMembers);

type Item<Member extends keyof ContactCard> =
  NonNullable<ContactCard[Member]> extends readonly (infer One)[] ? One : never;

const checkContact = shape<ContactCard>({
  name: shape<ContactCard["name"]>({
    formatted: text(SOME),
    first: anyText,
    last: anyText,
    middle: anyText,
    prefix: anyText,
    suffix: anyText,
  }),
  phones: optional(
    list(
      ANY,
      shape<Item<"phones">>({
        phone: text(SOME),
        type: anyText,
        waId: optional(text(SOME, matching(/^\d+$/, "is not digits only", "Give the number's digits, without +."))),
      }),
    ),
  ),
  emails: optional(list(ANY, shape<Item<"emails">>({ email: text(SOME), type: anyText }))),
  urls: optional(list(ANY, shape<Item<"urls">>({ url: text(SOME), type: anyText }))),
  addresses: optional(
    list(
      ANY,
      shape<Item<"addresses">>({
        street: anyText,
        city: anyText,
        state: anyText,
        zip: anyText,
        country: anyText,
        countryCode: anyText,
        type: anyText,
      }),
    ),
  ),
  organization: optional(
    shape<NonNullable<ContactCard["organization"]>>({ company: anyText, department: anyText, title: anyText }),
  ),
  birthday: optional(text(SOME, calendarDay)),
});

export const checkContacts = shape<ContactsMessage>({ contacts: list(LIMITS.contacts, checkContact) });

const emoji = text(ANY, oneEmoji);

export const checkReaction = shape<ReactionMessage>({
  targetId: id,
  emoji: (value, place) => (value === null ? undefined : emoji(value, place)),
});
