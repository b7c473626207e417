/** Our migrations as code, run in the host's database under our own ledger and one advisory lock. */
import type { Knex } from "knex";
import { otherInstallations } from "./20261122000001-host-tables.ts";
import { MIGRATION_NAMES, MIGRATIONS } from "./all.ts";
import { assertHostTablesFit } from "./host-table-fit.ts";
import { LOCK_TIMEOUT, type Migration, makeWay } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";
import { assertIndexIsWhole, assertNamesAreFree } from "./names-taken.ts";
import { plainTransaction } from "./plain-transaction.ts";
import { type MigrationPlan, toScript, writeDown } from "./plan.ts";
import { type DownPlan, planDown } from "./what-down-deletes.ts";

export type { DownPlan, MigrationPlan };

const LEDGER = "whatsapp_migrations";

/** Where the tables are. */
export type MigrateOptions = {
  /** Schema of our tables, created when missing. Default `public`. */
  readonly schema?: string;
  /** Schema of the host's `customer_configs`, `conversations` and `messages`. Default `public`. */
  readonly hostSchema?: string;
};

/** Where the tables are, and whether the plan is for building them or for taking them away. */
export type PlanOptions = MigrateOptions & {
  /** `up`: what {@link migrate} would run. `down`: what {@link migrateDown} would. Default `up`. */
  readonly direction?: "up" | "down";
};

/** Which migrations are applied, by their names, in order. */
export type MigrationStatus = {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Recorded by a newer version of this package: left alone. */
  readonly unknown: readonly string[];
};

/**
 * Brings the database up to this version. Safe to run from any number of processes at once: all but one wait, then find
 * nothing to do. All or nothing: it runs in one transaction.
 * @returns the names applied by this call, none when everything was there.
 * @throws Error with code `HOST_TABLE_INCOMPATIBLE` that names every column we could not write to, or every table that has
 * the name of one of ours, and the fix; with `MIGRATIONS_HIDDEN` where row level security hides our ledger from this user;
 * with Postgres' `55P03` where somebody does not let go of a table.
 */
export async function migrate(knex: Knex, options: MigrateOptions = {}): Promise<readonly string[]> {
  return underLock(knex, options, async (trx, schemas, config) => {
    const status = await statusOf(trx, schemas);
    await assertNothingInTheWay(trx, schemas, status.applied);
    await createSchema(trx, schemas);
    await beforeUp(trx, schemas, status);
    const [, applied] = (await trx.migrate.latest(config)) as [number, string[]];
    return applied;
  });
}

/**
 * What is applied, what is still to come, and what a newer version left here. Changes nothing.
 * @throws Error with code `MIGRATIONS_HIDDEN`.
 */
export async function migrationStatus(knex: Knex, options: MigrateOptions = {}): Promise<MigrationStatus> {
  return plainTransaction(knex, (trx) => statusOf(trx, schemasOf(options)), { readOnly: true });
}

async function statusOf(trx: Sql, schemas: Schemas): Promise<MigrationStatus> {
  const recorded = await recordedIn(trx, schemas);
  return {
    applied: MIGRATION_NAMES.filter((name) => recorded.includes(name)),
    pending: MIGRATION_NAMES.filter((name) => !recorded.includes(name)),
    unknown: recorded.filter((name) => !MIGRATION_NAMES.includes(name)),
  };
}

/**
 * The names in our ledger.
 * @throws Error with code `MIGRATIONS_HIDDEN`: to a role that row level security hides it from, our tables would be somebody else's.
 */
async function recordedIn(knex: Sql, { schema }: Schemas): Promise<readonly string[]> {
  const ledger = quoteName(schema, LEDGER);
  const [{ found, secured, user }] = (
    await knex.raw(
      "select to_regclass(?) is not null as found, row_security_active(to_regclass(?)) as secured, current_user as user",
      [ledger, ledger],
    )
  ).rows;
  if (!found) return [];
  const recorded = await knex.raw(`select name from ${ledger} order by id`);
  // Only our migrations secure it, and those are written down in it.
  if (secured && recorded.rows.length === 0)
    throw Object.assign(
      new Error(
        `Row level security hides ${ledger} from "${user}", so nothing was done. Fix: connect as the owner of our tables, who migrated, or give this role a policy on each of them (docs/operating.md, Migrations by hand).`,
      ),
      { code: "MIGRATIONS_HIDDEN" },
    );
  return recorded.rows.map((row: { name: string }) => row.name);
}

/**
 * What {@link migrate} or {@link migrateDown} would run now, as a script that a person reviews and `psql` or any client
 * runs: it leaves the database as they would, their ledger included. It only reads, in a read-only transaction that locks
 * nothing. Made for the host's tables as they are now: where those have changed since, it fails and changes nothing.
 * @throws what `migrate` and `migrateDown` would.
 */
