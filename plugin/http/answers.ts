/** What the routes answer, as it is on the wire: for openapi.json, and for a test that holds real answers to it. */
import { z } from "zod";
import type { PartState } from "../contract.ts";
import { ERROR_STATUS } from "../errors.ts";

const id = z.guid();
const time = z.iso.datetime();
const count = z.number().int().min(0);
const text = z.string();
const next = text.nullable().describe("The `before` of the next page; null at the end.");
/** Meta's own spelling, which Meta may add to. */
const asMeta = z.looseObject({});

const codes = ["INTERNAL", ...Object.keys(ERROR_STATUS)] as const;
export const ERROR = z.strictObject({
  error: z.strictObject({
    code: z.enum(codes),
    message: text.describe(
      "What to do, in plain words. Never holds a token, a phone number or text that people wrote.",
    ),
    problems: z
      .array(z.strictObject({ path: text, problem: text, limit: z.number().nullable(), fix: text }))
      .optional()
      .describe("Of a message or template that does not fit: each thing that is wrong, with its place."),
  }),
});

const number = z.strictObject({
  phone_number_id: text,
  phone_number: text,
  verified_name: text.nullable(),
  quality_rating: text.nullable(),
  state: z.enum(["connected", "reauth_required", "disconnected"]),
  reason: text.nullable(),
});
export const STATUS = z.strictObject({
  enabled: z.boolean(),
  phone_number: text.nullable(),
  state: z.enum(["connected", "reauth_required", "disconnected"]),
  reason: text.nullable(),
  numbers: z.array(number),
});

export const DIAGNOSIS = z.strictObject({
  healthy: z.boolean().describe("No check has found a problem."),
  checks: z.array(
    z.strictObject({
      id: text,
      title: text,
      state: z.enum(["ok", "warning", "problem", "skipped"]),
      seen: text,
      fix: text.nullable().describe("Where to click or what to set."),
      phone_number_id: text.nullable(),
    }),
  ),
});

const problem = z.strictObject({ code: text, message: text });
const metaError = z.strictObject({
  code: z.number(),
  subcode: z.number().nullable(),
  title: text.nullable(),
  details: text.nullable(),
  fbtraceId: text.nullable(),
});
const PART_STATES = [
  "queued",
  "held",
  "sending",
  "accepted",
  "sent",
  "delivered",
  "read",
  "played",
  "failed",
  "expired",
  "unknown",
] as const satisfies readonly PartState[];
/** Of what came, and of what went. */
export const MESSAGE_STATES = ["received", "waiting", ...PART_STATES] as const;
const degradation = z.strictObject({
  part: count.nullable(),
  what: text,
  from: text,
  to: text,
});
export const RECEIPT = z.strictObject({
  sendId: id,
  conversationId: id,
  parts: z.array(
    z.strictObject({
      index: count,
      kind: text,
      state: z.enum(PART_STATES),
      messageId: text.nullable(),
      duplicateMessageId: text.optional(),
      error: z.strictObject({ ...problem.shape, meta: metaError.nullable() }).nullable(),
    }),
  ),
  degraded: z.array(degradation),
});

export const SESSION = z.strictObject({
  state: z.enum(["open", "closed"]),
  expiresAt: time.nullable(),
  secondsRemaining: count,
  freeEntryPointExpiresAt: time.nullable(),
  templateRequired: z.boolean(),
  canSend: z.boolean(),
  reason: text,
});

export const UPLOADED = z.strictObject({
  id,
  kind: z.enum(["image", "video", "audio", "document", "sticker"]),
  mime: text,
  size: count,
  sha256: text,
});

export const ONBOARDING = z.strictObject({
  onboarding: z
    .strictObject({
      id,
      state: z.enum(["running", "choice", "pin", "takeover", "failed", "done"]),
      steps: z.array(
        z.strictObject({
          step: text,
          phone_number_id: text.nullable(),
          state: z.enum(["waiting", "done", "skipped", "failed"]),
          error: problem.nullable(),
        }),
      ),
      numbers: z.array(
        z.strictObject({
          phone_number_id: text,
          waba_id: text,
          waba_name: text.nullable(),
          phone_number: text,
          verified_name: text.nullable(),
          quality_rating: text.nullable(),
          on_business_app: z.boolean(),
          held: z.enum(["here", "elsewhere"]).nullable(),
        }),
      ),
      chosen: z.array(text),
      error: problem.nullable(),
    })
    .nullable(),
  login: z.strictObject({
    app_id: text.nullable(),
    config_id: text.nullable(),
    graph_version: text.nullable(),
    sdk_url: text.nullable(),
    dialog_origin: text.nullable(),
  }),
});

