/** What `migrateDown` would take away, counted, so that a person can decide. */
import type { Knex } from "knex";
import { otherInstallations } from "./20261122000001-host-tables.ts";
import { TABLES } from "./20261122000007-row-level-security.ts";
import { quoteName, type Schemas } from "./names.ts";

/** What `migrateDown` would take away. */
export type DownPlan = {
  /** Tables that would go, ours and those of the host that we had to create, with the rows they hold. */
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  /** Columns that we added to the host's tables, as `messages.status`, and that would go. */
  readonly columns: readonly string[];
  /** Other schemas in which we are installed: for them what we added to the host's tables stays, and none of it is in this plan. */
  readonly keptFor: readonly string[];
};

export async function planDown(knex: Knex, { schema, hostSchema }: Schemas): Promise<DownPlan> {
  const remembered = await hostChanges(knex, quoteName(schema, "whatsapp_host_changes"));
  const keptFor = remembered.length === 0 ? [] : await otherInstallations(knex, schema);
  const changes = keptFor.length > 0 ? [] : remembered;
  const created = changes.filter(({ kind }) => kind === "table").map(({ table_name }) => table_name);
  const names = [
    ...TABLES.map((table) => quoteName(schema, table)),
    ...created.map((table) => quoteName(hostSchema, table)),
  ];
  const counted = [];
  // One after the other: it is one connection.
  for (const name of names) counted.push(await countRows(knex, name));
  return {
    tables: counted.filter((table) => table !== undefined),
    columns: changes
      .filter(({ kind, table_name }) => kind === "column" && !created.includes(table_name))
      .map(({ table_name, object_name }) => `${table_name}.${object_name}`),
    keptFor,
  };
}

type Change = { readonly kind: string; readonly table_name: string; readonly object_name: string };

async function hostChanges(knex: Knex, ledger: string): Promise<readonly Change[]> {
  if (!(await exists(knex, ledger))) return [];
  return (await knex.raw(`select kind, table_name, object_name from ${ledger} order by id`)).rows;
}

async function countRows(knex: Knex, name: string): Promise<{ name: string; rows: number } | undefined> {
  if (!(await exists(knex, name))) return undefined;
  const counted = await knex.raw(`select count(*) as rows from ${name}`);
  return { name: name.replaceAll('"', ""), rows: Number(counted.rows[0].rows) };
}

async function exists(knex: Knex, name: string): Promise<boolean> {
  return (await knex.raw("select to_regclass(?) is not null as found", [name])).rows[0].found;
}
