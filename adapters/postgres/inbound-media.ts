/** Media on their way from Meta: read for the worker of stage `media`, and settled together with what waits for them. */
import type { ConnectionState, MediaKind } from "../../plugin/contract.ts";
import type { ClaimedLane, InboundMedia, PendingMedia, StoredBytes, StoredTurnMessage } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueHostEvents, notifyLane, type WaitingEvent } from "./host-events.ts";
import { updateHostMessages } from "./host-messages.ts";
import type { HostShape } from "./host-tables.ts";
import { enqueueOnLanes, fenced, LeaseLost, wakeLanes } from "./lanes.ts";
import { keepBytes } from "./media.ts";
import { readMediaStates } from "./media-states.ts";
import { mediaOfLane } from "./new-media.ts";
import { turnLane } from "./turns.ts";

export type InboundMediaOptions = {
  readonly hasListener: boolean;
  readonly mediaUrl: (id: string) => string;
  /** What a host is told of a file's type: by its bytes, and as the sender's WhatsApp has said. */
  readonly mimeTypeOf: (seen: string | null, said: string | null) => string | null;
  readonly hostShape: () => Promise<HostShape>;
};

type PendingRow = {
  readonly lane_key: string;
  readonly id: string;
  readonly customer_config_id: string;
  readonly kind: MediaKind;
  readonly meta_media_id: string;
  readonly said_sha256: string | null;
  readonly said_mime: string | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly contact_id: string;
  readonly too_old: boolean;
  readonly connection_id: string;
  readonly phone_number_id: string | null;
  readonly state: ConnectionState;
  readonly access_token_enc: string | null;
  readonly errors: number;
  readonly errors_end_ms: number;
};

type SettledRow = {
  readonly kind: MediaKind;
  readonly said_mime: string | null;
  readonly filename: string | null;
  readonly voice: boolean;
  readonly conversation_id: string | null;
  readonly message_id: string;
  readonly host_message_id: string | null;
  readonly contact_id: string;
};

type End =
  | { readonly state: "stored"; readonly bytes: StoredBytes }
  | { readonly state: "expired"; readonly reason: string };

type OpenTurn = { readonly id: string; readonly messages: readonly StoredTurnMessage[]; readonly waits: boolean };

type MediaEvent = Extract<WaitingEvent, { readonly kind: "media" }>;

/** Errors are counted by the hour: Meta is said to block a number for half an hour after twenty in one. */
const HOUR = "interval '1 hour'";

