/** Numbers that leave: closed with all that the host shows of them, their tokens kept only until Meta was told. */
import type { Connection } from "../../plugin/contract.ts";
import type { AccountClosing, Leaving } from "../../plugin/ports.ts";
import { type ConnectionRow, toConnection, wakeWaitingSends } from "./connection-row.ts";
import type { Database, Tx } from "./database.ts";
import { tellHost } from "./host-events.ts";
import { endOnboardings } from "./onboardings.ts";

/** Then the token is of no use to anybody any more. */
const GIVE_UP_AFTER = "7 days";

export function createLeaving(db: Database, { hasListener }: { readonly hasListener: boolean }): Leaving {
  const connections = db.name("whatsapp_connections");
  const tokens = db.name("whatsapp_oauth_tokens");

  async function tell(tx: Tx, changed: readonly Connection[]): Promise<void> {
    if (hasListener)
      tellHost(
        tx,
        db,
        changed.map((connection) => ({ kind: "connection" as const, connection })),
      );
  }

  return {
    disconnect: ({ customerConfigId, phoneNumberId, reason }) =>
      db.transaction(async (tx) => {
        const held = await tx.query<{ id: string; state: string }>(
          `select id, state from ${connections} where customer_config_id = $1 and ($2::text is null or phone_number_id = $2)
           order by id for no key update`,
          [customerConfigId, phoneNumberId],
        );
        if (held.length === 0 && phoneNumberId !== null) return null;
        const active = held.filter(({ state }) => state !== "disconnected").map(({ id }) => id);
        const closed = await closeConnections(
          tx,
          db,
          active.map((id) => ({ id, reason })),
        );
        await tx.query(
          `update ${tokens} set leaving_since = now(), leaving_try_at = now(), renew_at = null where connection_id = any($1)`,
          [active],
        );
        await endOnboardings(tx, db, customerConfigId, phoneNumberId);
        await tell(tx, closed);
        await wakeWaitingSends(tx, db, active);
        return closed;
      }),

    // The next try waits as long as it has gone on, so that a long outage at Meta costs little.
    async claim(limit, only) {
      return db.query(
        `with due as (
           select id from ${tokens} where leaving_since is not null and leaving_try_at <= now() and ($2::uuid[] is null or connection_id = any($2))
           order by leaving_try_at limit $1 for update skip locked)
         update ${tokens} t set leaving_try_at = now() + least(greatest(now() - t.leaving_since, interval '30 seconds'), interval '1 hour')
         from due, ${connections} c where t.id = due.id and c.id = t.connection_id
         returning t.connection_id as "connectionId", t.customer_config_id as "customerConfigId", c.waba_id as "wabaId",
           t.access_token_enc as "accessTokenEnc", t.leaving_since < now() - interval '${GIVE_UP_AFTER}' as "isOver", exists (
             select 1 from ${connections} o where o.waba_id = c.waba_id and o.state <> 'disconnected') as "isInUse"`,
        [limit, only],
      );
    },

    async forget(connectionId) {
      // One that came with a new connection is not meant.
      await db.query(`delete from ${tokens} where connection_id = $1 and leaving_since is not null`, [connectionId]);
    },

    async tokenOfAccount(wabaId) {
      const [found] = await db.query<NonNullable<Awaited<ReturnType<Leaving["tokenOfAccount"]>>>>(
        `select c.id as "connectionId", c.customer_config_id as "customerConfigId", c.waba_id as "wabaId", t.access_token_enc as "accessTokenEnc"
         from ${connections} c join ${tokens} t on t.connection_id = c.id where c.waba_id = $1 and c.state = 'connected' limit 1`,
        [wabaId],
      );
      return found ?? null;
    },

    deauthorize: (revoked) =>
      db.transaction(async (tx) => {
        const changed = await revoke(tx, db, revoked);
        await tell(tx, changed);
        return changed;
      }),

    forgetMetaUser: (revoked) =>
      db.transaction(async (tx) => {
        const changed = await revoke(tx, db, revoked);
        await forgetOnboardings(tx, db, revoked);
        await tx.query(`insert into ${db.name("whatsapp_erasures")} (code) values ($1)`, [revoked.code]);
        await tell(tx, changed);
        return changed;
      }),

    async finishErasure(code) {
      await db.query(`update ${db.name("whatsapp_erasures")} set completed_at = now() where code = $1`, [code]);
    },

    async erasure(code) {
      const [found] = await db.query<{ completedAt: Date | null }>(
        `select completed_at as "completedAt" from ${db.name("whatsapp_erasures")} where code = $1`,
        [code],
      );
      return found;
    },
  };
}

/**
 * Meta has taken these accounts from us, so nobody need be told and the tokens go at once. Meta's times are whole
 * seconds: what was connected in the same second is taken for older. What was connected later stays.
 */
export async function closeAccounts(
  tx: Tx,
  db: Database,
  closings: readonly AccountClosing[],
): Promise<readonly Connection[]> {
  if (closings.length === 0) return [];
  const lost = await tx.query<{ id: string; reason: string }>(
    `with lost as (
       select distinct on (c.id) c.id, l.reason from ${db.name("whatsapp_connections")} c
       left join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = c.id
       join unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality as l (waba_id, reason, at, position) on l.waba_id = c.waba_id
       where c.state <> 'disconnected' and date_trunc('second', coalesce(t.updated_at, c.created_at)) <= l.at
       order by c.id, l.position)
     select c.id, lost.reason from ${db.name("whatsapp_connections")} c join lost on lost.id = c.id order by c.id for no key update of c`,
    [closings.map(({ wabaId }) => wabaId), closings.map(({ reason }) => reason), closings.map(({ at }) => at)],
  );
  const closed = await closeConnections(tx, db, lost);
  await tx.query(`delete from ${db.name("whatsapp_oauth_tokens")} where connection_id = any($1)`, [
    closed.map(({ connectionId }) => connectionId),
  ]);
  return closed;
}

