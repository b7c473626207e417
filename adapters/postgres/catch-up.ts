/** What came for a number before it was connected: routed once it is, in stored order and so many at a time. What comes meanwhile waits behind it. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import { nameOf } from "../../plugin/errors.ts";
import { countBy } from "./count-by.ts";
import { countWebhooks } from "./count-webhooks.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueOnLanes } from "./lanes.ts";
import { isDataFault } from "./record.ts";
import { revive } from "./revive.ts";
import { numberLane, oneAtATime, type Route, routeEvents } from "./routing.ts";
import { bury, errorOfW } from "./tombstones.ts";

/** Per transaction: whoever is new, on any number, is stored after it. */
const AT_ONCE = 500;

/**
 * In the transaction that connects the number: the first of what waits, which is nearly always all of it.
 * @param isOthers what people wrote to the number was for a tenant who has left: it goes, and the account's own is routed.
 */
export async function beginCatchUp(tx: Tx, db: Database, connectionId: string, isOthers: boolean): Promise<void> {
  await oneAtATime(tx, db);
  const [number] = await tx.query<Catching>(
    `update ${db.name("whatsapp_connections")} c set routed_until = coalesce(routed_until, 0), others_until = case when $2 then (
       select max(id) from ${db.name("whatsapp_events")} where state = 4 and phone_number_id = c.phone_number_id) else others_until end
     where id = $1 returning ${CATCHING}`,
    [connectionId, isOthers],
  );
  if (number === undefined) return;
  await tx.query("savepoint waiting");
  try {
    await routeNext(tx, db, number, queue);
  } catch (error) {
    // Found out afterwards, one by one: it must not keep the number from being connected.
    if (!isDataFault(error)) throw error;
    await tx.query("rollback to savepoint waiting");
  }
}

/**
 * The next of the number that is furthest behind. One that Postgres refuses is moved aside: all that comes for the number waits behind it.
 * @returns whether there was such a number.
 */
export async function catchUp(db: Database): Promise<boolean> {
  let tried: readonly Waiting[] = [];
  const noting: Take = (tx, db, number, waiting) => {
    tried = waiting;
    return queue(tx, db, number, waiting);
  };
  for (let most = AT_ONCE; ; most = Math.ceil(most / 2)) {
    try {
      return await step(db, most, noting);
    } catch (error) {
      if (!isDataFault(error)) throw error;
      if (most > 1) continue;
      const [refused] = tried;
      // Another number may be furthest behind by now, or this one be a step further: what was not refused is queued.
      return step(db, 1, (tx, db, number, waiting) =>
        waiting[0]?.id === refused?.id
          ? moveAside(tx, db, number, waiting, nameOf(error))
          : queue(tx, db, number, waiting),
      );
    }
  }
}

function step(db: Database, most: number, take: Take): Promise<boolean> {
  return db.transaction(async (tx) => {
    // Before the lock of everybody, as who connects it.
    const [number] = await tx.query<Catching>(
      `select ${CATCHING} from ${db.name("whatsapp_connections")}
       where routed_until is not null and state <> 'disconnected' order by routed_until limit 1 for no key update skip locked`,
    );
    if (number === undefined) return false;
    await oneAtATime(tx, db);
    await routeNext(tx, db, number, take, most);
    return true;
  });
}

type Catching = {
  readonly id: string;
  readonly phone_number_id: string;
  readonly waba_id: string;
  readonly routed_until: string;
  readonly others_until: string | null;
};
const CATCHING = "id, phone_number_id, waba_id, routed_until, others_until";

type Waiting = {
  readonly id: string;
  readonly webhook_id: string;
  readonly phone_number_id: string | null;
  readonly payload: ChannelEvent;
};

/** What is to become of them. */
type Take = (tx: Tx, db: Database, number: Catching, waiting: readonly Waiting[]) => Promise<void>;

