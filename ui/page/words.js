/** What states, stages and ratings are called, and which colour goes with them: colour never says it alone. */

/** @typedef {"good" | "warn" | "bad" | "quiet" | "info"} Tone */
/** @typedef {{ readonly label: string, readonly tone: Tone, readonly means?: string }} Word */

/** @type {Readonly<Record<string, Word>>} */
export const MESSAGE_STATES = {
  received: { label: "Received", tone: "quiet" },
  waiting: { label: "Waiting", tone: "warn", means: "It is stored and not worked yet." },
  queued: { label: "Queued", tone: "quiet", means: "It waits for its turn, or for Meta's limits." },
  held: { label: "Held", tone: "warn", means: "It waits until the person writes again: the 24-hour window is closed." },
  sending: { label: "Sending", tone: "quiet", means: "It is on its way to Meta." },
  accepted: { label: "Accepted", tone: "quiet", means: "Meta has it, and has said nothing of it since." },
  sent: { label: "Sent", tone: "quiet", means: "WhatsApp has sent it; the phone has not shown up yet." },
  delivered: { label: "Delivered", tone: "good", means: "It is on the phone." },
  read: { label: "Read", tone: "info", means: "The person has opened it." },
  played: { label: "Played", tone: "info", means: "The person has listened to it." },
  failed: { label: "Failed", tone: "bad", means: "It did not arrive, and is not tried again." },
  expired: { label: "Expired", tone: "bad", means: "It waited too long and was not sent." },
  unknown: { label: "Unknown", tone: "warn", means: "Meta did not answer; whether it was sent cannot be said." },
};

/** In the order in which they come about. */
export const LIFE = ["queued", "accepted", "sent", "delivered", "read", "played", "failed"];

/** @type {Readonly<Record<string, Word>>} */
export const WEBHOOK_STATES = {
  processed: { label: "Processed", tone: "good" },
  waiting: { label: "Waiting", tone: "warn" },
  failed: { label: "Failed", tone: "bad" },
};

/** @type {Readonly<Record<string, Word>>} */
export const EVENT_STATES = {
  applied: { label: "Applied", tone: "good" },
  waiting: { label: "Waiting", tone: "warn" },
  failed: { label: "Dead letter", tone: "bad" },
  unknown: { label: "Not understood", tone: "warn" },
  parked: { label: "Waits for its message", tone: "quiet" },
  erased: { label: "Erased", tone: "quiet" },
};

/** @type {Readonly<Record<string, Word>>} */
export const CHECK_STATES = {
  ok: { label: "Fine", tone: "good" },
  warning: { label: "Warning", tone: "warn" },
  problem: { label: "Problem", tone: "bad" },
  skipped: { label: "Not looked at", tone: "quiet" },
};

/** @type {Readonly<Record<string, Word>>} */
export const TEMPLATE_STATES = {
  APPROVED: { label: "Approved", tone: "good", means: "It may be sent." },
  PENDING: { label: "In review", tone: "warn", means: "Meta looks at it, mostly for minutes and at most for a day." },
  UNCONFIRMED: {
    label: "Not confirmed",
    tone: "warn",
    means:
      "Meta did not answer, or has not yet. What it has is looked up within minutes: nothing has to be sent again.",
  },
  NOT_SENT: {
    label: "Not at Meta",
    tone: "bad",
    means: "It was lost on its way: Meta has never had it. Send it again, or delete it.",
  },
  IN_APPEAL: { label: "In appeal", tone: "warn" },
  REJECTED: {
    label: "Rejected",
    tone: "bad",
    means: "Meta does not allow it as it is. Edit it and it is looked at again.",
  },
  PAUSED: { label: "Paused", tone: "warn", means: "People blocked or reported it. Meta lifts the pause by itself." },
  DISABLED: { label: "Disabled", tone: "bad", means: "Meta has switched it off for good." },
  PENDING_DELETION: { label: "Being deleted", tone: "quiet" },
  DELETED: { label: "Deleted", tone: "quiet" },
  LIMIT_EXCEEDED: { label: "Limit exceeded", tone: "bad" },
  ARCHIVED: { label: "Archived", tone: "quiet" },
};

