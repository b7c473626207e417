/** What a bakery's channel holds on a usual morning: for the integrations page, as its routes answer. Nobody's numbers. */

/** So that a picture of it is the same every time. */
export const NOW = Date.parse("2026-11-27T10:24:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

export const NUMBERS = [
  {
    phone_number_id: "301777000333444",
    phone_number: "+44 7700 900000",
    verified_name: "Quill Bakery",
    quality_rating: "GREEN",
    state: "connected",
    reason: null,
  },
  {
    phone_number_id: "301777000333555",
    phone_number: "+44 7700 900055",
    verified_name: "Quill Café",
    quality_rating: "YELLOW",
    state: "connected",
    reason: null,
  },
];

const check = (
  id: string,
  title: string,
  state: string,
  seen: string,
  fix: string | null = null,
  number: string | null = null,
) => ({
  id,
  title,
  state,
  seen,
  fix,
  phone_number_id: number,
});
const [BAKERY, CAFE] = ["301777000333444", "301777000333555"];

export const CHECKS = [
  check("configuration", "Configuration", "ok", "Every variable is there and fits."),
  check("database", "Database", "ok", "It answers."),
  check("callback", "Webhook address", "ok", "https://shop.example.com/api/whatsapp/webhook answers Meta's challenge."),
  check(
    "fields",
    "Webhook fields",
    "warning",
    "Subscribed to messages, not to account_update.",
    "In the Meta app, WhatsApp, Configuration, Webhook fields, subscribe to account_update.",
  ),
  check("numbers", "Connected numbers", "ok", "2 numbers."),
  check("token", "Access token", "ok", "Meta takes it, and it has both permissions.", null, BAKERY),
  check("quality", "Quality and limit", "ok", "Quality high, 10,000 people a day.", null, BAKERY),
  check("payment", "Payment", "ok", "A payment method is set.", null, BAKERY),
  check("received", "Last received", "ok", "2 minutes ago.", null, BAKERY),
  check("token", "Access token", "ok", "Meta takes it, and it has both permissions.", null, CAFE),
  check(
    "quality",
    "Quality and limit",
    "warning",
    "Quality medium: people block or report more of its messages than usual.",
    "Write only to people who asked for it, and send fewer marketing templates.",
    CAFE,
  ),
  check(
    "payment",
    "Payment",
    "problem",
    "The account has no payment method: templates are refused with 131042.",
    "Add one in Meta Business Suite, Billing, WhatsApp accounts, Quill Café.",
    CAFE,
  ),
  check("received", "Last received", "skipped", "Nobody has written to it yet.", null, CAFE),
];

const ADA = { name: "Ada Q.", phoneNumber: "+44 7700 900123" };
const BEN = { name: "Ben Ito", phoneNumber: "+44 7700 900145" };
const CAM = { name: null, phoneNumber: "+44 7700 900178" };
const CONVERSATION = "5c1d2b1e-60d4-4b0e-9f51-0d1f3a6a7c01";

const incoming = (id: string, contact: object, text: string, seconds: number, kind = "text") => ({
  id,
  direction: "in",
  conversationId: CONVERSATION,
  contact,
  kind,
  text,
  at: ago(seconds),
  state: "received",
  times: {},
  error: null,
  degraded: [],
  messageId: `wamid.${id}`,
  sendId: null,
  partIndex: null,
  attempts: [],
});
const outgoing = (id: string, contact: object, text: string, seconds: number, state: string, more: object = {}) => {
  const steps = ["queued", "accepted", "sent", "delivered", "read"];
  const reached = steps.slice(0, steps.indexOf(state) + 1);
  return {
    ...incoming(id, contact, text, seconds),
    direction: "out",
    state,
    times: Object.fromEntries(
      steps.map((step, index) => [step, reached.includes(step) ? ago(seconds - [0, 0.3, 0.9, 1.4, 42][index]!) : null]),
    ),
    sendId: "0d9f8a0c-7a1e-4a55-8e5b-6a3b2f1c9e10",
    partIndex: 0,
    attempts: [{ startedAt: ago(seconds), outcome: "accepted", metaCode: null }],
    ...more,
  };
};

export const MESSAGES = [
  outgoing(
    "m1",
    ADA,
    "Yes! We are open until *18:00* today.\n\n- Sourdough is warm at 15:00\n- The café closes at 17:00\n\n_See you soon._",
    95,
    "read",
    {
      degraded: [{ part: 0, what: "text", from: "table", to: "monospace text" }],
    },
  ),
  incoming("m2", ADA, "Is it open today? 👩🏽‍🚀", 97),
  outgoing("m3", BEN, "[Template order_ready] Ben, 18:00", 600, "failed", {
    kind: "template",
    times: { queued: ago(600), accepted: ago(599.7), failed: ago(598.2) },
    error: {
      code: "131042",
      title: "Business eligibility payment issue",
      words: "Meta did not send it, because the account has no valid payment method.",
      fix: "Add one in Meta Business Suite, Billing, WhatsApp accounts. Then send it again.",
    },
    // Meta took it, and said later what became of it: a status is no attempt, and a template is not sent again.
    attempts: [{ startedAt: ago(600), outcome: "accepted", metaCode: null }],
  }),
  outgoing("m4", CAM, "Here is our menu for this week.", 1800, "delivered"),
  incoming("m5", CAM, "[Photo]", 1810, "image"),
  outgoing("m7", BEN, "I asked in the kitchen: it has none.", 3990, "sent"),
  incoming(
    "m6",
    BEN,
    "Two of the almond ones please, and can somebody tell me whether the rye has any nuts in it at all?",
    4000,
  ),
];

/** As the channel keeps it: an error's name and code, and nothing that it says. */
const REFUSED = "DatabaseError 23514";

export const WEBHOOKS = [
  { id: "9021", type: "status", receivedAt: ago(93), state: "processed", error: null, size: 1204, events: 3 },
  { id: "9020", type: "message", receivedAt: ago(95), state: "processed", error: null, size: 642, events: 1 },
  {
    id: "9019",
    type: "message_template_status_update",
    receivedAt: ago(1000),
    state: "processed",
    error: null,
    size: 512,
    events: 1,
  },
  { id: "9018", type: "message", receivedAt: ago(2000), state: "failed", error: REFUSED, size: 701, events: 2 },
  { id: "9017", type: "message", receivedAt: ago(2100), state: "waiting", error: null, size: 660, events: 1 },
];

const PAYLOAD = {
  object: "whatsapp_business_account",
  entry: [
    {
      id: "201555000111222",
      changes: [
        {
          field: "messages",
          value: {
            messaging_product: "whatsapp",
            metadata: { display_phone_number: "447700900000", phone_number_id: BAKERY },
            contacts: [{ profile: { name: "Ada Q." }, wa_id: "447700900123" }],
            messages: [
              {
                from: "447700900123",
                id: "wamid.SAMPLE",
                timestamp: "1790000000",
                type: "text",
                text: { body: "Is it open today? 👩🏽‍🚀" },
              },
            ],
          },
        },
      ],
    },
  ],
};

export const WEBHOOK = {
  ...(WEBHOOKS[3] as object),
  id: "9018",
  payload: PAYLOAD,
  body: JSON.stringify(PAYLOAD),
  events: [
    {
      id: "1",
      kind: "message",
      state: "failed",
      error: REFUSED,
      occurredAt: ago(2001),
      attempts: 13,
    },
    { id: "2", kind: "contact_changed", state: "applied", error: null, occurredAt: ago(2001), attempts: 1 },
  ],
  type: "message",
  receivedAt: ago(2000),
  state: "failed",
  size: 701,
};

export const DEAD_LETTERS = [
  {
    id: "in:17",
    stage: "in",
    kind: "message",
    conversation_id: CONVERSATION,
    at: ago(2000),
    attempts: 13,
    error: REFUSED,
    explanation:
      "Every try to apply it failed; a code of five characters is Postgres' own, mostly of a rule or trigger on the host's tables.",
  },
  {
    id: "turn:5c1d2b1e",
    stage: "turn",
    kind: "turn",
    conversation_id: CONVERSATION,
    at: ago(7200),
    attempts: 13,
    error: "ChatApiError",
    explanation: "Your reply() failed, or took too long, on every try: nobody answered these messages.",
  },
  {
    id: "notify:31",
    stage: "notify",
    kind: "status",
    conversation_id: null,
    at: ago(90_000),
    attempts: 13,
    error: "TypeError",
    explanation: "Your onEvent() failed on every try: it has not heard of this.",
  },
];

const template = (id: string, name: string, status: string, components: object[], more: object = {}) => ({
  id,
  wabaId: "201555000111222",
  metaId: `13870000${id}`,
  name,
  language: "en_GB",
  category: "UTILITY",
  status,
  rejectionReason: null,
  qualityScore: "GREEN",
  parameterFormat: "NAMED",
  components,
  syncedAt: ago(3600),
  editable: ["APPROVED", "REJECTED", "PAUSED"].includes(status),
  ...more,
});

export const TEMPLATES = {
  next: null,
  accounts: [{ wabaId: "201555000111222", name: "Quill Bakery", syncedAt: ago(3600) }],
  templates: [
    template("1", "order_ready", "APPROVED", [
      {
        type: "HEADER",
        format: "TEXT",
        text: "Order {{number}}",
        example: { header_text_named_params: [{ param_name: "number", example: "A-17" }] },
      },
      {
        type: "BODY",
        text: "Hi {{first_name}}, your order is *ready to be picked up*.\nWe keep it for you until {{until}} today.",
        example: {
          body_text_named_params: [
            { param_name: "first_name", example: "Ada" },
            { param_name: "until", example: "18:00" },
          ],
        },
      },
      { type: "FOOTER", text: "Quill Bakery, 4 Mill Lane" },
      {
        type: "BUTTONS",
        buttons: [
          { type: "URL", text: "How to find us", url: "https://quill.example/map" },
          { type: "PHONE_NUMBER", text: "Call us", phone_number: "+447700900000" },
        ],
      },
    ]),
    template(
      "2",
      "spring_buns",
      "REJECTED",
      [
        { type: "HEADER", format: "IMAGE", example: { header_handle: ["https://scontent.example/x"] } },
        {
          type: "BODY",
          text: "*Hot cross buns are back.* Two for one until {{1}}!",
          example: { body_text: [["Sunday"]] },
        },
        {
          type: "BUTTONS",
          buttons: [
            { type: "QUICK_REPLY", text: "Keep me four" },
            { type: "QUICK_REPLY", text: "Stop promotions" },
          ],
        },
      ],
      { rejectionReason: "INCORRECT_CATEGORY", parameterFormat: "POSITIONAL", qualityScore: null },
    ),
    template(
      "3",
      "table_booked",
      "PENDING",
      [{ type: "BODY", text: "Your table for {{1}} is booked.", example: { body_text: [["two"]] } }],
      {
        parameterFormat: "POSITIONAL",
        qualityScore: null,
        why: "Meta is reviewing it: wait for its decision, which takes up to a day.",
      },
    ),
    template(
      "4",
      "hello_again",
      "PAUSED",
      [
        { type: "BODY", text: "It has been a while! May we send you this week's menu?" },
        { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Yes please" }] },
      ],
      {
        category: "MARKETING",
        qualityScore: "RED",
      },
    ),
    template(
      "5",
      "sign_in_code",
      "APPROVED",
      [
        {
          type: "BODY",
          text: "*{{1}}* is your verification code. For your security, do not share this code.",
          add_security_recommendation: true,
          example: { body_text: [["123456"]] },
        },
        { type: "FOOTER", text: "This code expires in 5 minutes.", code_expiration_minutes: 5 },
        { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy code" }] },
      ],
      { category: "AUTHENTICATION", parameterFormat: "POSITIONAL" },
    ),
    template(
      "6",
      "weekend_menu",
      "UNCONFIRMED",
      [{ type: "BODY", text: "This weekend: rye, and the first plum tarts." }],
      {
        metaId: null,
        qualityScore: null,
        editable: false,
        why: "Meta's answer was lost: it is asked again within minutes what it has.",
      },
    ),
  ],
};

/** Every view: the name of its picture, its place on the page, and words by which it is known to be there. */
export const PLACES = [
  ["overview", "", "Latest messages"],
  ["health", "#/health", "Write only to people"],
  ["numbers", "#/numbers", "Quill Café"],
  ["messages", "#/messages", "Is it open today?"],
  ["message", "#/messages/m3", "Business eligibility payment issue"],
  ["templates", "#/templates", "spring_buns"],
  ["template", "#/templates/2", "Why it was rejected."],
  ["template-edit", "#/templates/1/edit", "As WhatsApp shows it"],
  ["webhooks", "#/webhooks", "3 events"],
  ["webhook", "#/webhooks/9018", "Exact bytes"],
  ["dead-letters", "#/dead-letters", "ChatApiError"],
] as const;
