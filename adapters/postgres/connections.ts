/** Numbers bound to tenants, and their sealed tokens. */
import type { Connection } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";
import type { Connections, NewConnection } from "../../plugin/ports.ts";
import { beginCatchUp } from "./catch-up.ts";
import { type ConnectionRow, toConnection, wakeWaitingSends } from "./connection-row.ts";
import type { Database, Tx } from "./database.ts";
import { hiddenRow, sayingWhichTable } from "./host-access.ts";
import { tellHost } from "./host-events.ts";
import { closeConnections, comeBack } from "./leaving.ts";
import { lastHolders } from "./left-numbers.ts";
import { createPauses } from "./pauses.ts";
import { createTokens, saveToken } from "./tokens.ts";

export function createConnections(db: Database, { hasListener }: { readonly hasListener: boolean }): Connections {
  const table = db.name("whatsapp_connections");

  /** The host hears of it with the change itself, or not at all. */
  async function tell(tx: Tx, changed: readonly Connection[]): Promise<void> {
    if (!hasListener) return;
    const events = changed.map((connection) => ({ kind: "connection" as const, connection }));
    tellHost(tx, db, events);
  }

  return {
    async save(wanted) {
      return db.transaction(async (tx) => {
        const lost = wanted.takeover === true ? await takeFromOthers(tx, db, wanted) : [];
        const last = (await lastHolders(tx, db, [wanted.phoneNumberId])).get(wanted.phoneNumberId);
        await comeBack(tx, db, wanted);
        const [before] = await tx.query<Pick<ConnectionRow, "state" | "reason">>(
          `select state, reason from ${table} where phone_number_id = $1 and customer_config_id = $2 and state <> 'disconnected'`,
          [wanted.phoneNumberId, wanted.customerConfigId],
        );
        // In another account there are other changes to wait for: they are looked for from the first.
        const [row] = await tx.query<ConnectionRow>(
          `insert into ${table} as c (customer_config_id, phone_number_id, waba_id, display_phone_number, verified_name, quality_rating, on_business_app,
             throughput_level, throughput_read_at)
           values ($1, $2, $3, $4, $5, $6, coalesce($7, false), $8, now())
           on conflict (phone_number_id) where state <> 'disconnected' do update set waba_id = excluded.waba_id,
             display_phone_number = excluded.display_phone_number, verified_name = excluded.verified_name,
             quality_rating = excluded.quality_rating, on_business_app = coalesce($7, c.on_business_app),
             throughput_level = coalesce($8, c.throughput_level), throughput_read_at = now(), state = 'connected',
             reason = null, paused_until = null, pause_strikes = 0, updated_at = now(),
             routed_until = case when c.waba_id = excluded.waba_id then c.routed_until end
           where c.customer_config_id = excluded.customer_config_id
           returning *`,
          [
            wanted.customerConfigId,
            wanted.phoneNumberId,
            wanted.wabaId,
            wanted.displayPhoneNumber,
            wanted.verifiedName,
            wanted.qualityRating,
            wanted.isOnBusinessApp ?? null,
            wanted.throughputLevel ?? null,
          ],
        );
        if (row === undefined)
          throw new ChannelError(
            "CONNECTION_CONFLICT",
            "Another tenant holds this number: it must be disconnected there first, or taken over by somebody who confirms it.",
          );
        await saveToken(tx, db, row, wanted.seal(row.id), wanted.token);
        if (wanted.sealPin !== undefined)
          await tx.query(`update ${table} set pin_enc = $2 where id = $1`, [row.id, wanted.sealPin(row.id)]);
        await showToHost(tx, db, row);
        // One that is connected and has a reason was paused.
        const worked = before?.state === "connected" && before.reason === null;
        const isNews = wanted.isAnnounced === true && !worked;
        await tell(tx, isNews ? [...lost, toConnection(row)] : lost);
        // Whoever had the number last was written to, and nobody else.
        const isOthers = last !== undefined && last.customerConfigId !== wanted.customerConfigId;
        await beginCatchUp(tx, db, row.id, isOthers);
        await wakeWaitingSends(tx, db, [row.id, ...lost.map(({ connectionId }) => connectionId)]);
        return toConnection(row);
      });
    },

    async ofTenant(customerConfigId) {
      const rows = await db.query<ConnectionRow>(
        `select * from ${table} where customer_config_id = $1 order by created_at`,
        [customerConfigId],
      );
      return rows.map(toConnection);
    },

    async requireReauth({ connectionId, accessTokenEnc, reason }) {
      return db.transaction(async (tx) => {
        const [row] = await tx.query<ConnectionRow>(
          `update ${table} set state = 'reauth_required', reason = $2, updated_at = now()
           where id = $1 and state = 'connected' and exists (
             select 1 from ${db.name("whatsapp_oauth_tokens")} where connection_id = $1 and access_token_enc = $3)
           returning *`,
          [connectionId, reason, accessTokenEnc],
        );
        if (row === undefined) return null;
        const connection = toConnection(row);
        await tell(tx, [connection]);
        return connection;
      });
    },

    async holders(phoneNumberIds) {
      const rows = await db.query<ConnectionRow>(
        `select * from ${table} where phone_number_id = any($1) and state <> 'disconnected'`,
        [phoneNumberIds],
      );
      return rows.map((row) => ({
        phoneNumberId: row.phone_number_id,
        connectionId: row.id,
        customerConfigId: row.customer_config_id,
        state: row.state,
      }));
    },

    async hasSynced(connectionId, what) {
      const rows = await db.query(`select 1 from ${table} where id = $1 and ${SYNC_COLUMN[what]} is not null`, [
        connectionId,
      ]);
      return rows.length > 0;
    },

    async rememberSync(connectionId, what) {
      await db.query(`update ${table} set ${SYNC_COLUMN[what]} = now() where id = $1`, [connectionId]);
    },

    async staleNumbers() {
      const rows = await db.query<{
        readonly id: string;
        readonly customer_config_id: string;
        readonly phone_number_id: string;
        readonly waba_id: string;
        readonly access_token_enc: string;
      }>(
        `update ${table} c set throughput_read_at = now() from ${db.name("whatsapp_oauth_tokens")} t
         where t.connection_id = c.id and c.id in (
           select id from ${table} where state = 'connected'
             and throughput_read_at < now() - case when webhooks_elsewhere then interval '1 hour' else interval '1 day' end
           order by throughput_read_at limit 20 for update skip locked)
         returning c.id, c.customer_config_id, c.phone_number_id, c.waba_id, t.access_token_enc`,
      );
      return rows.map((row) => ({
        connectionId: row.id,
        customerConfigId: row.customer_config_id,
        phoneNumberId: row.phone_number_id,
        wabaId: row.waba_id,
        accessTokenEnc: row.access_token_enc,
      }));
    },

    async saveWebhooksElsewhere(connectionId, isElsewhere) {
      await db.query(`update ${table} set webhooks_elsewhere = $2 where id = $1 and webhooks_elsewhere <> $2`, [
        connectionId,
        isElsewhere,
      ]);
    },

    async saveLook(connectionId, { throughputLevel, isOnBusinessApp, verifiedName, qualityRating }) {
      await db.query(
        // What Meta leaves out has not changed: a number of the WhatsApp Business app must never be taken for another.
        `update ${table} set throughput_level = coalesce($2, throughput_level), on_business_app = coalesce($3, on_business_app),
           verified_name = coalesce($4, verified_name), quality_rating = coalesce($5, quality_rating)
         where id = $1 and (throughput_level, on_business_app, verified_name, quality_rating) is distinct from
           (coalesce($2, throughput_level), coalesce($3, on_business_app), coalesce($4, verified_name), coalesce($5, quality_rating))`,
        [connectionId, throughputLevel, isOnBusinessApp, verifiedName, qualityRating],
      );
    },

    async saveProfile(connectionId, profile) {
      await db.query(`update ${table} set profile = $2 where id = $1`, [connectionId, JSON.stringify(profile)]);
    },

    ...createPauses(db, tell),
    ...createTokens(db),
  };
}

