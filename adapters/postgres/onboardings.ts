/** What became of a code, step by step, with its sealed token until it is with its numbers. */
import type { Onboarding, OnboardingProgress, OnboardingState, Onboardings, TokenFacts } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

type Row = {
  readonly id: string;
  readonly customer_config_id: string;
  readonly user_id: string | null;
  readonly flow: Onboarding["flow"];
  readonly state: OnboardingState;
  readonly access_token_enc: string | null;
  readonly progress: OnboardingProgress;
  readonly error: Onboarding["error"];
};

/** Nobody comes back to a page of yesterday. */
const LIFE = "interval '1 day'";

export function createOnboardings(db: Database): Onboardings {
  const table = db.name("whatsapp_onboardings");
  return {
    async begin({ customerConfigId, userId, flow, progress, seal, busyMs }) {
      return db.transaction(async (tx) => {
        await tx.query(
          `update ${table} set access_token_enc = null, progress = progress - 'pins',
             state = case when state = 'done' then state else 'failed' end, updated_at = now()
           where customer_config_id = $1 and access_token_enc is not null`,
          [customerConfigId],
        );
        const [row] = await tx.query<Row>(
          `insert into ${table} (customer_config_id, user_id, flow, progress, busy_until)
           values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond') returning *`,
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
        `select * from ${table} where customer_config_id = $1 and created_at > now() - ${LIFE} order by created_at desc limit 1`,
        [customerConfigId],
      );
      return row === undefined ? null : toOnboarding(row);
    },

    async claim(onboardingId, busyMs) {
      const [row] = await db.query<Row>(
        `update ${table} set busy_until = now() + $2 * interval '1 millisecond' where id = $1 and busy_until <= now() returning *`,
        [onboardingId, busyMs],
      );
      return row === undefined ? null : toOnboarding(row);
    },

    async save({ onboardingId, state, progress, error, accessTokenEnc }, isOver) {
      const saved = await db.query(
        `update ${table} set state = $2, progress = $3, error = $4, access_token_enc = $5, updated_at = now(),
           busy_until = case when $6 then now() else busy_until end
         where id = $1 and access_token_enc is not null returning 1`,
        [
          onboardingId,
          state,
          JSON.stringify(progress),
          error === null ? null : JSON.stringify(error),
          accessTokenEnc,
          isOver,
        ],
      );
      return saved.length > 0;
    },

    async expire() {
      await db.query(
        `update ${table} set access_token_enc = null, progress = progress - 'pins'
         where access_token_enc is not null and created_at < now() - ${LIFE}`,
        [],
      );
    },
  };
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
      pins: progress.pins ?? {},
      token: progress.token === null ? null : withDates(progress.token),
    },
    error: row.error,
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