/** Meta's reasons for a rejection, in plain words. @type {Readonly<Record<string, string>>} */
const REJECTIONS = {
  ABUSIVE_CONTENT: "Meta takes it for abusive: threats, insults, or content that its policy forbids.",
  INCORRECT_CATEGORY:
    "The category does not fit the text: what advertises is MARKETING, what follows an order is UTILITY.",
  INVALID_FORMAT: "Its form is wrong: a variable at the start or the end, two in a row, or missing examples.",
  PROMOTIONAL: "It advertises, which its category does not allow: choose MARKETING.",
  SCAM: "Meta takes it for a scam: say clearly who you are, and ask for no passwords or card numbers.",
  TAG_CONTENT_MISMATCH: "The text does not fit its category or language.",
  NONE: "",
};

/** @param {string | null} reason */
export function rejection(reason) {
  if (reason === null || reason === "NONE") return "";
  return Object.hasOwn(REJECTIONS, reason) ? /** @type {string} */ (REJECTIONS[reason]) : reason;
}

/** @type {Readonly<Record<string, Word>>} */
export const QUALITY = {
  GREEN: { label: "Quality high", tone: "good" },
  YELLOW: { label: "Quality medium", tone: "warn" },
  RED: { label: "Quality low", tone: "bad" },
  UNKNOWN: { label: "Quality not rated yet", tone: "quiet" },
};

/** @type {Readonly<Record<string, Word>>} */
export const NUMBER_STATES = {
  connected: { label: "Connected", tone: "good" },
  reauth_required: { label: "Reconnect needed", tone: "warn" },
  disconnected: { label: "Disconnected", tone: "quiet" },
};

/** @type {Readonly<Record<string, Word>>} */
export const STAGES = {
  in: { label: "Not applied", tone: "bad", means: "An event of Meta's that could not be stored in the conversation." },
  turn: { label: "Not answered", tone: "bad", means: "Messages that the chat pipeline did not answer." },
  notify: { label: "Not told", tone: "warn", means: "An event that the platform's own listener did not take." },
};

/** @type {Readonly<Record<string, string>>} */
const KINDS = {
  image: "Picture",
  video: "Video",
  audio: "Voice or audio",
  document: "Document",
  sticker: "Sticker",
  location: "Place",
  contacts: "Contact card",
  reaction: "Reaction",
  interactive: "Choice",
  template: "Template",
  order: "Order",
  unsupported: "Message of an unknown type",
};

// What the channel puts where somebody has written nothing says itself what it is; so does a file's line under its caption.
const TELLS_ITS_KIND =
  /^\[[A-Za-z]|\n\[(?:Photo|Video|Audio|Document|Sticker)\b|^(?:Location|Contacts?|Order|Form):|^(?:Reacted|Took a reaction back)\b/;

/**
 * @param {string} kind of a message
 * @param {string} text of the same
 * @returns {string} what it is called before its words; "" where they tell it
 */
export function kindBefore(kind, text) {
  return kind === "text" || TELLS_ITS_KIND.test(text) ? "" : (KINDS[kind] ?? readable(kind));
}

/** @param {string} error as the channel keeps it, such as `DatabaseError 23514` */
export function errorWords(error) {
  const isDatabases = /^\w+ [0-9A-Z]{5}$/.test(error);
  return isDatabases ? `${error}: the database refused it, mostly by a rule or trigger on the host's tables.` : error;
}

/**
 * @param {readonly import("./api.js").Account[]} accounts
 * @param {string} wabaId
 * @returns {string} its name, with the id where another one has the same; the id alone where it has none
 */
export function accountName(accounts, wabaId) {
  const name = accounts.find((one) => one.wabaId === wabaId)?.name ?? null;
  if (name === null) return wabaId;
  return accounts.filter((one) => one.name === name).length > 1 ? `${name} (${wabaId})` : name;
}

/**
 * @param {Readonly<Record<string, Word>>} words
 * @param {string} key
 * @returns {Word} for what is not known: its own name, quietly
 */
export function wordFor(words, key) {
  return (Object.hasOwn(words, key) ? words[key] : undefined) ?? { label: readable(key), tone: "quiet" };
}

/** `phone_number_quality_update` → `Phone number quality update`. @param {string} name */
export function readable(name) {
  const spaced = name.replaceAll(/[_-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
