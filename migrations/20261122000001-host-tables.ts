/** Extends the host's three tables, creates them in a minimal form only where missing, and remembers which it did. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

type HostTable = {
  readonly table: string;
  /** Used only where the host has no such table. */
  readonly minimal: Readonly<Record<string, string>>;
  readonly columns: Readonly<Record<string, string>>;
  /** Index name → definition; on a table that has rows it covers WhatsApp's rows only. */
  readonly indexes: Readonly<Record<string, string>>;
};

const HOST_TABLES: readonly HostTable[] = [
  {
    table: "customer_configs",
    minimal: {
      id: "uuid primary key default gen_random_uuid()",
      domain: "text",
      created_at: "timestamptz not null default now()",
    },
    columns: {
      whatsapp_enabled: "boolean not null default false",
      whatsapp_phone_number: "text",
      whatsapp_phone_number_id: "text",
      whatsapp_business_account_id: "text",
      whatsapp_provider: "text",
      whatsapp_connected_at: "timestamptz",
      whatsapp_oauth_metadata: "jsonb",
    },
    indexes: {},
  },
  {
    table: "conversations",
    minimal: {
      id: "uuid primary key default gen_random_uuid()",
      customer_config_id: "uuid",
      created_at: "timestamptz not null default now()",
    },
    columns: {
      customer_config_id: "uuid",
      channel: "text not null default 'web'",
      channel_metadata: "jsonb not null default '{}'::jsonb",
    },
    indexes: {},
  },
  {
    table: "messages",
    minimal: {
      id: "uuid primary key default gen_random_uuid()",
      conversation_id: "uuid not null",
      role: "text not null",
      content: "text not null",
      created_at: "timestamptz not null default now()",
    },
    columns: {
      status: "text",
      media_type: "text",
      media_url: "text",
      external_id: "text",
      channel_metadata: "jsonb",
    },
    indexes: {
      whatsapp_messages_external_id: "(external_id) where external_id is not null",
    },
  },
];

/** What is ours in the host's tables. */
export const HOST_COLUMNS = HOST_TABLES.flatMap(({ table, columns }) =>
  Object.entries(columns).map(([column, definition]) => ({ table, column, definition })),
);

export const hostTables = {
  name: "20261122000001_host_tables",

  async up(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
    const ledger = quoteName(schema, "whatsapp_host_changes");
    await knex.raw(`create table ${ledger} (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('table', 'column', 'default', 'index')),
      table_name text not null,
      object_name text not null,
      created_at timestamptz not null default now())`);
    const remember = (kind: string, table: string, object: string) =>
      knex.raw(`insert into ${ledger} (kind, table_name, object_name) values (?, ?, ?)`, [kind, table, object]);

    for (const { table, minimal, columns, indexes } of HOST_TABLES) {
      const name = quoteName(hostSchema, table);
      const isNew = !(await relationExists(knex, name));
      if (isNew) {
        const definitions = Object.entries(minimal).map(([column, definition]) => `${column} ${definition}`);
        await knex.raw(`create table ${name} (${definitions.join(", ")})`);
        await remember("table", table, table);
      }
      for (const [column, definition] of Object.entries(columns)) {
        const isThere = isNew ? Object.hasOwn(minimal, column) : (await columnOf(knex, name, column)) !== undefined;
        if (isThere) continue;
        await knex.raw(`alter table ${name} add column ${quoteName(column)} ${definition}`);
        await remember("column", table, column);
      }
      for (const [index, definition] of Object.entries(indexes)) {
        if (await relationExists(knex, quoteName(hostSchema, index))) continue;
        await knex.raw(`create index ${quoteName(index)} on ${name} ${definition}`);
        await remember("index", table, index);
      }
    }
    // Rows of ours have no id of their own; a host that makes ids in its code may have left the default out.
    for (const table of ["conversations", "messages"]) {
      const name = quoteName(hostSchema, table);
      const id = await columnOf(knex, name, "id");
      if (id === undefined || id.type !== "uuid" || id.filled) continue;
      await knex.raw(`alter table ${name} alter column id set default gen_random_uuid()`);
      await remember("default", table, "id");
    }
  },

  /**
   * Takes back what `up` added, newest first; a table or column that was there before stays, and all of it where an installation in
   * another schema needs it too.
   */
  async down(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
    const ledger = quoteName(schema, "whatsapp_host_changes");
    const others = await otherInstallations(knex, schema);
    const changes = await knex.raw(`select kind, table_name, object_name from ${ledger} order by id desc`);
    for (const change of (others.length > 0 ? [] : changes.rows) as {
      kind: string;
      table_name: string;
      object_name: string;
    }[]) {
      const table = quoteName(hostSchema, change.table_name);
      if (change.kind === "index") await knex.raw(`drop index if exists ${quoteName(hostSchema, change.object_name)}`);
      if (change.kind === "column")
        await knex.raw(`alter table if exists ${table} drop column if exists ${quoteName(change.object_name)}`);
      if (change.kind === "default" && (await columnOf(knex, table, change.object_name)) !== undefined)
        await knex.raw(`alter table ${table} alter column ${quoteName(change.object_name)} drop default`);
      if (change.kind === "table") await knex.raw(`drop table if exists ${table}`);
    }
    await knex.raw(`drop table ${ledger}`);
  },
};

/** Schemas of this database in which we are installed as well: perhaps for the same tables of the host's. */
export async function otherInstallations(knex: Sql, schema: string): Promise<readonly string[]> {
  const found = await knex.raw(
    `select n.nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relname = 'whatsapp_host_changes' and c.relkind = 'r' and n.nspname <> ? order by 1`,
    [schema],
  );
  return found.rows.map((row: { schema: string }) => row.schema);
}

async function relationExists(knex: Sql, name: string): Promise<boolean> {
  const found = await knex.raw("select to_regclass(?) is not null as found", [name]);
  return found.rows[0].found;
}

/** From the catalogue: information_schema hides what this user may not read. */
async function columnOf(
  knex: Sql,
  table: string,
  column: string,
): Promise<{ readonly type: string; readonly filled: boolean } | undefined> {
  const found = await knex.raw(
    `select trim(both '"' from format_type(atttypid, null)) as type, atthasdef or attidentity <> '' as filled
     from pg_attribute where attrelid = to_regclass(?) and attname = ? and attnum > 0 and not attisdropped`,
    [table, column],
  );
  return found.rows[0];
}
