/** Contract verb 2: verify → read → parse → record. Resolving means "stored", so the caller may answer 200. */
import type { ChannelPlugin } from "./contract.ts";
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
/**
 * Deliveries and bytes that share a commit: enough to amortise it, few enough to keep the acknowledgement quick and to
 * leave work for this process while the database commits.
 */
const MAX_GROUP = 24;
const MAX_WAITING = 2_000;
/** A delivery has up to 3 MB, and takes several times that while it is read. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

export function createReceive({ appSecrets, inbox, log, onStored }: ReceiveDeps): ChannelPlugin["receive"] {
  const store = createGroupCommit<VerifiedBody, Stored>({
    async commit(bodies) {
      // Read here and not on arrival: the same code many times in a row runs several times as fast as between sockets.
      const deliveries = bodies.map(toDelivery);
      const recorded = await inbox.record(deliveries);
      return recorded.map((one, i) => ({ webhookType: (deliveries[i] as IncomingDelivery).webhookType, ...one }));
    },
    isItemsFault: (error) => !isStoreDown(error),
    maxItems: MAX_GROUP,
    weigh: ({ bytes }) => bytes.byteLength,
    maxWeight: MAX_GROUP_BYTES,
    parallel: 2,
  });

  return async ({ rawBody, signature }) => {
    // Meta sends it again: better than to let memory grow until the process ends.
    if (store.waiting >= MAX_WAITING || store.weight + rawBody.byteLength > MAX_WAITING_BYTES)
      throw new ChannelError("STORE_UNAVAILABLE", "Too many deliveries are waiting to be stored.", {
        retry: "backoff",
      });
    const body = verifySignature(rawBody, signature, appSecrets);
    const stored = await store.add(body);
    onStored();
    logStored(log, stored, body.secretIndex);
    return { webhookId: stored.webhookId, events: stored.events };
  };
}

type Stored = RecordedDelivery & Pick<IncomingDelivery, "webhookType">;

function logStored(log: Logger, { webhookId, webhookType, events, error }: Stored, secretIndex: number): void {
  const fields = { webhookId, type: webhookType, accepted: 0, duplicate: 0, ignored: 0 };
  for (const { outcome } of events) fields[outcome] += 1;
  if (error !== null) log.warn({ reason: error, ...fields }, "webhook quarantined");
  else if (secretIndex > 0) log.info({ secretIndex, ...fields }, "webhook stored, signed with the old app secret");
  else log.debug(fields, "webhook stored");
}

function toDelivery(body: VerifiedBody): IncomingDelivery {
  const { bytes, secretIndex } = body;
  const payload = readPayload(body);
  if (payload.kind === "quarantined") return quarantined(body, payload.reason);
  const events = parseWebhook(payload.value);
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
