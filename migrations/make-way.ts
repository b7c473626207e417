/** What the pending migrations need of tables that processes of an earlier version work on: their long work, then all their locks at once. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

/** Tables that a migration may lock, in the order in which those who write take them. */
const ORDER = [
  "whatsapp_connections",
  "whatsapp_contacts",
  "whatsapp_send_attempts",
  "whatsapp_templates",
  "customer_configs",
  "conversations",
  "messages",
  "whatsapp_host_events",
  "whatsapp_turns",
  "whatsapp_events",
  "whatsapp_host_changes",
] as const;

type Table = (typeof ORDER)[number];

/** What a migration locks, each in the strongest mode that it needs. */
export type Locks = Readonly<Partial<Record<Table, "share" | "exclusive" | "access exclusive">>>;

/** One of ours. Only its name is ever stored. */
export type Migration = {
  readonly name: string;
  /** What takes long and locks no table against others: before `locks`, and never on a database that is new. It waits for nobody's row. */
  prepare?(sql: Sql, schemas: Schemas): Promise<void>;
  /** Of tables that were there before: whatever `up` locks against those who read or write. A test holds the two together. */
  locks?(sql: Sql, schemas: Schemas): Promise<Locks>;
  up(sql: Sql, schemas: Schemas): Promise<void>;
  down(sql: Sql, schemas: Schemas): Promise<void>;
};

/** How long one of our statements waits for a lock, where nothing else is said. */
export const LOCK_TIMEOUT = "5s";
/** With the waits and pauses below, half a minute at most where nobody lets go of the first table. */
const TRIES = 25;

/** Before the first of `pending` on a database that has older ones of ours. */
export async function makeWay(sql: Sql, schemas: Schemas, pending: readonly Migration[]): Promise<void> {
  for (const one of pending) await one.prepare?.(sql, schemas);
  const locks: Locks[] = [];
  for (const one of pending) locks.push((await one.locks?.(sql, schemas)) ?? {});
  const [first, ...others] = await inOrder(sql, schemas, locks);
  if (first === undefined) return;
  await sql.raw(`
      -- All of them or none, and waiting for less than Postgres' deadlock_timeout: those who work take some in another order, and must not fail.
      do $$
      begin
        for attempt in 1..${TRIES} loop
          begin
            -- Whoever waits for the first holds nothing yet that others want.
            set local lock_timeout = '800ms';
            ${first};
            set local lock_timeout = '100ms';
            ${others.map((statement) => `${statement};`).join("\n            ")}
            set local lock_timeout = '${LOCK_TIMEOUT}';
            return;
          exception when lock_not_available or deadlock_detected then
            if attempt = ${TRIES} then
              raise;
            end if;
            perform pg_sleep(0.1 + random() * 0.2);
          end;
        end loop;
      end $$`);
}

/** Tables that one of the pending migrations has still to make need no lock. */
async function inOrder(sql: Sql, schemas: Schemas, locks: readonly Locks[]): Promise<readonly string[]> {
  const statements: string[] = [];
  for (const table of ORDER) {
    const modes = locks.flatMap((one) => one[table] ?? []);
    const mode = (["access exclusive", "exclusive", "share"] as const).find((strong) => modes.includes(strong));
    if (mode === undefined) continue;
    const name = quoteName(table.startsWith("whatsapp_") ? schemas.schema : schemas.hostSchema, table);
    const [{ found }] = (await sql.raw("select to_regclass(?) is not null as found", [name])).rows;
    if (found) statements.push(`lock table ${name} in ${mode} mode`);
  }
  return statements;
}