const SYNC_COLUMN = { contacts: "contacts_sync_at", history: "history_sync_at" } as const;

/** Two tenants cannot both have a number: who proves it and confirms it gets it. @returns what the others have lost. */
async function takeFromOthers(tx: Tx, db: Database, wanted: NewConnection): Promise<readonly Connection[]> {
  const held = await tx.query<{ readonly id: string }>(
    `select id from ${db.name("whatsapp_connections")} where phone_number_id = $1 and customer_config_id <> $2
       and state <> 'disconnected' for no key update`,
    [wanted.phoneNumberId, wanted.customerConfigId],
  );
  const lost = await closeConnections(
    tx,
    db,
    held.map(({ id }) => ({ id, reason: TAKEN })),
  );
  await tx.query(`delete from ${db.name("whatsapp_oauth_tokens")} where connection_id = any($1)`, [
    lost.map(({ connectionId }) => connectionId),
  ]);
  return lost;
}

const TAKEN = "Somebody who proved at Meta that it is theirs has connected this number to another account.";

/** The columns of the guide, on the host's own row of the tenant: the host makes tenants, we never do. */
async function showToHost(tx: Tx, db: Database, row: ConnectionRow): Promise<void> {
  const configs = db.hostName("customer_configs");
  const updating = tx.query(
    `update ${configs} set whatsapp_enabled = true, whatsapp_phone_number = $2, whatsapp_phone_number_id = $3,
       whatsapp_business_account_id = $4, whatsapp_provider = 'meta', whatsapp_connected_at = coalesce(whatsapp_connected_at, now())
     where id = $1 returning 1`,
    [row.customer_config_id, row.display_phone_number, row.phone_number_id, row.waba_id],
  );
  const found = await updating.catch((error: unknown) => {
    throw sayingWhichTable(configs, error);
  });
  if (found.length > 0) return;
  throw (
    (await hiddenRow(tx, configs)) ??
    new ChannelError(
      "REQUEST_INVALID",
      "There is no customer_configs row with this customerConfigId: create the tenant first.",
    )
  );
}
