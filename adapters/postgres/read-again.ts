/** What was unknown when it came, read again: what a later version understands takes its place in the inbox. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { Inbox, ReadAgain } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { isDataFault, routeAll, sqlState, storeEvents, storing } from "./record.ts";
import { oneAtATime } from "./routing.ts";
import { ERASED, storedKey } from "./tombstones.ts";

type Read = (body: Uint8Array) => readonly ChannelEvent[] | null;

export function createReadAgain(db: Database): Inbox["readAgain"] {
  const events = db.name("whatsapp_events");
  return async (read, only) => {
    let understood = 0;
    const failed: ReadAgain["failed"][number][] = [];
    // One delivery at a time, so that one that cannot be stored takes no other with it.
    const deliveries =
      only === undefined
        ? await db.query<{ webhook_id: string }>(
            `select distinct webhook_id from ${events} where kind = 'unsupported' and state = 1 order by webhook_id`,
          )
        : [{ webhook_id: only.webhookId }];
    for (const { webhook_id } of deliveries)
      try {
        understood += await storing(db, (tx) =>
          readDelivery(tx, db, { webhookId: webhook_id, tenant: only?.customerConfigId ?? null }, read),
        );
      } catch (error) {
        if (!isDataFault(error)) throw error;
        failed.push({ webhookId: webhook_id, error: sqlState(error) });
      }
    const unknown =
      only !== undefined
        ? []
        : await db.query<ReadAgain["unknown"][number]>(
            `select coalesce(payload ->> 'type', 'unknown') as type, count(*)::int as count, max(created_at) as last
       from ${events} where kind = 'unsupported' and state <> ${ERASED} group by 1 order by 2 desc, 1`,
          );
    return { understood, failed, unknown };
  };
}

/** @returns how many of its events are understood now. */
async function readDelivery(
  tx: Tx,
  db: Database,
  { webhookId, tenant }: { readonly webhookId: string; readonly tenant: string | null },
  parse: Read,
): Promise<number> {
  // Two that read again at the same time would both put the same events back.
  await oneAtATime(tx, db);
  const before = await tx.query<{
    id: string;
    dedupe_key: string;
    number: string | null;
    waba: string | null;
    tenant: string;
  }>(
    `select e.id, e.dedupe_key, e.phone_number_id as number, e.payload ->> 'wabaId' as waba, n.customer_config_id as tenant
     from ${db.name("whatsapp_events")} e join ${db.name("whatsapp_connections")} n on n.id = e.connection_id
     where e.webhook_id = $1 and e.kind = 'unsupported' and e.state = 1 and ($2::uuid is null or n.customer_config_id = $2)`,
    [webhookId, tenant],
  );
  const [webhook] = await tx.query<{ body: string }>(
    `select encode(body, 'base64') as body from ${db.name("whatsapp_webhooks")} where id = $1`,
    [webhookId],
  );
  const read = webhook === undefined || before.length === 0 ? null : parse(Buffer.from(webhook.body, "base64"));
  if (read === null) return 0;
  const stillUnknown = new Set(
    read.filter(({ kind }) => kind === "unsupported").map(({ dedupeKey }) => storedKey(dedupeKey)),
  );
  // A number may have moved since: what came to one tenant must never come to another.
  const held = await stillHeld(tx, db, before);
  const understood = before.filter(
    (one) => !stillUnknown.has(one.dedupe_key) && held.has(placeOf(one.number, one.waba)),
  );
  const places = new Set(understood.map(({ number, waba }) => placeOf(number, waba)));
  const now = read.filter(({ phoneNumberId, wabaId }) => places.has(placeOf(phoneNumberId, wabaId)));
  if (understood.length === 0) return 0;
  const routed = await routeAll(tx, db, [{ events: now }]);
  // Disconnected a moment ago: stored for nobody, they would go to whoever connects the number next.
  if (routed.some(({ route }) => route.tenant === null)) return 0;
  await tx.query(`delete from ${db.name("whatsapp_events")} where id = any($1)`, [understood.map(({ id }) => id)]);
  // Those that had been understood then are there, and stay as they are.
  await storeEvents(tx, db, routed, [webhookId], { again: true, pending: now.length });
  return understood.length;
}

type Before = { readonly number: string | null; readonly waba: string | null; readonly tenant: string };

/** The numbers, and accounts, that are still with whom they were. Who connects one goes one at a time as well: none comes to another meanwhile. */
async function stillHeld(tx: Tx, db: Database, before: readonly Before[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ number: string; waba: string; tenant: string }>(
    `select phone_number_id as number, waba_id as waba, customer_config_id as tenant from ${db.name("whatsapp_connections")}
     where state <> 'disconnected' and (phone_number_id = any($1) or waba_id = any($2)) order by created_at`,
    [before.map(({ number }) => number), before.map(({ number, waba }) => (number === null ? waba : null))],
  );
  return new Set(
    before
      .filter(({ number, waba, tenant }) => {
        // The oldest number of an account speaks for it.
        const holder = rows.find((row) => (number === null ? row.waba === waba : row.number === number));
        return holder?.tenant === tenant;
      })
      .map(({ number, waba }) => placeOf(number, waba)),
  );
}

function placeOf(number: string | null, waba: string | null): string {
  return number ?? `account ${waba}`;
}
