/** Stored deliveries for a tenant to look at, each with only what is theirs, and worked again where that helps. */
import type { DeadLetterService } from "../dead-letters.ts";
import { ChannelError } from "../errors.ts";
import type { Audit, AuditEvent, AuditOwner, DeliveryFilter, DeliveryRow, Inbox, Logger } from "../ports.ts";
import { parseWebhook } from "../webhook/parse-webhook.ts";
import { readPayload } from "../webhook/read-payload.ts";
import { ownPart } from "./own-part.ts";

export type WebhookDetail = DeliveryRow & {
  /** Somebody else's changes came in the same delivery: they are left out, and with them the exact bytes. */
  readonly shared: boolean;
  /** What is the tenant's, as JSON; null when its bytes are gone. */
  readonly payload: unknown;
  /** Exactly what Meta sent, as text; null when it is shared, or its bytes are gone. */
  readonly body: string | null;
  readonly ownEvents: readonly Omit<AuditEvent, "wabaId" | "displayPhoneNumber">[];
};

/** What became of the events of one delivery that were not applied. */
export type Replayed = {
  /** Dead letters that were put back in order. */
  readonly redriven: number;
  /** Not understood when they came, and now: queued. */
  readonly understood: number;
  /** Not understood now either. */
  readonly unknown: number;
  /** Left alone, because each is applied once. */
  readonly applied: number;
  /** Left alone, because they are queued. */
  readonly waiting: number;
};

export type WebhookAudit = {
  list: Audit["deliveries"];
  /** @throws ChannelError WEBHOOK_UNKNOWN. */
  get(owner: AuditOwner, webhookId: string): Promise<WebhookDetail>;
  /** @throws ChannelError WEBHOOK_UNKNOWN, STORE_UNAVAILABLE. */
  replay(owner: AuditOwner & { readonly by: string | null }, webhookId: string): Promise<Replayed>;
};

export type WebhookAuditDeps = {
  readonly audit: Audit;
  readonly inbox: Pick<Inbox, "readAgain">;
  readonly deadLetters: Pick<DeadLetterService, "redrive">;
  readonly log: Pick<Logger, "info">;
  /** Called after something was queued. */
  readonly onQueued: () => void;
};

export function createWebhookAudit({ audit, inbox, deadLetters, log, onQueued }: WebhookAuditDeps): WebhookAudit {
  async function require(owner: AuditOwner, webhookId: string) {
    const found = isRowId(webhookId) ? await audit.delivery(owner, webhookId) : null;
    if (found === null) throw new ChannelError("WEBHOOK_UNKNOWN", "There is no stored webhook with this id.");
    return found;
  }

  return {
    list: (filter: DeliveryFilter, page) => audit.deliveries(filter, page),

    async get(owner, webhookId) {
      const { body, ownEvents, ...row } = await require(owner, webhookId);
      const payload = readPayload({ bytes: body });
      const shown = payload.kind === "json" ? await ownPart(payload.value, ownEvents, owner, audit) : null;
      const isWhole = shown !== null && !shown.shared;
      return {
        ...row,
        shared: shown?.shared ?? false,
        payload: shown?.payload ?? null,
        body: isWhole ? new TextDecoder().decode(body) : null,
        ownEvents,
      };
    },

    async replay({ by, ...owner }, webhookId) {
      const { ownEvents } = await require(owner, webhookId);
      const count = (state: AuditEvent["state"]) => ownEvents.filter((event) => event.state === state).length;
      const dead = ownEvents.filter(({ state }) => state === "failed").map(({ id }) => `in:${id}`);
      const { redriven } = dead.length === 0 ? { redriven: 0 } : await deadLetters.redrive({ ...owner, ids: dead, by });
      const { understood, failed } =
        count("unknown") === 0
          ? { understood: 0, failed: [] }
          : await inbox.readAgain(readEvents, { only: { ...owner, webhookId } });
      const replayed = {
        redriven,
        understood,
        unknown: count("unknown") - understood,
        applied: count("applied") + count("parked"),
        waiting: count("waiting"),
      };
      log.info({ by, webhookId, refused: failed[0]?.error ?? null, ...replayed }, "a webhook was worked again");
      if (understood > 0) onQueued();
      return replayed;
    },
  };
}

/** The body of a delivery → its events; null when it cannot be read. */
export function readEvents(bytes: Uint8Array) {
  const payload = readPayload({ bytes });
  return payload.kind === "json" ? parseWebhook(payload.value) : null;
}

/** Anything else names no row, and would be an error of the database's. */
function isRowId(id: string): boolean {
  return /^[1-9]\d{0,17}$/.test(id);
}
