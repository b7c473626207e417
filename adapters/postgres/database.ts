/** The host's knex as a plain SQL door: one connection at a time, short transactions, errors that say what is known. */
import { createHash } from "node:crypto";
import type { Knex } from "knex";
import { ChannelError } from "../../plugin/errors.ts";

export type Row = Readonly<Record<string, unknown>>;

/** One connection inside a transaction. */
export type Tx = { query<T = Row>(sql: string, params?: readonly unknown[]): Promise<readonly T[]> };

export type Database = Tx & {
  /** Runs in one READ COMMITTED transaction. A lost COMMIT rejects: the outcome is then unknown. */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  /** `name("whatsapp_lanes")` → the qualified, quoted name of a table of ours. */
  name(table: string): string;
  /** The same for a table of the host's. */
  hostName(table: string): string;
};

export type DatabaseOptions = {
  readonly schema: string;
  readonly hostSchema: string;
  /** How long to wait for a free connection before the caller hears STORE_UNAVAILABLE. */
  readonly acquireTimeoutMs?: number;
  /** How long one statement, one lock and one idle moment inside a transaction may take. */
  readonly statementTimeoutMs?: number;
};

type PgConnection = {
  query(config: { name?: string; text: string; values?: unknown[]; types: typeof TYPES }): Promise<{ rows: unknown[] }>;
  /** knex discards a pooled connection that carries this mark. */
  __knex__disposed?: unknown;
  connection?: { stream?: { destroy(): void } };
};

/** Our own parsers: a host may have changed pg's for the whole process. Ids stay text; JavaScript cannot hold a bigint. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  21: Number,
  23: Number,
  114: (text) => JSON.parse(text),
  700: Number,
  701: Number,
  1114: (text) => new Date(`${text.replace(" ", "T")}Z`),
  1184: (text) => new Date(text),
  1700: Number,
  3802: (text) => JSON.parse(text),
};
const asIs = (text: string) => text;
const TYPES = { getTypeParser: (oid: number) => PARSERS[oid] ?? asIs };

/**
 * The statement is unknown here or known already (a pooler gave us another server connection), or its result has
 * changed (a newer version has added a column).
 */
const PREPARED_IS_STALE = new Set(["26000", "42P05", "0A000"]);

export function createDatabase(knex: Knex, options: DatabaseOptions): Database {
  const { acquireTimeoutMs = 1_500, statementTimeoutMs = 10_000 } = options;
  const begin =
    `begin isolation level read committed; set local statement_timeout = ${statementTimeoutMs}; ` +
    `set local lock_timeout = ${statementTimeoutMs}; set local idle_in_transaction_session_timeout = ${statementTimeoutMs}`;

  async function withConnection<T>(run: (connection: PgConnection) => Promise<T>): Promise<T> {
    const connection = await acquire(knex, acquireTimeoutMs);
    // The server's own timeouts cannot help when the network has gone silent.
    const watchdog = setTimeout(() => {
      connection.__knex__disposed = new Error("Postgres did not answer in time.");
      connection.connection?.stream?.destroy();
    }, statementTimeoutMs * 3);
    try {
      return await run(connection);
    } catch (error) {
      // The server says goodbye before the socket closes: nobody else should get this connection in between.
      if (endsConnection(error)) connection.__knex__disposed = error;
      throw error;
    } finally {
      clearTimeout(watchdog);
      await knex.client.releaseConnection(connection);
    }
  }

  // Parsing and planning cost more than carrying out most of our statements, so each is prepared once per connection.
  const statements = new Map<string, string>();
  let prepare = true;
  const query = async <T>(connection: PgConnection, sql: string, params: readonly unknown[] = []) => {
    const name = statements.get(sql) ?? `whatsapp_${createHash("sha256").update(sql).digest("hex").slice(0, 24)}`;
    statements.set(sql, name);
    const named = prepare ? { name } : {};
    const result = await connection.query({ ...named, text: sql, values: params as unknown[], types: TYPES });
    return result.rows as readonly T[];
  };

  /** Once more without them where prepared statements are no good: behind a transaction pooler, or after a migration. */
  async function preparedOrNot<T>(run: () => Promise<T>): Promise<T> {
    const wasPrepared = prepare;
    try {
      return await run();
    } catch (error) {
      if (!wasPrepared || !PREPARED_IS_STALE.has((error as { code?: string }).code ?? "")) throw error;
      prepare = false;
      return run();
    }
  }

  return {
    name: (table) => `"${options.schema}"."${table}"`,
    hostName: (table) => `"${options.hostSchema}"."${table}"`,

    query: <T>(sql: string, params?: readonly unknown[]) =>
      preparedOrNot(() => withConnection((connection) => query<T>(connection, sql, params))).catch(explain),

    transaction: <T>(run: (tx: Tx) => Promise<T>) =>
      preparedOrNot(() =>
        withConnection(async (connection) => {
          try {
            await connection.query({ text: begin, types: TYPES });
            const result = await run({ query: (sql, params) => query(connection, sql, params) });
            await connection.query({ text: "commit", types: TYPES });
            return result;
          } catch (error) {
            await connection.query({ text: "rollback", types: TYPES }).catch((broken: unknown) => {
              connection.__knex__disposed = broken;
            });
            throw error;
          }
        }),
      ).catch(explain),
  };
}

async function acquire(knex: Knex, timeoutMs: number): Promise<PgConnection> {
  // A pool that is being destroyed would keep the request, and with it the host's process, for a minute.
  if (knex.client.pool?.destroyed === true)
    throw new ChannelError("STORE_UNAVAILABLE", "The host has destroyed its knex.", { retry: "backoff" });
  const pending: Promise<PgConnection> = knex.client.acquireConnection();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new ChannelError("STORE_UNAVAILABLE", "No database connection came free in time.", { retry: "backoff" }),
        ),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([pending, timeout]);
  } catch (error) {
    // One that arrives too late goes back to the pool.
    pending.then((late) => knex.client.releaseConnection(late)).catch(() => undefined);
    if (error instanceof ChannelError) throw error;
    throw new ChannelError("STORE_UNAVAILABLE", "The database cannot be reached.", { retry: "backoff", cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * SQLSTATE classes that speak of the server and not of the statement: connection, resources, operator, system, and
 * transactions that another one got in the way of.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SERVER_TROUBLE = /^(?:08|53|57|58|40)|^55P03$/;

function endsConnection(error: unknown): boolean {
  const { severity, code } = error as { severity?: unknown; code?: unknown };
  if (severity === undefined) return looksLikeSocket(error);
  return severity === "FATAL" || severity === "PANIC" || (typeof code === "string" && code.startsWith("08"));
}

/** Errors without an SQLSTATE come from the socket: the outcome is unknown, which is what STORE_UNAVAILABLE says. */
function explain(error: unknown): never {
  if (error instanceof ChannelError) throw error;
  const state = (error as { code?: unknown }).code;
  const isSqlState = typeof state === "string" && /^[0-9A-Z]{5}$/.test(state) && "severity" in (error as object);
  if (isSqlState && !SERVER_TROUBLE.test(state)) throw error;
  if (!isSqlState && !looksLikeSocket(error)) throw error;
  throw new ChannelError("STORE_UNAVAILABLE", "The database did not carry out the statement.", {
    retry: "backoff",
    cause: error,
  });
}

function looksLikeSocket(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    (typeof code === "string" && /^E[A-Z]+$/.test(code)) ||
    (typeof message === "string" && /connection|socket|terminated|not queryable|timeout/i.test(message))
  );
}
