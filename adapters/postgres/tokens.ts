/** Sealed tokens: stored with what Meta says of them, and found again when their time comes. */
import type { Connections, TokenFacts } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** How long before its end a token that can be renewed is. */
const BEFORE_THE_END = "interval '10 days'";

/** When to look at it again; null for what never ends, or of which nothing is known. */
const RENEW_AT = `case when $3::timestamptz is null then null when $4 = 'SYSTEM_USER' then $3::timestamptz - ${BEFORE_THE_END} else $3::timestamptz end`;

export async function saveToken(
  tx: Tx,
  db: Database,
  connection: { readonly id: string; readonly customer_config_id: string },
  accessTokenEnc: string,
  token: TokenFacts | undefined,
): Promise<void> {
  await tx.query(
    `insert into ${db.name("whatsapp_oauth_tokens")} (customer_config_id, connection_id, access_token_enc, expires_at, renew_at,
       scopes, token_metadata, meta_user_id)
     values ($1, $2, $5, $3, ${RENEW_AT}, $6, $7, $8)
     on conflict (connection_id) do update set access_token_enc = excluded.access_token_enc, expires_at = excluded.expires_at,
       renew_at = excluded.renew_at, scopes = excluded.scopes, token_metadata = excluded.token_metadata,
       meta_user_id = excluded.meta_user_id, leaving_since = null, updated_at = now()`,
    [
      connection.customer_config_id,
      connection.id,
      endOf(token),
      token?.type ?? null,
      accessTokenEnc,
      ...factsOf(token),
    ],
  );
}

export function createTokens(db: Database): Pick<Connections, "ageingTokens" | "renewToken"> {
  const table = db.name("whatsapp_oauth_tokens");
  return {
    async ageingTokens(claimMs) {
      const rows = await db.query<{
        readonly connection_id: string;
        readonly customer_config_id: string;
        readonly access_token_enc: string;
        readonly type: string | null;
        readonly is_expired: boolean;
      }>(
        `update ${table} t set renew_at = now() + $1 * interval '1 millisecond'
         where t.id in (
           select o.id from ${table} o join ${db.name("whatsapp_connections")} c on c.id = o.connection_id
           where o.renew_at <= now() and o.leaving_since is null and c.state = 'connected'
           order by o.renew_at limit 20 for update of o skip locked)
         returning t.connection_id, t.customer_config_id, t.access_token_enc, t.token_metadata ->> 'type' as type,
           t.expires_at <= now() as is_expired`,
        [claimMs],
      );
      return rows.map((row) => ({
        connectionId: row.connection_id,
        customerConfigId: row.customer_config_id,
        accessTokenEnc: row.access_token_enc,
        type: row.type,
        isExpired: row.is_expired,
      }));
    },

    async renewToken({ connectionId, before, accessTokenEnc, token }) {
      const renewed = await db.query(
        `update ${table} set access_token_enc = $5, expires_at = $3, renew_at = ${RENEW_AT}, scopes = $6, token_metadata = $7,
           meta_user_id = $8, updated_at = now()
         where connection_id = $1 and access_token_enc = $2 returning 1`,
        [connectionId, before, endOf(token), token.type, accessTokenEnc, ...factsOf(token)],
      );
      return renewed.length > 0;
    },
  };
}

/** A person's token is of no use after its data access has ended. */
function endOf(token: TokenFacts | undefined): Date | null {
  const ends = [token?.expiresAt, token?.dataAccessExpiresAt].flatMap((end) => (end ? [end.getTime()] : []));
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}

/** Never the token. */
function factsOf(token: TokenFacts | undefined): readonly [readonly string[], string, string | null] {
  if (token === undefined) return [[], "{}", null];
  const { type, appId, issuedAt, dataAccessExpiresAt, granted } = token;
  const metadata = { type, app_id: appId, issued_at: issuedAt, data_access_expires_at: dataAccessExpiresAt, granted };
  return [token.scopes, JSON.stringify(metadata), token.metaUserId];
}
