/** The engine without HTTP: a store on real Postgres, deliveries as Meta writes them, and locks that a test can hold. */
import type { ChannelEvent } from "@omniops/whatsapp";
import type { Knex } from "knex";
import pg from "pg";
import { onTestFinished } from "vitest";
import { createStore, type StoreOptions } from "../../../adapters/postgres/store.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";
import { changesOf } from "../../../plugin/pipeline/plan-changes.ts";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import type { ClaimedLane, IncomingDelivery, PairLimit, Stage, Store } from "../../../plugin/ports.ts";
import { parseWebhook } from "../../../plugin/webhook/parse-webhook.ts";
import {
  NUMBER,
  startChannel,
  TENANT,
  type TestChannel,
  type TestChannelOptions,
  until,
} from "../../support/channel.ts";
import { afterEveryTest } from "../../support/clear-away.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

export const LEASE_MS = 600;

export type Engine = {
  readonly database: TestDatabase;
  readonly store: Store;
  /** Another instance: a pool and a store of its own. */
  another(options?: StoreChoices): Store;
  rows<T = Record<string, unknown>>(sql: string, bindings?: readonly unknown[]): Promise<T[]>;
};

export type StoreChoices = {
  readonly leaseMs?: number;
  readonly knex?: Knex;
  readonly coalesceMs?: number;
  readonly hasListener?: boolean;
  readonly suspectFrom?: number;
  readonly reconcileMs?: number;
  readonly pair?: PairLimit;
  readonly insteadOf?: StoreOptions["insteadOf"];
};

/** A migrated database with one connected number and a store on it. */
export async function startEngine(choices: StoreChoices & { readonly connected?: boolean } = {}): Promise<Engine> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const rows = async <T>(sql: string, bindings: readonly unknown[] = []) =>
    (await database.knex.raw(sql, bindings as never)).rows as T[];
  await rows("insert into customer_configs (id) values (?)", [TENANT]);
  if (choices.connected !== false) await connectNumber(rows);
  const open = (some: StoreChoices = {}) =>
    createStore(some.knex ?? database.knex, {
      schema: "public",
      hostSchema: "public",
      leaseMs: some.leaseMs ?? LEASE_MS,
      // A test has more callers at once than its pool has connections, and a busy machine.
      acquireTimeoutMs: 30_000,
      coalesceMs: some.coalesceMs ?? 0,
      hasListener: some.hasListener ?? false,
      ...(some.suspectFrom !== undefined && { suspectFrom: some.suspectFrom }),
      ...(some.reconcileMs !== undefined && { reconcileMs: some.reconcileMs }),
      ...(some.pair !== undefined && { pair: some.pair }),
      ...(some.insteadOf !== undefined && { insteadOf: some.insteadOf }),
      changesOf,
      advance,
      isPending,
    });
  return {
    database,
    store: open(choices),
    another: (some = {}) => open({ ...choices, knex: database.connect(), ...some }),
    rows,
  };
}

export async function connectNumber(rows: Engine["rows"]): Promise<void> {
  await rows(
    `with number as (
       insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number)
       values (?, ?, ?, ?) returning id)
     insert into whatsapp_oauth_tokens (customer_config_id, connection_id, access_token_enc) select ?, id, 'sealed' from number`,
    [TENANT, NUMBER.phoneNumberId, NUMBER.wabaId, NUMBER.displayPhoneNumber, TENANT],
  );
}

/** The whole channel, stopped when the test ends, so that the next one has the machine to itself. */
export async function channelFor(options: TestChannelOptions = {}): Promise<TestChannel> {
  const channel = await startChannel(options);
  onTestFinished(() => channel.stop());
  return channel;
}

/** A promise that the test settles; open at the latest when the test ends, so that nothing waits for it for ever. */
export function gate<T = void>(atLast?: T): { readonly promise: Promise<T>; open(value: T): void } {
  let open = (_value: T) => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  onTestFinished(() => open(atLast as T));
  return { promise, open: (value) => open(value) };
}

export type Said = {
  readonly id: string;
  readonly text?: string;
  /** Digits, or nothing where Meta withholds the number. */
  readonly phone?: string | null;
  readonly userId?: string | null;
  readonly at?: Date;
  readonly to?: string;
};

export const ADA = "447700900123";
export const BEN = "447700900456";

/** What a person wrote, as one change of a delivery. */
export function message({ id, text = id, phone = ADA, userId = null, at, to = NUMBER.phoneNumberId }: Said): object {
  return change({
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: to },
    contacts: [
      {
        profile: { name: `Person ${phone ?? userId}` },
        ...(phone === null ? {} : { wa_id: phone }),
        ...(userId === null ? {} : { user_id: userId }),
      },
    ],
    messages: [
      {
        id,
        timestamp: String(Math.floor((at ?? new Date()).getTime() / 1000)),
        type: "text",
        text: { body: text },
        ...(phone === null ? {} : { from: phone }),
        ...(userId === null ? {} : { from_user_id: userId }),
      },
    ],
  });
}