export async function planMigrations(
  knex: Knex,
  { direction = "up", ...options }: PlanOptions = {},
): Promise<MigrationPlan> {
  const schemas = schemasOf(options);
  return plainTransaction(
    knex,
    async (trx) => {
      const status = await statusOf(trx, schemas);
      const { applied, pending, unknown } = status;
      if (direction === "down" && unknown.length > 0) throw newerVersion(unknown);
      if (direction === "up") await assertNothingInTheWay(trx, schemas, applied);
      const migrations = direction === "up" ? pending : applied.toReversed();
      if (migrations.length === 0) return { migrations, sql: "" };
      const walk = direction === "up" ? walkUp : walkDown;
      const statements = [
        ...lockStatements(trx, schemas).map((statement) => statement.toQuery()),
        ...(await writeDown(trx, (sql) => walk(sql, schemas, status))),
      ];
      const keptFor = direction === "down" ? await otherInstallations(trx, schemas.schema) : [];
      return { migrations, sql: toScript(aboutPlan(direction, schemas, migrations, keptFor), statements) };
    },
    { readOnly: true },
  );
}

function aboutPlan(
  direction: "up" | "down",
  { schema, hostSchema }: Schemas,
  names: readonly string[],
  keptFor: readonly string[],
) {
  return [
    ...(keptFor.length === 0
      ? []
      : [`What was added to the host's tables stays: we are installed in schema ${keptFor.join(", ")} too.`]),
    `@omniops/whatsapp, migrations ${direction}: ${names.join(", ")}`,
    `Our tables in schema ${schema}, the host's in ${hostSchema}, as they were when this was written.`,
    "One transaction: it happens as a whole or not at all. Run it once, with: psql --set ON_ERROR_STOP=1 --file …",
  ].map((line) => line.replaceAll(/\s+/g, " "));
}

/** The same as knex does for {@link migrate}; a test holds the two together. */
async function walkUp(sql: Sql, schemas: Schemas, status: MigrationStatus): Promise<void> {
  const ledger = quoteName(schemas.schema, LEDGER);
  const lock = quoteName(schemas.schema, `${LEDGER}_lock`);
  await createSchema(sql, schemas);
  await beforeUp(sql, schemas, status);
  let batch = 1;
  if ((await sql.raw("select to_regclass(?) as name", [ledger])).rows[0].name === null) {
    await sql.raw(
      `create table ${ledger} (id serial primary key, name varchar(255), batch integer, migration_time timestamptz)`,
    );
    await sql.raw(`create table ${lock} ("index" serial primary key, is_locked integer)`);
    await sql.raw(`insert into ${lock} (is_locked) values (0)`);
  } else batch = (await sql.raw(`select coalesce(max(batch), 0) + 1 as next from ${ledger}`)).rows[0].next;
  for (const { name, up } of named(status.pending)) {
    await up(sql, schemas);
    await sql.raw(`insert into ${ledger} (name, batch, migration_time) values (?, ?, now())`, [name, batch]);
  }
}

async function walkDown(sql: Sql, schemas: Schemas, { applied }: MigrationStatus): Promise<void> {
  for (const { down } of named(applied).toReversed()) await down(sql, schemas);
  await dropLedger(sql, schemas);
}

/**
 * What {@link migrateDown} would delete, data included. Changes nothing.
 * @throws Error with code `MIGRATIONS_HIDDEN`.
 */
export async function whatDownDeletes(knex: Knex, options: MigrateOptions = {}): Promise<DownPlan> {
  const schemas = schemasOf(options);
  return plainTransaction(
    knex,
    async (trx) => {
      await recordedIn(trx, schemas);
      return planDown(trx, schemas);
    },
    { readOnly: true },
  );
}

/**
 * Takes everything of ours out of the database, data included. The host's tables stay, without the columns we added,
 * unless we created them. Where we are installed in another schema too, what we added to the host's tables stays for that.
 * @returns the names rolled back, newest first.
 * @throws Error with code `MIGRATION_UNKNOWN` when a newer version has been here: its tables are not ours to judge; with
 * `MIGRATIONS_HIDDEN` as {@link migrate}.
 */
export async function migrateDown(knex: Knex, options: MigrateOptions = {}): Promise<readonly string[]> {
  return underLock(knex, options, async (trx, schemas, config) => {
    const { applied, unknown } = await statusOf(trx, schemas);
    if (unknown.length > 0) throw newerVersion(unknown);
    const undone = applied.length === 0 ? [] : ((await trx.migrate.rollback(config, true)) as [number, string[]])[1];
    await dropLedger(trx, schemas);
    return undone;
  });
}

