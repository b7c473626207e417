/** Numbers that were connected here and are not any more: what people write to them is nobody's here, and is not kept. */
import type { Database, Tx } from "./database.ts";
import { LIFE } from "./onboardings.ts";

export type LastHolder = {
  readonly customerConfigId: string;
  readonly isConnected: boolean;
  /** The tenant has begun to connect it again since it left: what comes meanwhile is theirs once they have it. */
  readonly isComingBack: boolean;
};

/** Who has these numbers, or had them last; a number that nobody has ever had is missing. */
export async function lastHolders(
  tx: Tx,
  db: Database,
  phoneNumberIds: readonly string[],
): Promise<ReadonlyMap<string, LastHolder>> {
  if (phoneNumberIds.length === 0) return new Map();
  const rows = await tx.query<LastHolder & { readonly phoneNumberId: string }>(
    `select distinct on (c.phone_number_id) c.phone_number_id as "phoneNumberId", c.customer_config_id as "customerConfigId",
       c.state <> 'disconnected' as "isConnected", exists (
         select 1 from ${db.name("whatsapp_onboardings")} o where o.customer_config_id = c.customer_config_id
           and o.created_at > greatest(c.disconnected_at, now() - ${LIFE}) and o.access_token_enc is not null
           and o.progress -> 'chosen' @> to_jsonb(c.phone_number_id)) as "isComingBack"
     from ${db.name("whatsapp_connections")} c where c.phone_number_id = any($1)
     order by c.phone_number_id, c.state = 'disconnected', c.disconnected_at desc nulls last, c.created_at desc`,
    [phoneNumberIds],
  );
  return new Map(rows.map((row) => [row.phoneNumberId, row]));
}
