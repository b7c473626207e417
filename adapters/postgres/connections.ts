/** Numbers bound to tenants, and their sealed tokens. */
import { ChannelError } from "../../plugin/errors.ts";
import type { Connections } from "../../plugin/ports.ts";
import { type ConnectionRow, toConnection, wakeWaitingSends } from "./connection-row.ts";
import type { Database, Tx } from "./database.ts";
import { tellHost } from "./host-events.ts";
import { routeWaiting } from "./inbox.ts";

export function createConnections(db: Database, { hasListener }: { readonly hasListener: boolean }): Connections {
  const table = db.name("whatsapp_connections");
  return {
    async save(wanted) {
      return db.transaction(async (tx) => {
        const [row] = await tx.query<ConnectionRow>(
          `insert into ${table} as c (customer_config_id, phone_number_id, waba_id, display_phone_number, verified_name, quality_rating)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (phone_number_id) where state <> 'disconnected' do update set waba_id = excluded.waba_id,
             display_phone_number = excluded.display_phone_number, verified_name = excluded.verified_name,
             quality_rating = excluded.quality_rating, state = 'connected', reason = null, updated_at = now()
           where c.customer_config_id = excluded.customer_config_id
           returning *`,
          [
            wanted.customerConfigId,
            wanted.phoneNumberId,
            wanted.wabaId,
            wanted.displayPhoneNumber,
            wanted.verifiedName,
            wanted.qualityRating,
          ],
        );
        if (row === undefined)
          throw new ChannelError(
            "CONNECTION_CONFLICT",
            "Another tenant holds this number: it must be disconnected there first.",
          );
        await tx.query(
          `insert into ${db.name("whatsapp_oauth_tokens")} (customer_config_id, connection_id, access_token_enc) values ($1, $2, $3)
           on conflict (connection_id) do update set access_token_enc = excluded.access_token_enc, updated_at = now()`,
          [wanted.customerConfigId, row.id, wanted.seal(row.id)],
        );
        await showToHost(tx, db, row);
        await routeWaiting(tx, db, wanted.phoneNumberId, wanted.wabaId);
        await wakeWaitingSends(tx, db, [row.id]);
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
        if (hasListener) await tellHost(tx, db, [{ kind: "connection", connection }]);
        return connection;
      });
    },
  };
}

/** The columns of the guide, on the host's own row of the tenant: the host makes tenants, we never do. */
async function showToHost(tx: Tx, db: Database, row: ConnectionRow): Promise<void> {
  const found = await tx.query(
    `update ${db.hostName("customer_configs")} set whatsapp_enabled = true, whatsapp_phone_number = $2, whatsapp_phone_number_id = $3,
       whatsapp_business_account_id = $4, whatsapp_provider = 'meta', whatsapp_connected_at = coalesce(whatsapp_connected_at, now())
     where id = $1 returning 1`,
    [row.customer_config_id, row.display_phone_number, row.phone_number_id, row.waba_id],
  );
  if (found.length === 0)
    throw new ChannelError(
      "REQUEST_INVALID",
      "There is no customer_configs row with this customerConfigId: create the tenant first.",
    );
}
