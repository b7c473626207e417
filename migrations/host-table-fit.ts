/** Finds what would keep us from writing to the host's tables, and says it all at once, each with its fix. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

/** A column that we write: the types that take it, whether we may write null, and what an enum must know. */
type Written = { readonly types: readonly string[]; readonly nullable?: boolean; readonly values?: readonly string[] };

const UUID: Written = { types: ["uuid"] };
const TEXT: Written = { types: ["text", "character varying", "citext"] };
const JSONB: Written = { types: ["jsonb"] };
const TIME: Written = { types: ["timestamp with time zone", "timestamp without time zone"] };

type HostTable = {
  /** Must be there already, as no migration adds them. */
  readonly own: readonly string[];
  readonly written: Readonly<Record<string, Written>>;
  /** Whether we insert rows, so that every other column must do without us. */
  readonly inserted: boolean;
};

const HOST_TABLES: Readonly<Record<string, HostTable>> = {
  customer_configs: { own: ["id"], written: { id: UUID }, inserted: false },
  conversations: {
    own: ["id"],
    written: {
      id: UUID,
      customer_config_id: UUID,
      channel: { ...TEXT, values: ["whatsapp"] },
      channel_metadata: JSONB,
      // The conversation's own id, where the host asks for one.
      session_id: TEXT,
    },
    inserted: true,
  },
  messages: {
    own: ["id", "conversation_id", "role", "content", "created_at"],
    written: {
      conversation_id: UUID,
      role: { ...TEXT, values: ["user", "assistant"] },
      content: TEXT,
      status: TEXT,
      media_type: { ...TEXT, nullable: true },
      media_url: { ...TEXT, nullable: true },
      external_id: { ...TEXT, nullable: true },
      channel_metadata: JSONB,
      created_at: TIME,
    },
    inserted: true,
  },
};

type Column = {
  readonly table_name: string;
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly not_null: boolean;
  readonly filled: boolean;
};

/**
 * Runs before every `migrate`, also when nothing is pending: a host may have added a column since.
 * @throws Error with code `HOST_TABLE_INCOMPATIBLE`.
 */
export async function assertHostTablesFit(knex: Sql, { hostSchema }: Schemas): Promise<void> {
  const columns = await hostColumns(knex, hostSchema);
  const problems = Object.entries(HOST_TABLES).flatMap(([name, table]) => {
    const present = columns.filter((column) => column.table_name === name);
    return present.length === 0 ? [] : problemsOf(table, quoteName(hostSchema, name), present);
  });
  if (problems.length === 0) return;
  const message = `WhatsApp could not write to the host's tables, so nothing was changed:\n${problems.join("\n")}`;
  throw Object.assign(new Error(message), { code: "HOST_TABLE_INCOMPATIBLE" });
}

async function hostColumns(knex: Sql, hostSchema: string): Promise<readonly Column[]> {
  const found = await knex.raw(
    `select c.relname as table_name, a.attname as name, format_type(base.oid, null) as type,
       array(select e.enumlabel::text from pg_enum e where e.enumtypid = base.oid) as labels,
       a.attnotnull or t.typnotnull as not_null,
       a.atthasdef or a.attidentity <> '' or t.typdefault is not null as filled
     from pg_attribute a
       join pg_class c on c.oid = a.attrelid
       join pg_namespace n on n.oid = c.relnamespace
       join pg_type t on t.oid = a.atttypid
       join pg_type base on base.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
     where n.nspname = ? and c.relname = any(?) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
     order by c.relname, a.attnum`,
    [hostSchema, Object.keys(HOST_TABLES)],
  );
  return found.rows;
}

function problemsOf(table: HostTable, name: string, columns: readonly Column[]): readonly string[] {
  const missing = table.own.filter((own) => !columns.some((column) => column.name === own));
  return [
    ...missing.map((column) => `- ${name} has no column "${column}". Fix: add it.`),
    ...columns.flatMap((column) => {
      const problem = problemOf(table, column);
      if (problem === undefined) return [];
      const fix = `alter table ${name} alter column ${quoteName(column.name)} ${problem.fix};`;
      return [`- ${name}.${quoteName(column.name)} ${problem.what}. Fix: ${fix}`];
    }),
  ];
}

function problemOf(table: HostTable, column: Column): { readonly what: string; readonly fix: string } | undefined {
  const written = table.written[column.name];
  const fits = written === undefined || takes(column, written);
  if (!fits && (column.name !== "session_id" || (column.not_null && !column.filled)))
    return {
      what: `is ${column.type}, and WhatsApp writes ${written.values?.map((value) => `'${value}'`).join(" or ") ?? written.types[0]}`,
      fix: `type ${written.types[0]} using ${quoteName(column.name)}::text::${written.types[0]}`,
    };
  if (written?.nullable && column.not_null)
    return { what: "is NOT NULL, and WhatsApp writes null for a text", fix: "drop not null" };
  // A uuid `id` without a default gets one from the first migration.
  const ours = (written !== undefined && column.name !== "id") || (column.name === "id" && column.type === "uuid");
  if (!table.inserted || ours || !column.not_null || column.filled) return undefined;
  return { what: "is NOT NULL without a default, and WhatsApp does not fill it", fix: "set default …" };
}

function takes(column: Column, written: Written): boolean {
  const known = written.values?.every((value) => column.labels.includes(value)) ?? false;
  return written.types.includes(column.type) || known;
}
