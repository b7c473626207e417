/** The host's knex as a plain SQL door: one connection at a time, short transactions, errors that say what is known. */
import { createHash } from "node:crypto";
import type { Knex } from "knex";
import { ChannelError } from "../../plugin/errors.ts";

export type Row = Readonly<Record<string, unknown>>;

export type Queries = { query<T = Row>(sql: string, params?: readonly unknown[]): Promise<readonly T[]> };

/**
 * One connection inside a transaction. Statements run in the order of the calls; what is called before the call before it
 * has answered travels with it, where the client library can do that, and saves a round trip. After a failure nothing
 * that follows is carried out, unless it is caught and the savepoint restored; else the transaction rejects with that failure.
 */
export type Tx = Queries & {
  /** A statement whose rows nobody wants: nobody need wait for it either, before the transaction ends. */
  send(sql: string, params?: readonly unknown[]): void;
};

export type Database = Queries & {
  /** One statement that may have to wait for others: with timeouts on the server's side, and all in one round trip. */
  bounded<T = Row>(sql: string, params?: readonly unknown[]): Promise<readonly T[]>;
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
  /** For reports and erasure: tables may be read from end to end. */
  readonly readsWholeTables?: boolean;
};

type PgConnection = {
  query(config: { name?: string; text: string; values?: unknown[]; types: typeof TYPES }): Promise<{ rows: unknown[] }>;
  /** knex discards a pooled connection that carries this mark. */
  __knex__disposed?: unknown;
  /** Whether a query is sent before the one before it was answered. Since pg 8.23. */
  pipeline?: boolean;
  connection?: { stream?: { destroy(): void; cork?(): void; uncork?(): void } };
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
  const [schema, hostSchema] = [quoted(options.schema), quoted(options.hostSchema)];
  const { acquireTimeoutMs = 1_500, statementTimeoutMs = 10_000 } = options;
  // Our look-ups are by whole keys, and a plan is kept: one that reads a table or an index from end to end because it was
  // small when the plan was made would do so until the table is analysed.
  const byIndex = options.readsWholeTables === true ? [] : ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"];
  // Compiled anew on every run: ours are many short ones, even where a table is read from end to end.
  const without = ["jit", ...byIndex].map((one) => `set local ${one} = off; `).join("");
  const begin =
    `begin isolation level read committed; ${without}set local statement_timeout = ${statementTimeoutMs}; ` +
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

  /** @param run `isWritten` resolves once all statements are called and the transaction is to be committed. */
  const inTransaction = <T>(
    run: (
      line: Line,
      connection: PgConnection,
    ) => { readonly result: Promise<T>; readonly isWritten: Promise<unknown> },
  ): Promise<T> =>
    preparedOrNot(() =>
      withConnection((connection) =>
        inOneLine(connection, async (line) => {
          try {
            line.tell(() => connection.query({ text: begin, types: TYPES }));
            const { result, isWritten } = run(line, connection);
            await isWritten;
            const committed = line.ask(() => connection.query({ text: "commit", types: TYPES }));
            line.end();
            await committed;
            // A COMMIT that follows a failed statement rolls back, and says nothing of it. Both answers may come in one packet, and
            // then this is reached before the failure is.
            await line.settled();
            line.throwUnheard();
            return await result;
          } catch (error) {
            line.end();
            await line.settled();
            await connection.query({ text: "rollback", types: TYPES }).catch((broken: unknown) => {
              connection.__knex__disposed = broken;
            });
            throw line.originOf(error);
          }
        }),
      ),
    ).catch(explain);

  return {
    name: (table) => `${schema}."${table}"`,
    hostName: (table) => `${hostSchema}."${table}"`,

    query: <T>(sql: string, params?: readonly unknown[]) =>
      preparedOrNot(() => withConnection((connection) => query<T>(connection, sql, params))).catch(explain),

    bounded: <T>(sql: string, params?: readonly unknown[]) =>
      inTransaction((line, connection) => {
        const rows = line.ask(() => query<T>(connection, sql, params));
        return { result: rows, isWritten: Promise.resolve() };
      }),

    transaction: <T>(run: (tx: Tx) => Promise<T>) =>
      inTransaction((line, connection) => {
        const result = run({
          query: (sql, params) => line.ask(() => query(connection, sql, params)),
          send: (sql, params) => line.tell(() => query(connection, sql, params)),
        });
        return { result, isWritten: result };
      }),
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQLSTATE of every statement between a failure and the rollback. */
const TRANSACTION_FAILED = "25P02";

const tooLate = () => new Error("The transaction is over: this statement came too late.");

type Line = {
  /** Runs after everything before it; whoever asks hears of its failure, and may live with it (a savepoint). */
  ask<T>(run: () => Promise<T>): Promise<T>;
  /** Runs after everything before it; nobody hears of its failure before the transaction ends. */
  tell(run: () => Promise<unknown>): void;
  /** Takes nothing more: what came after the end would be carried out by itself, on a connection that others may have by then. */
  end(): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<unknown>;
  /** Throws what a statement that nobody waited for has rejected with, if any has. */
  throwUnheard(): void;
  /** @returns what failed first, where `error` only says that something has. */
  originOf(error: unknown): unknown;
};

/**
 * One statement after the other: in the client library's own pipeline where it has one, for as long as the connection is
 * ours, and else by waiting for each.
 * @see https://node-postgres.com/features/pipelining
 */
async function inOneLine<T>(connection: PgConnection, run: (line: Line) => Promise<T>): Promise<T> {
  const asTheHostHasIt = connection.pipeline;
  const canSendAhead = typeof asTheHostHasIt === "boolean";
  let last: Promise<unknown> = Promise.resolve();
  const failures: { readonly error: unknown; readonly isHeard: boolean }[] = [];
  let isOver = false;
  let isCorked = false;
  /** What is called in one go leaves in one packet. */
  function cork(): void {
    const stream = connection.connection?.stream;
    if (isCorked || stream?.cork === undefined) return;
    isCorked = true;
    stream.cork();
    process.nextTick(() => {
      isCorked = false;
      stream.uncork?.();
    });
  }
  function next<R>(start: () => Promise<R>, isHeard: boolean): Promise<R> {
    if (canSendAhead) cork();
    const result = canSendAhead ? start() : last.then(start);
    const noted = result.catch((error: unknown) => failures.push({ error, isHeard }));
    last = last.then(() => noted);
    return result;
  }
  const line: Line = {
    ask: (start) => (isOver ? Promise.reject(tooLate()) : next(start, true)),
    end() {
      isOver = true;
    },
    tell(start) {
      if (isOver) throw tooLate();
      void next(start, false);
    },
    settled: () => last,
    throwUnheard() {
      const unheard = failures.find(({ isHeard }) => !isHeard);
      if (unheard !== undefined) throw unheard.error;
    },
    originOf(error) {
      const at = failures.findIndex((one) => one.error === error);
      const isConsequence = (one: unknown) => (one as { code?: unknown } | null)?.code === TRANSACTION_FAILED;
      if (!isConsequence(error)) return error;
      return failures.slice(0, at).findLast((one) => !isConsequence(one.error))?.error ?? error;
    },
  };
  if (canSendAhead) connection.pipeline = true;
  try {
    return await run(line);
  } finally {
    if (canSendAhead) connection.pipeline = asTheHostHasIt;
  }
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
