/** What became of a code, step by step, with its sealed token until it is with its numbers. */
import type {
  KnownPin,
  Onboarding,
  OnboardingProgress,
  OnboardingState,
  Onboardings,
  TokenFacts,
} from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

type Row = {
  readonly id: string;
  readonly customer_config_id: string;
  readonly user_id: string | null;
  readonly flow: Onboarding["flow"];
  readonly state: OnboardingState;
  readonly access_token_enc: string | null;
  readonly progress: OnboardingProgress;
  readonly error: Onboarding["error"];
  readonly claim: string;
};

/** Until when it is somebody's: exact, which a Date is not. */
const CLAIM = "(extract(epoch from busy_until) * 1000000)::bigint::text as claim";

/** Its PINs stay for the day: Meta may have one of them, and whoever connects the number again needs it. */
const ENDED =
  "access_token_enc = null, state = case when state = 'done' then state else 'failed' end, updated_at = now()";

/** Nobody comes back to a page of yesterday. */
export const LIFE = "interval '1 day'";

export function createOnboardings(db: Database): Onboardings {
  const table = db.name("whatsapp_onboardings");
  return {
    async begin({ customerConfigId, userId, flow, progress, seal, busyMs }) {
      return db.transaction(async (tx) => {
        // Of two that begin at once neither would see the other, and the token of one would lie about.
        await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`${table}/${customerConfigId}`]);
        await tx.query(`update ${table} set ${ENDED} where customer_config_id = $1 and access_token_enc is not null`, [
          customerConfigId,
        ]);
        const [row] = await tx.query<Row>(
          // The newest is the one that began last, and not the one that came first to wait.
          `insert into ${table} (customer_config_id, user_id, flow, progress, busy_until, created_at)
           values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', clock_timestamp()) returning *, ${CLAIM}`,
          [customerConfigId, userId, flow, JSON.stringify(progress), busyMs],
        );
        const { id } = row as Row;
        const accessTokenEnc = seal(id);
        await tx.query(`update ${table} set access_token_enc = $2 where id = $1`, [id, accessTokenEnc]);
        return toOnboarding({ ...(row as Row), access_token_enc: accessTokenEnc });
      });
    },

    async current(customerConfigId) {
      const [row] = await db.query<Row>(
        `select *, ${CLAIM} from ${table} where customer_config_id = $1 and created_at > now() - ${LIFE} order by created_at desc limit 1`,
        [customerConfigId],
      );
      return row === undefined ? null : toOnboarding(row);
    },

    async claim(onboardingId, busyMs) {
      const [row] = await db.query<Row>(
        `update ${table} set busy_until = now() + $2 * interval '1 millisecond' where id = $1 and busy_until <= now() returning *, ${CLAIM}`,
        [onboardingId, busyMs],
      );
      return row === undefined ? null : toOnboarding(row);
    },

    async save({ onboardingId, state, progress, error, accessTokenEnc, claim }, busyMs) {
      const [saved] = await db.query<{ readonly claim: string }>(
        `update ${table} set state = $2, progress = $3, error = $4, access_token_enc = $5, updated_at = now(),
           busy_until = now() + $6 * interval '1 millisecond'
         where id = $1 and access_token_enc is not null and (extract(epoch from busy_until) * 1000000)::bigint = $7
         returning ${CLAIM}`,
        [
          onboardingId,
          state,
          JSON.stringify(progress),
          error === null ? null : JSON.stringify(error),
          accessTokenEnc,
          busyMs,
          claim,
        ],
      );
      return saved?.claim ?? null;
    },

    async knownPin(customerConfigId, phoneNumberId) {
      const [known] = await db.query<KnownPin>(
        `select customer_config_id as "customerConfigId", id as "rowId", pin_enc as "pinEnc" from (
           select customer_config_id, id, progress #>> array['pins', $2] as pin_enc, 0 as rank, created_at as at
           from ${table} where customer_config_id = $1 and created_at > now() - ${LIFE}
           union all
           select customer_config_id, id, pin_enc, case when customer_config_id = $1 then 1 else 2 end, updated_at
           from ${db.name("whatsapp_connections")} where phone_number_id = $2) known
         where pin_enc is not null order by rank, at desc limit 1`,
        [customerConfigId, phoneNumberId],
      );
      return known ?? null;
    },

    async expire() {
      await db.query(
        `update ${table} set access_token_enc = null, progress = progress - 'pins'
         where (access_token_enc is not null or progress -> 'pins' <> '{}') and created_at < now() - ${LIFE}`,
        [],
      );
    },
  };
}

/** A number has left, or all of them have: what was granted for it goes too, unless another one still needs it. */
export async function endOnboardings(
  tx: Tx,
  db: Database,
  customerConfigId: string,
  phoneNumberId: string | null,
): Promise<void> {
  await tx.query(
    `update ${db.name("whatsapp_onboardings")} set ${ENDED}
     where customer_config_id = $1 and access_token_enc is not null and ($2::text is null or (
       progress -> 'chosen' @> to_jsonb($2::text) and not exists (
         select 1 from jsonb_array_elements_text(progress -> 'chosen') as other (id) where other.id <> $2 and (
           not progress -> 'steps' @> jsonb_build_array(jsonb_build_object('step', 'connect', 'phoneNumberId', other.id, 'state', 'done'))
           or exists (select 1 from ${db.name("whatsapp_connections")} c
             where c.customer_config_id = $1 and c.phone_number_id = other.id and c.state <> 'disconnected')))))`,
    [customerConfigId, phoneNumberId],
  );
}

function toOnboarding(row: Row): Onboarding {
  const { progress } = row;
  return {
    onboardingId: row.id,
    customerConfigId: row.customer_config_id,
    userId: row.user_id,
    flow: row.flow,
    state: row.state,
    accessTokenEnc: row.access_token_enc,
    progress: {
      ...progress,
      takeovers: progress.takeovers ?? [],
      pins: progress.pins ?? {},
      token: progress.token === null ? null : withDates(progress.token),
    },
    error: row.error,
    claim: row.claim,
  };
}

/** JSON has no dates. */
function withDates(token: TokenFacts): TokenFacts {
  const date = (value: Date | string | null) => (value === null ? null : new Date(value));
  return {
    ...token,
    issuedAt: date(token.issuedAt),
    expiresAt: date(token.expiresAt),
    dataAccessExpiresAt: date(token.dataAccessExpiresAt),
  };
}