export function createInboundMedia(db: Database, options: InboundMediaOptions): InboundMedia {
  const table = db.name("whatsapp_media");
  const lanes = db.name("whatsapp_lanes");
  const connections = db.name("whatsapp_connections");

  return {
    async load(claimed) {
      const rows = await db.query<PendingRow>(
        `select l.lane_key, m.id, m.customer_config_id, m.kind, m.meta_media_id, m.said_sha256, m.said_mime, m.attempts, m.last_error,
           m.contact_id::text, coalesce(m.fetch_until <= now(), false) as too_old, m.connection_id, n.phone_number_id, k.access_token_enc,
           case when n.customer_config_id = m.customer_config_id then n.state else 'disconnected' end as state,
           case when n.media_errors_since > now() - ${HOUR} then n.media_errors else 0 end as errors,
           coalesce(ceil(extract(epoch from n.media_errors_since + ${HOUR} - now()) * 1000), 0)::int as errors_end_ms
         from unnest($1::text[], $2::uuid[]) as l (lane_key, media_id) join ${table} m on m.id = l.media_id and m.state = 'pending'
         left join ${connections} n on n.id = m.connection_id
         left join ${db.name("whatsapp_oauth_tokens")} k on k.connection_id = n.id`,
        [claimed.map(({ laneKey }) => laneKey), claimed.map(({ laneKey }) => mediaOfLane(laneKey))],
      );
      const byLane = new Map(rows.map((row) => [row.lane_key, row]));
      return claimed.flatMap((lane) => {
        const row = byLane.get(lane.laneKey);
        return row === undefined ? [] : [toPending(lane, row)];
      });
    },

    store: (media, bytes, quotaBytes) => settle(media, { state: "stored", bytes }, quotaBytes),

    expire: (media, reason) => settle(media, { state: "expired", reason }, Number.POSITIVE_INFINITY),

    drop,

    async postpone({ lane, id }, delayMs, error, isWrong) {
      await db.bounded(
        `with mine as (
           update ${table} set last_error = $4, attempts = attempts + $5 where id = $6 and state = 'pending')
         update ${lanes} set lease_token = null, attempts = attempts + 1,
           ready_at = now() + case when woken then 0 else $3 end * interval '1 millisecond'
         where lane_key = $1 and lease_token = $2`,
        [lane.laneKey, lane.token, delayMs, error, isWrong ? 1 : 0, id],
      );
    },

    letTurnGo: ({ id, contactId }) =>
      db.transaction(async (tx) => {
        const { laneKey, open } = await openTurnOf(tx, contactId);
        if (open === undefined || !open.waits || !mediaIn(open).includes(id)) return false;
        letGo(tx, laneKey, open);
        return true;
      }),

    async countError(connectionId) {
      await db.bounded(
        `update ${connections} set
           media_errors = case when media_errors_since > now() - ${HOUR} then media_errors + 1 else 1 end,
           media_errors_since = case when media_errors_since > now() - ${HOUR} then media_errors_since else now() end
         where id = $1`,
        [connectionId],
      );
    },

    states: (ids) => readMediaStates(db, db, ids),
  };

  /** The row of the inbox, the row of the media, the lanes in their order, the turn: as everybody takes them. */
  async function settle(media: PendingMedia, end: End, quotaBytes: number): Promise<boolean> {
    const shape = await options.hostShape();
    let isWanted = false;
    const isHeld = await fenced(db, async (tx) => {
      isWanted = await settleIn(tx, shape, media, end, quotaBytes);
    });
    // It was taken back, or its person erased, while it waited for a row: then the lane is ours still, and leads nowhere.
    if (!isHeld) await drop(media.lane);
    return isHeld && isWanted;
  }

  async function drop({ laneKey, token }: ClaimedLane): Promise<void> {
    await db.bounded(`delete from ${lanes} where lane_key = $1 and lease_token = $2`, [laneKey, token]);
  }

  async function settleIn(
    tx: Tx,
    shape: HostShape,
    { id, lane, customerConfigId }: PendingMedia,
    end: End,
    quotaBytes: number,
  ): Promise<boolean> {
    const bytes = end.state === "stored" ? end.bytes : null;
    const [before] = await tx.query<{ host_message_id: string | null }>(
      `select host_message_id from ${table} where id = $1 and state = 'pending'`,
      [id],
    );
    const shown = { id, state: end.state, ...(end.state === "expired" && { reason: end.reason }) };
    updateHostMessages(tx, db, shape, [{ id: before?.host_message_id ?? null, metadata: { media: shown } }]);
    const [row] = await tx.query<SettledRow>(
      `update ${table} set state = $2, reason = $3, mime = $4, size = $5, sha256 = $6, storage_key = $7,
         stored_at = case when $2 = 'stored' then now() end, last_error = null
       where id = $1 and state = 'pending'
       returning kind, said_mime, filename, voice, conversation_id, message_id, host_message_id, contact_id`,
      [
        id,
        end.state,
        end.state === "expired" ? end.reason : null,
        bytes?.mime ?? null,
        bytes?.size ?? null,
        bytes?.sha256 ?? null,
        bytes?.storageKey ?? null,
      ],
    );
    // Taken back meanwhile: nothing of it returns to the row of the inbox.
    if (before !== undefined && row === undefined) throw new LeaseLost();
    if (row !== undefined) await goOn(tx, id, row.contact_id, toEvent(row, id, end), customerConfigId);
    const held = await tx.query(`delete from ${lanes} where lane_key = $1 and lease_token = $2 returning 1`, [
      lane.laneKey,
      lane.token,
    ]);
    if (held.length === 0) throw new LeaseLost();
    if (row === undefined) return false;
    // The row above counts already.
    if (bytes !== null) await keepBytes(tx, db, { ...bytes, size: 0, customerConfigId, quotaBytes });
    return true;
  }

  /** A turn that the host has not seen shows it by itself, and goes on when it was the last; otherwise the host is told. */
  async function goOn(tx: Tx, id: string, contactId: string, event: MediaEvent | null, tenant: string): Promise<void> {
    const notify =
      event === null || !options.hasListener ? null : { laneKey: notifyLane(event), stage: "notify" as const };
    // Before the turn's lane, by the order of locks; taken back when the turn shows it.
    if (notify !== null) enqueueOnLanes(tx, db, [{ ...notify, items: 1, tenant }]);
    const { laneKey, open } = await openTurnOf(tx, contactId);
    const inTurn = open === undefined ? [] : mediaIn(open);
    const isShown = inTurn.includes(id);
    if (open?.waits === true && isShown) {
      const states = await readMediaStates(tx, db, inTurn);
      if (states.every(({ state }) => state !== "pending")) letGo(tx, laneKey, open);
    }
    if (notify === null || event === null) return;
    if (isShown) enqueueOnLanes(tx, db, [{ ...notify, items: -1 }]);
    else enqueueHostEvents(tx, db, [event]);
  }

  /** Locked, so that the host is not asked with a picture that is still missing here; and two that come at once see each other. */
  async function openTurnOf(tx: Tx, contactId: string) {
    const [contact] = await tx.query<{ id: string }>(
      `select coalesce(merged_into, id)::text as id from ${db.name("whatsapp_contacts")} where id = $1`,
      [contactId],
    );
    const laneKey = turnLane(contact?.id ?? contactId);
    await tx.query(`select 1 from ${lanes} where lane_key = $1 for update`, [laneKey]);
    const [open] = await tx.query<OpenTurn>(
      `select id, messages, waits_until is not null as waits from ${db.name("whatsapp_turns")}
       where lane_key = $1 and sealed_at is null and state = 0 for update`,
      [laneKey],
    );
    return { laneKey, open };
  }

  function letGo(tx: Tx, laneKey: string, { id }: OpenTurn): void {
    tx.send(`update ${db.name("whatsapp_turns")} set waits_until = null where id = $1`, [id]);
    wakeLanes(tx, db, [laneKey]);
  }

  function toEvent(row: SettledRow, id: string, end: End): MediaEvent | null {
    if (row.conversation_id === null) return null;
    const bytes = end.state === "stored" ? end.bytes : null;
    const media: MediaEvent["media"] = {
      kind: row.kind,
      mimeType: options.mimeTypeOf(bytes?.mime ?? null, row.said_mime),
      filename: row.filename,
      voice: row.voice,
      id,
      state: end.state,
      size: bytes?.size ?? null,
      url: options.mediaUrl(id),
      reason: end.state === "expired" ? end.reason : null,
    };
    return {
      kind: "media",
      conversationId: row.conversation_id,
      externalId: row.message_id,
      messageId: row.host_message_id,
      media,
    };
  }
}

function mediaIn({ messages }: OpenTurn): readonly string[] {
  return messages.flatMap(({ media }) => media?.id ?? []);
}

function toPending(lane: ClaimedLane, row: PendingRow): PendingMedia {
  return {
    lane,
    id: row.id,
    customerConfigId: row.customer_config_id,
    kind: row.kind,
    metaMediaId: row.meta_media_id,
    sha256: row.said_sha256,
    saidMime: row.said_mime,
    attempts: row.attempts,
    lastError: row.last_error,
    contactId: row.contact_id,
    isTooOld: row.too_old,
    connection: {
      connectionId: row.connection_id,
      phoneNumberId: row.phone_number_id ?? "",
      state: row.state,
      accessTokenEnc: row.access_token_enc,
      errors: { count: row.errors, endsInMs: row.errors_end_ms },
    },
  };
}