export const DEAD_LETTERS = z.strictObject({
  dead_letters: z.array(
    z.strictObject({
      id: text,
      stage: z.enum(["in", "turn", "notify"]),
      kind: text,
      conversation_id: id.nullable(),
      at: text,
      attempts: count.nullable(),
      error: text,
      explanation: text,
    }),
  ),
  next: text.nullable().describe("The `after` of the next page; null at the end."),
});
export const REDRIVEN = z.strictObject({ redriven: count, left: count });

const webhook = {
  id: text,
  type: text,
  receivedAt: time,
  state: z.enum(["processed", "waiting", "failed"]),
  error: text.nullable(),
  size: count.describe("Bytes of all of it."),
};
export const WEBHOOKS = z.strictObject({
  webhooks: z.array(z.strictObject({ ...webhook, events: count.describe("Of this tenant.") })),
  next,
});
export const WEBHOOK = z.strictObject({
  ...webhook,
  shared: z.boolean().describe("Other tenants' changes came in the same delivery: they are left out."),
  payload: z.unknown().describe("The tenant's changes as JSON; null when the bytes are gone."),
  body: text.nullable().describe("Exactly what Meta sent; null when it is shared, or gone."),
  events: z.array(
    z.strictObject({
      id: text,
      kind: text,
      state: z.enum(["waiting", "applied", "unknown", "failed", "parked", "erased"]),
      error: text.nullable(),
      occurredAt: time.nullable(),
      attempts: count.nullable(),
      phoneNumberId: text.nullable(),
    }),
  ),
});
export const REPLAYED = z.strictObject({
  events: z.strictObject({ redriven: count, understood: count, unknown: count, applied: count, waiting: count }),
});

export const MESSAGE = z.strictObject({
  id: text,
  direction: z.enum(["in", "out"]),
  conversationId: id.nullable(),
  contact: z.strictObject({ name: text.nullable(), phoneNumber: text.nullable() }),
  kind: text,
  text: text.nullable(),
  messageId: text.nullable().describe("The wamid."),
  at: time,
  state: z.enum(MESSAGE_STATES),
  times: z.strictObject({
    queued: time.nullable(),
    accepted: time.nullable(),
    sent: time.nullable(),
    delivered: time.nullable(),
    read: time.nullable(),
    failed: time
      .nullable()
      .describe("When it was given up: its state says whether it failed, expired, or is not known to have arrived."),
  }),
  error: z.strictObject({ code: text, title: text.nullable(), words: text, fix: text.nullable() }).nullable(),
  degraded: z.array(degradation),
  sendId: id.nullable(),
  partIndex: count.nullable(),
  attempts: z.array(
    z.strictObject({
      startedAt: time,
      outcome: z.enum(["started", "accepted", "rejected", "ambiguous"]),
      metaCode: z.number().nullable(),
    }),
  ),
});
export const MESSAGES = z.strictObject({ messages: z.array(MESSAGE), next });
export const CHANGES = z.strictObject({
  cursor: text.describe("The `since` of the next look."),
  messages: z.boolean(),
  webhooks: z.boolean(),
  deadLetters: z.boolean(),
  templates: z.boolean(),
  numbers: z.boolean().describe("What is connected, its state, or Meta's rating of it."),
});

export const TEMPLATE = z.strictObject({
  id,
  wabaId: text,
  metaId: text.nullable(),
  name: text,
  language: text,
  category: text.nullable(),
  status: text.describe(
    "In Meta's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED, … UNCONFIRMED: Meta's answer was lost, and it is asked again within minutes. NOT_SENT: Meta has never had it.",
  ),
  rejectionReason: text.nullable(),
  qualityScore: text.nullable(),
  parameterFormat: z.enum(["NAMED", "POSITIONAL"]),
  components: z.array(asMeta).describe("In Meta's own spelling."),
  syncedAt: time.nullable(),
  editable: z.boolean(),
  why: text.optional().describe("Why it cannot be edited now."),
});
export const TEMPLATES = z.strictObject({
  templates: z.array(TEMPLATE),
  next: text.nullable().describe("The `after` of the next page; null at the end."),
  accounts: z.array(z.strictObject({ wabaId: text, name: text.nullable(), syncedAt: time.nullable() })),
});
export const SYNCED = z.strictObject({
  accounts: z.array(z.strictObject({ wabaId: text, added: count, changed: count, removed: count, unchanged: count })),
});
export const SAMPLE = z.strictObject({ handle: text });

export const HEALTH = z.strictObject({ status: z.enum(["ok", "draining"]) });
export const DELETION = z.strictObject({ url: text, confirmation_code: text });
export const DELETION_STATUS = z.strictObject({ status: z.enum(["deleted", "pending"]), deleted_at: time.nullable() });