/** Whoever stores what waits holds the same lock until it is committed: what has a lower id is there. */
async function routeNext(tx: Tx, db: Database, number: Catching, take: Take, most = AT_ONCE): Promise<void> {
  const events = db.name("whatsapp_events");
  const next = (whose: string) =>
    `(select id from ${events} where state = 4 and ${whose} and id > $3 order by id limit $4)`;
  const found = await tx.query<{ readonly id: string }>(
    `${next("phone_number_id = $1")} union all ${next("phone_number_id is null and payload ->> 'wabaId' = $2")} order by id limit $4`,
    [number.phone_number_id, number.waba_id, number.routed_until, most],
  );
  // Of these some may go by their age before they are locked.
  const rows = await tx.query<Waiting>(
    `select id, webhook_id, phone_number_id, payload from ${events} where id = any($1) and state = 4 order by id for update`,
    [found.map(({ id }) => id)],
  );
  const isOthers = ({ id, phone_number_id }: Waiting) =>
    phone_number_id !== null && number.others_until !== null && BigInt(id) <= BigInt(number.others_until);
  await take(
    tx,
    db,
    number,
    rows.filter((row) => !isOthers(row)),
  );
  // Afterwards: who works on what was routed has contacts and lanes, and then waits for deliveries.
  bury(tx, db, rows.filter(isOthers));
  await tx.query(
    `update ${db.name("whatsapp_connections")} set routed_until = $2::bigint,
       others_until = case when $2::bigint is not null then others_until end where id = $1`,
    [number.id, found.length < most ? null : found.at(-1)?.id],
  );
}

async function queue(tx: Tx, db: Database, number: Catching, waiting: readonly Waiting[]): Promise<void> {
  const routes = await routeEvents(
    tx,
    db,
    waiting.map((row) => revive(row.payload)),
    number.id,
  );
  // A change of a number that none of an account's tenants has is nobody's still.
  const routed = waiting.flatMap((row, i) => {
    const { laneKey, ...route } = routes[i] as Route;
    return laneKey === null ? [] : [{ ...row, ...route, laneKey }];
  });
  const tenants = new Map(routed.map(({ laneKey, tenant }) => [laneKey, tenant]));
  enqueueOnLanes(
    tx,
    db,
    [...countBy(routed, ({ laneKey }) => laneKey)].map(([laneKey, items]) => ({
      laneKey,
      stage: "in" as const,
      items,
      tenant: tenants.get(laneKey) ?? null,
    })),
  );
  await tx.query(
    `update ${db.name("whatsapp_events")} e set state = 0, lane_key = r.lane_key, connection_id = r.connection_id, contact_id = r.contact_id
     from json_to_recordset($1::json) as r (id bigint, lane_key text, connection_id uuid, contact_id bigint) where e.id = r.id`,
    [
      JSON.stringify(
        routed.map(({ id, laneKey, connectionId, contactId }) => ({
          id,
          lane_key: laneKey,
          connection_id: connectionId,
          contact_id: contactId,
        })),
      ),
    ],
  );
  const webhookIds = routed.map((row) => row.webhook_id);
  await tx.query(
    `update ${db.name("whatsapp_webhooks")} set error = null where id = any($1) and error like 'unrouted:%'
       and id <> all(array(select webhook_id from ${db.name("whatsapp_events")} where state = 4 and webhook_id = any($1)))`,
    [webhookIds],
  );
  countWebhooks(tx, db, webhookIds, 1);
}

/** A dead letter of the number itself: nobody knows whose it is. */
async function moveAside(
  tx: Tx,
  db: Database,
  { id }: Catching,
  waiting: readonly Waiting[],
  error: string,
): Promise<void> {
  tx.send(
    `update ${db.name("whatsapp_events")} set state = 2, lane_key = $2, connection_id = $3, last_error = $4, died_at = now() where id = any($1)`,
    [waiting.map((row) => row.id), numberLane(id), id, error],
  );
  await tx.query(`update ${db.name("whatsapp_webhooks")} w set error = ${errorOfW("$2")} where id = any($1)`, [
    waiting.map((row) => row.webhook_id),
    `dead letter: ${error}`,
  ]);
}