/**
 * Frees the migration lock. Ours is bound to a transaction and ends with its connection, so a crash leaves nothing
 * behind; this clears the lock row that a host's own `knex migrate` on our ledger may have left.
 */
export async function unlockMigrations(knex: Knex, options: MigrateOptions = {}): Promise<void> {
  const lock = quoteName(schemasOf(options).schema, `${LEDGER}_lock`);
  await plainTransaction(knex, async (trx) => {
    const [{ found }] = (await trx.raw("select to_regclass(?) is not null as found", [lock])).rows;
    if (found) await trx.raw(`update ${lock} set is_locked = 0`);
  });
}

function newerVersion(names: readonly string[]): Error {
  const message = `A newer version of @omniops/whatsapp has migrated this database (${names.join(", ")}): go down with that one.`;
  return Object.assign(new Error(message), { code: "MIGRATION_UNKNOWN" });
}

const SCHEMA_COMMENT = "Created by @omniops/whatsapp";

async function assertNothingInTheWay(trx: Sql, schemas: Schemas, applied: readonly string[]): Promise<void> {
  await assertHostTablesFit(trx, schemas, applied);
  if (applied.length > 0) return;
  await assertIndexIsWhole(trx, schemas);
  await assertNamesAreFree(trx, schemas);
}

/** `create schema if not exists` wants a right on the database even where there is nothing to create. */
async function createSchema(trx: Sql, { schema }: Schemas): Promise<void> {
  const found = await trx.raw("select 1 from pg_namespace where nspname = ?", [schema]);
  if (found.rows.length > 0) return;
  await trx.raw(`create schema ${quoteName(schema)}`);
  await trx.raw(`comment on schema ${quoteName(schema)} is '${SCHEMA_COMMENT}'`);
}

/** A schema that we created goes with our tables, unless somebody else has moved in. */
async function dropLedger(trx: Sql, { schema }: Schemas): Promise<void> {
  await trx.raw(`drop table if exists ${quoteName(schema, LEDGER)}, ${quoteName(schema, `${LEDGER}_lock`)}`);
  const created = await trx.raw(
    "select 1 from pg_namespace where nspname = ? and obj_description(oid, 'pg_namespace') = ?",
    [schema, SCHEMA_COMMENT],
  );
  if (created.rows.length === 0) return;
  await trx.raw(`do $$ begin drop schema ${quoteName(schema)};
    exception when dependent_objects_still_exist then null; end $$`);
}

/** A database that is new has nobody at work, and nothing left by an earlier version. */
async function beforeUp(sql: Sql, schemas: Schemas, { applied, pending }: MigrationStatus): Promise<void> {
  if (applied.length > 0) await makeWay(sql, schemas, named(pending));
}

function named(names: readonly string[]): readonly Migration[] {
  return MIGRATIONS.filter(({ name }) => names.includes(name));
}

function schemasOf(options: MigrateOptions): Schemas {
  return { schema: options.schema ?? "public", hostSchema: options.hostSchema ?? "public" };
}

/**
 * Without the lock, concurrent first installs failed 46 of 60 times: knex creates its ledger before it locks it.
 * A transaction-level lock needs one connection only and cannot outlive a crash.
 */
async function underLock<T>(
  knex: Knex,
  options: MigrateOptions,
  run: (trx: Knex.Transaction, schemas: Schemas, config: Knex.MigratorConfig) => Promise<T>,
): Promise<T> {
  const schemas = schemasOf(options);
  return plainTransaction(knex, async (trx) => {
    for (const statement of lockStatements(trx, schemas)) await statement;
    return run(trx, schemas, {
      migrationSource: {
        getMigrations: async () => [...MIGRATIONS],
        getMigrationName: (migration: Migration) => migration.name,
        getMigration: async (migration: Migration) => ({
          up: (inner: Knex) => migration.up(inner, schemas),
          down: (inner: Knex) => migration.down(inner, schemas),
        }),
      },
      tableName: LEDGER,
      schemaName: schemas.schema,
      disableTransactions: true,
      // A newer version's migrations in the ledger are not corruption: ours only ever add.
      disableMigrationsListValidation: true,
    });
  });
}

function lockStatements(trx: Knex, { schema }: Schemas): readonly Knex.Raw[] {
  return [
    trx.raw("select pg_advisory_xact_lock(hashtext(?))", [`${schema}.${LEDGER}`]),
    // On a busy host our short table locks must not make its whole chat queue up behind a long transaction.
    trx.raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`),
  ];
}
