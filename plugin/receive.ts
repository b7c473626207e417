/** Contract verb 2: verify → read → parse → record. Resolving means "stored", so the caller may answer 200. */
import type { ChannelEvent, ChannelPlugin } from "./contract.ts";
import { ChannelError } from "./errors.ts";
import { isStoreDown } from "./pipeline/failure.ts";
import { createGroupCommit } from "./pipeline/group-commit.ts";
import type { Inbox, IncomingDelivery, Logger, RecordedDelivery } from "./ports.ts";
import { parseWebhook } from "./webhook/parse-webhook.ts";
import { readPayload } from "./webhook/read-payload.ts";
import { type VerifiedBody, verifySignature } from "./webhook/verify-signature.ts";
import { webhookType } from "./webhook/webhook-type.ts";

export type ReceiveDeps = {
  readonly appSecrets: readonly string[];
  readonly inbox: Inbox;
  readonly log: Logger;
  /** Called after the commit: there is work. */
  readonly onStored: () => void;
};

/** Meta aggregates at most 1,000 updates; five times that is somebody else. */
const MAX_EVENTS = 5_000;
/** Deliveries and bytes that share a commit: enough to amortise it, little enough to keep the acknowledgement quick. */
const MAX_GROUP = 128;
const MAX_WAITING = 2_000;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

export function createReceive({ appSecrets, inbox, log, onStored }: ReceiveDeps): ChannelPlugin["receive"] {
  const record = createGroupCommit<IncomingDelivery, RecordedDelivery>({
    commit: inbox.record,
    isItemsFault: (error) => !isStoreDown(error),
    maxItems: MAX_GROUP,
    weigh: ({ body }) => body.byteLength,
    maxWeight: MAX_GROUP_BYTES,
    // One group is prepared and sent while the database commits the other.
    parallel: 2,
  });

  return async ({ rawBody, signature }) => {
    // Meta sends it again: better than to let memory grow until the process ends.
    if (record.waiting >= MAX_WAITING)
      throw new ChannelError("STORE_UNAVAILABLE", "Too many deliveries are waiting to be stored.", {
        retry: "backoff",
      });
    const body = verifySignature(rawBody, signature, appSecrets);
    const delivery = toDelivery(body);
    const { webhookId, events, error } = await record.add(delivery);
    onStored();
    const count = (outcome: string) => events.filter((event) => event.outcome === outcome).length;
    const fields = {
      webhookId,
      type: delivery.webhookType,
      accepted: count("accepted"),
      duplicates: count("duplicate"),
      ignored: count("ignored"),
    };
    if (error !== null) log.warn({ ...fields, reason: error }, "webhook quarantined");
    else if (body.secretIndex > 0)
      log.info({ ...fields, secretIndex: body.secretIndex }, "webhook stored, signed with the old app secret");
    else log.debug(fields, "webhook stored");
    return { webhookId, events };
  };
}

function toDelivery(body: VerifiedBody): IncomingDelivery {
  const { bytes, secretIndex } = body;
  const payload = readPayload(body);
  if (payload.kind === "quarantined") return quarantined(body, payload.reason);
  const events: readonly ChannelEvent[] = parseWebhook(payload.value);
  if (events.length > MAX_EVENTS) return quarantined(body, `more than ${MAX_EVENTS} events`);
  return {
    body: bytes,
    secretIndex,
    webhookType: webhookType(events),
    payload: payload.mended === null ? "verbatim" : { text: payload.mended },
    error: null,
    events,
  };
}

/** Stored and shown, never applied; answered 200, because Meta would only send the same bytes again for days. */
function quarantined({ bytes, secretIndex }: VerifiedBody, reason: string): IncomingDelivery {
  return {
    body: bytes,
    secretIndex,
    webhookType: "unknown",
    payload: null,
    error: `quarantined: ${reason}`,
    events: [],
  };
}
