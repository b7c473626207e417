/** Every sealed value in the database, in pages, each replaced only if nobody has replaced it meanwhile. */
import type { SealedPlace, SealedValue, SealedValues } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

type Kind = SealedPlace["kind"];

const KINDS: readonly Kind[] = ["onboarding-pin", "onboarding-token", "pin", "token"];
const FIELD: Readonly<Record<Kind, string>> = {
  token: "access_token",
  pin: "pin",
  "onboarding-token": "access_token",
  "onboarding-pin": "pin",
};

type ValueRow = {
  readonly id: string;
  readonly member: string;
  readonly tenant: string;
  readonly row_id: string;
  readonly sealed: string;
};

export function createSealedValues(db: Database): SealedValues {
  const tokens = db.name("whatsapp_oauth_tokens");
  const connections = db.name("whatsapp_connections");
  const onboardings = db.name("whatsapp_onboardings");

  /** `row_id` is what the value was sealed for: a token's is its connection's. */
  const SELECT: Readonly<Record<Kind, string>> = {
    token: `select id, '' as member, customer_config_id as tenant, connection_id as row_id, access_token_enc as sealed from ${tokens}`,
    pin: `select id, '' as member, customer_config_id as tenant, id as row_id, pin_enc as sealed from ${connections} where pin_enc is not null`,
    "onboarding-token": `select id, '' as member, customer_config_id as tenant, id as row_id, access_token_enc as sealed
      from ${onboardings} where access_token_enc is not null`,
    "onboarding-pin": `select o.id, p.key as member, o.customer_config_id as tenant, o.id as row_id, p.value as sealed
      from ${onboardings} o cross join lateral jsonb_each_text(
        case when jsonb_typeof(o.progress -> 'pins') = 'object' then o.progress -> 'pins' else '{}'::jsonb end) p where p.value is not null`,
  };

  // Whoever is busy with an onboarding writes the values back that they have read: those wait for the next time.
  const REPLACE: Readonly<Record<Kind, string>> = {
    token: `update ${tokens} set access_token_enc = $3 where id = $1 and access_token_enc = $2 and $4 = '' returning 1`,
    pin: `update ${connections} set pin_enc = $3 where id = $1 and pin_enc = $2 and $4 = '' returning 1`,
    "onboarding-token": `update ${onboardings} set access_token_enc = $3
      where id = $1 and access_token_enc = $2 and $4 = '' and busy_until <= now() returning 1`,
    "onboarding-pin": `update ${onboardings} set progress = jsonb_set(progress, array['pins', $4], to_jsonb($3::text))
      where id = $1 and progress #>> array['pins', $4] = $2 and busy_until <= now() returning 1`,
  };

  async function page(kind: Kind, place: SealedPlace | null, limit: number): Promise<readonly SealedValue[]> {
    const rows = await db.query<ValueRow>(
      `select * from (${SELECT[kind]}) v where $1::uuid is null or (v.id, v.member) > ($1, $2) order by v.id, v.member limit $3`,
      [place?.id ?? null, place?.member ?? "", limit],
    );
    return rows.map(({ id, member, tenant, row_id, sealed }) => ({
      place: { kind, id, member },
      context: { customerConfigId: tenant, rowId: row_id, field: FIELD[kind] },
      sealed,
    }));
  }

  return {
    async after(place, limit) {
      const kinds = place === null ? KINDS : KINDS.slice(KINDS.indexOf(place.kind));
      for (const kind of kinds) {
        const found = await page(kind, kind === place?.kind ? place : null, limit);
        if (found.length > 0) return found;
      }
      return [];
    },

    async replace({ place, sealed: before }, sealed) {
      // A transaction, so that a row that somebody else holds does not stop this for ever.
      const replaced = await db.transaction((tx) =>
        tx.query(REPLACE[place.kind], [place.id, before, sealed, place.member]),
      );
      return replaced.length > 0;
    },

    underWay: () =>
      db.query(
        `select split_part(pkce_verifier_enc, '.', 1) || '.' || split_part(pkce_verifier_enc, '.', 2) as sealed, count(*)::int as count
         from ${db.name("whatsapp_oauth_states")} where pkce_verifier_enc is not null and used_at is null and expires_at > now()
         group by 1`,
      ),
  };
}