/** The connections must be locked. */
export async function closeConnections(
  tx: Tx,
  db: Database,
  leaving: readonly { readonly id: string; readonly reason: string }[],
): Promise<readonly Connection[]> {
  if (leaving.length === 0) return [];
  const rows = await tx.query<ConnectionRow>(
    `update ${db.name("whatsapp_connections")} c set state = 'disconnected', reason = l.reason, disconnected_at = now(), updated_at = now()
     from unnest($1::uuid[], $2::text[]) as l (id, reason) where c.id = l.id and c.state <> 'disconnected' returning c.*`,
    [leaving.map(({ id }) => id), leaving.map(({ reason }) => reason)],
  );
  await hideFromHost(tx, db, rows);
  return rows.map(toConnection);
}

/** The host shows another number of the tenant from now on, or none. */
async function hideFromHost(tx: Tx, db: Database, closed: readonly ConnectionRow[]): Promise<void> {
  if (closed.length === 0) return;
  const tenants = [...new Set(closed.map((row) => row.customer_config_id))];
  const configs = db.hostName("customer_configs");
  await tx.query(`select 1 from ${configs} where id = any($1) order by id for no key update`, [tenants]);
  await tx.query(
    `update ${configs} h set whatsapp_enabled = other.id is not null, whatsapp_phone_number = other.display_phone_number,
       whatsapp_phone_number_id = other.phone_number_id, whatsapp_business_account_id = other.waba_id,
       whatsapp_provider = case when other.id is not null then h.whatsapp_provider end,
       whatsapp_connected_at = case when other.id is not null then h.whatsapp_connected_at end
     from unnest($1::uuid[]) as t (id) left join lateral (
       select * from ${db.name("whatsapp_connections")} c where c.customer_config_id = t.id and c.state <> 'disconnected'
       order by c.created_at limit 1) other on true
     where h.id = t.id and (other.id is null or h.whatsapp_phone_number_id = any($2))`,
    [tenants, closed.map((row) => row.phone_number_id)],
  );
}

/**
 * A tenant that has its number again gets the connection that it had, so that its conversations go on. To be called before
 * the connection is saved, which then finds it. What the WhatsApp Business app has may be asked for again.
 */
export async function comeBack(
  tx: Tx,
  db: Database,
  { customerConfigId, phoneNumberId }: { readonly customerConfigId: string; readonly phoneNumberId: string },
): Promise<void> {
  const connections = db.name("whatsapp_connections");
  // Two tenants that do so at once would meet at the index of active numbers, where one would be told nothing useful.
  await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`${connections}/${phoneNumberId}`]);
  await tx.query(
    `update ${connections} set state = 'reauth_required', disconnected_at = null, contacts_sync_at = null, history_sync_at = null
     where id = (
       select id from ${connections} where customer_config_id = $1 and phone_number_id = $2 and state = 'disconnected'
       order by disconnected_at desc nulls last, created_at desc limit 1)
     and not exists (select 1 from ${connections} where phone_number_id = $2 and state <> 'disconnected')`,
    [customerConfigId, phoneNumberId],
  );
}

type Revoked = { readonly metaUserId: string; readonly at: Date; readonly reason: string };

/** What this person gave before that time: a request that comes again must not take what they gave since. */
async function revoke(tx: Tx, db: Database, { metaUserId, at, reason }: Revoked): Promise<readonly Connection[]> {
  const held = await tx.query<{ id: string }>(
    `select c.id from ${db.name("whatsapp_connections")} c join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = c.id
     where t.meta_user_id = $1 order by c.id for no key update of c`,
    [metaUserId],
  );
  const gone = await tx.query<{ connection_id: string }>(
    `delete from ${db.name("whatsapp_oauth_tokens")} where connection_id = any($1) and meta_user_id = $2
       and date_trunc('second', updated_at) <= $3 returning connection_id`,
    [held.map(({ id }) => id), metaUserId, at],
  );
  const changed = await tx.query<ConnectionRow>(
    `update ${db.name("whatsapp_connections")} set state = 'reauth_required', reason = $2, updated_at = now()
     where id = any($1) and state = 'connected' returning *`,
    [gone.map((row) => row.connection_id), reason],
  );
  return changed.map(toConnection);
}

/** Onboardings and sign-ins under way that this Meta user is behind. What Meta says of them stands in `progress`. */
async function forgetOnboardings(tx: Tx, db: Database, { metaUserId, at }: Revoked): Promise<void> {
  // As a text or as a number, wherever it stands.
  const isNamed = (column: string) => `${column}::text ~ ('[^0-9A-Za-z]' || $1 || '[^0-9A-Za-z]')`;
  await tx.query(
    `with gone as (
       delete from ${db.name("whatsapp_onboardings")} where date_trunc('second', created_at) <= $2 and ${isNamed("progress")}
       returning customer_config_id, user_id)
     delete from ${db.name("whatsapp_oauth_states")} s using gone
     where s.customer_config_id = gone.customer_config_id and s.user_id is not distinct from gone.user_id
       and date_trunc('second', s.created_at) <= $2`,
    [metaUserId, at],
  );
  await tx.query(
    `update ${db.hostName("customer_configs")} set whatsapp_oauth_metadata = null where ${isNamed("whatsapp_oauth_metadata")}`,
    [metaUserId],
  );
}