export type Reported = {
  readonly wamid: string;
  readonly status: string;
  readonly token?: string;
  readonly phone?: string | null;
  readonly userId?: string;
  /** Tells two reports of one status apart. */
  readonly at?: number;
  readonly code?: number;
};

/** What became of a message of ours, as one change of a delivery. */
export function status({
  wamid,
  status: name,
  token,
  phone = ADA,
  userId,
  at = 1_700_000_000,
  code,
}: Reported): object {
  return change({
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    statuses: [
      {
        id: wamid,
        status: name,
        timestamp: String(at),
        ...(phone === null ? {} : { recipient_id: phone }),
        ...(userId === undefined ? {} : { recipient_user_id: userId }),
        ...(token === undefined ? {} : { biz_opaque_callback_data: token }),
        ...(code === undefined ? {} : { errors: [{ code, title: "Message undeliverable" }] }),
      },
    ],
  });
}

function change(value: object): object {
  return { field: "messages", value: { messaging_product: "whatsapp", ...value } };
}

/** One POST with these changes, parsed as the plugin parses it. */
export function delivery(...changes: readonly object[]): IncomingDelivery {
  const payload = { object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes }] };
  return deliveryOf(JSON.stringify(payload));
}

/** A delivery of events that nobody parsed. */
export function eventsOf(events: readonly ChannelEvent[]): IncomingDelivery {
  return { ...delivery(), events };
}

export function deliveryOf(json: string): IncomingDelivery {
  return {
    body: Buffer.from(json),
    secretIndex: 0,
    webhookType: "messages",
    payload: "verbatim",
    error: null,
    events: parseWebhook(JSON.parse(json)),
  };
}

/** Claims what is ready in a stage, waiting until there is something. */
export async function claimed(store: Store, stage: Stage = "in", limit = 50): Promise<readonly ClaimedLane[]> {
  return until(async () => {
    const lanes = await store.lanes.claim(stage, limit);
    return lanes.length > 0 && lanes;
  }, `a lane of stage ${stage}`);
}

/** What a worker of stage `in` does, one step at a time. */
export async function applyOnce(store: Store, lanes: readonly ClaimedLane[], perLane = 50): Promise<boolean> {
  const events = await store.inbox.load(lanes, perLane);
  return (await store.inbox.apply(lanes, events, planEffects(events))) !== null;
}

/** Works stage `in` until nothing is ready. */
export async function applyAll(store: Store): Promise<void> {
  for (;;) {
    const lanes = await store.lanes.claim("in", 50);
    if (lanes.length === 0) return;
    await applyOnce(store, lanes);
  }
}

export type Holder = {
  query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
};

const holders = new Set<pg.Client>();

/** A connection of nobody's, inside a transaction of its own: what it locks stays locked until it says so. */
export async function hold(database: TestDatabase): Promise<Holder> {
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => {}); // the database may be dropped under it when a test fails
  holders.add(client);
  await client.connect();
  await client.query("begin");
  const end = async (how: string) => {
    holders.delete(client);
    await client.query(how);
    await client.end();
  };
  return {
    query: async <T>(sql: string, params: readonly unknown[] = []) =>
      (await client.query(sql, params as unknown[])).rows as T[],
    commit: () => end("commit"),
    rollback: () => end("rollback"),
  };
}

/** Resolves once this many sessions of the database wait for a lock: the interleaving is then certain, without a sleep. */
export async function waiters(rows: Engine["rows"], count = 1): Promise<void> {
  await until(async () => {
    const [row] = await rows<{ n: string }>(
      "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return Number(row?.n) >= count;
  }, `${count} sessions to wait for a lock`);
}

/**
 * Resolves once every transaction that is open now has ended: they come and go all the time, and one that lasts as long
 * as somebody's thinking keeps this waiting until the test fails.
 */
export async function transactionsEnd(rows: Engine["rows"]): Promise<void> {
  const [now] = await rows<{ now: string }>("select clock_timestamp()::text as now");
  await until(async () => {
    const open = await rows(
      "select 1 from pg_stat_activity where datname = current_database() and xact_start <= ?::timestamptz",
      [now?.now ?? ""],
    );
    return open.length === 0;
  }, "the open transactions to end");
}

/** Whether a promise is still pending after everything that is ready to run has run. */
export async function isPendingStill(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol("waiting");
  const tick = new Promise((resolve) => setImmediate(() => resolve(waiting)));
  return (await Promise.race([promise.catch(() => null), tick])) === waiting;
}

/** @returns lanes of stage `in` that count wrongly, are still leased, or hold what nobody would ever work (I4). */
export async function stranded(rows: Engine["rows"]): Promise<string[]> {
  const found = await rows<{ lane_key: string }>(
    `select lane_key from whatsapp_lanes l where stage = 'in' and (lease_token is not null or ready_at is not null
       or pending <> (select count(*) from whatsapp_events e where e.lane_key = l.lane_key and e.state = 0))
     union all select lane_key from whatsapp_events where state = 0`,
  );
  return found.map(({ lane_key }) => lane_key);
}

afterEveryTest(async () => {
  for (const client of holders) await client.end().catch(() => {});
  holders.clear();
});
