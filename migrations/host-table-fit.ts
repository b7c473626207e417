/** Finds what would keep us from writing to the host's tables, and says it all at once, each with its fix. */
import { HOST_COLUMNS, hostTables } from "./20261122000001-host-tables.ts";
import { checksInTheWay } from "./host-table-checks.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

type Written = {
  /** Those that take it; none: any. */
  readonly types: readonly string[];
  /** When we write null. */
  readonly nullFor?: string;
  /** All that we ever write. A column that is an enum must know them. */
  readonly words?: readonly string[];
  /** Whether an enum that knows the words is written to. */
  readonly mayBeEnum?: boolean;
  /** The longest that we write. */
  readonly length?: number;
};

const UUID: Written = { types: ["uuid"] };
const JSONB: Written = { types: ["jsonb"] };
const TIME: Written = { types: ["timestamp with time zone", "timestamp without time zone"] };
const TEXT: Written = { types: ["text", "character varying", "citext"] };

/** Words of ours, and nothing else. */
function oneOf(...words: readonly string[]): Written {
  return { ...TEXT, words, length: Math.max(...words.map((word) => word.length)) };
}

/** As long as WhatsApp lets people write. */
const LONGEST_TEXT = 65_536;
/** Meta's ids of messages are some 60 to 90 characters, the address of a file is the base path and 52. */
const LONGEST_ID = 128;
const LONGEST_NUMBER = 32;
const NOBODY = { nullFor: "a tenant without a number" };
const NO_FILE = { nullFor: "a text" };

type HostTable = {
  /** Must be there already, as no migration adds them. */
  readonly own: readonly string[];
  readonly written: Readonly<Record<string, Written>>;
  /** Whether we insert rows, so that every other column must do without us. */
  readonly inserted: boolean;
};

const HOST_TABLES: Readonly<Record<string, HostTable>> = {
  customer_configs: {
    own: ["id"],
    written: {
      id: UUID,
      whatsapp_enabled: { types: ["boolean"] },
      whatsapp_phone_number: { ...TEXT, ...NOBODY, length: LONGEST_NUMBER },
      whatsapp_phone_number_id: { ...TEXT, ...NOBODY, length: LONGEST_NUMBER },
      whatsapp_business_account_id: { ...TEXT, ...NOBODY, length: LONGEST_NUMBER },
      whatsapp_provider: { ...oneOf("meta"), ...NOBODY, mayBeEnum: true },
      whatsapp_connected_at: { ...TIME, ...NOBODY },
      whatsapp_oauth_metadata: { types: [], ...NOBODY },
    },
    inserted: false,
  },
  conversations: {
    own: ["id"],
    written: {
      id: UUID,
      customer_config_id: UUID,
      channel: { ...oneOf("whatsapp"), mayBeEnum: true },
      channel_metadata: JSONB,
      // The conversation's own id, where the host asks for one.
      session_id: { ...TEXT, length: 36 },
    },
    inserted: true,
  },
  messages: {
    own: ["id", "conversation_id", "role", "content", "created_at"],
    written: {
      conversation_id: UUID,
      role: { ...oneOf("user", "assistant"), mayBeEnum: true },
      content: { ...TEXT, length: LONGEST_TEXT },
      status: oneOf(
        ...["received", "queued", "held", "accepted", "sent", "delivered", "read", "played"],
        ...["failed", "expired", "unknown"],
      ),
      media_type: { ...oneOf("image", "video", "audio", "document", "sticker"), ...NO_FILE },
      media_url: { ...TEXT, ...NO_FILE, length: LONGEST_ID },
      external_id: { ...TEXT, ...NO_FILE, length: LONGEST_ID },
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
  /** With its length. */
  readonly whole_type: string;
  /** Of a text; null where it has none. */
  readonly length: number | null;
  readonly labels: readonly string[];
  readonly not_null: boolean;
  readonly filled: boolean;
  readonly generated: boolean;
};

/** What is in the way of a column. */
type Problem = { readonly table: string; readonly column: string; readonly what: string; readonly fix: string };

/**
 * Runs before every `migrate`, also when nothing is pending: a host may have added a column since, or taken one of ours away.
 * @param applied names of migrations: what those have added must still be there.
 * @throws Error with code `HOST_TABLE_INCOMPATIBLE`.
 */
export async function assertHostTablesFit(knex: Sql, schemas: Schemas, applied: readonly string[]): Promise<void> {
  await assertTheyCanBeTables(knex, schemas);
  const { hostSchema } = schemas;
  const columns = await hostColumns(knex, hostSchema);
  const found = Object.entries(HOST_TABLES).flatMap(([table, sheet]) => {
    const present = columns.filter((column) => column.table_name === table);
    return present.length === 0 ? [] : problemsOf(sheet, table, present);
  });
  const lines = found.map(({ table, column, what, fix }) => {
    const name = quoteName(hostSchema, table);
    if (fix === "") return `- ${name} ${what}. Fix: add it.`;
    return `- ${name}.${quoteName(column)} ${what}. Fix: alter table ${name} alter column ${quoteName(column)} ${fix};`;
  });
  const sound = WORDS.filter(({ table, column }) => !found.some((one) => one.table === table && one.column === column));
  const lost = applied.includes(hostTables.name) ? lostColumns(columns, hostSchema) : [];
  const problems = [...lines, ...lost, ...(await checksInTheWay(knex, hostSchema, sound))];
  if (problems.length === 0) return;
  throw incompatible(problems);
}

function incompatible(problems: readonly string[]): Error {
  const message = `WhatsApp could not write to the host's tables, so nothing was changed:\n${problems.join("\n")}`;
  return Object.assign(new Error(message), { code: "HOST_TABLE_INCOMPATIBLE" });
}

/** Nothing can be added to what is no table, and none be made where there is no schema; only ours is created. */
async function assertTheyCanBeTables(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
  const found = await knex.raw("select 1 from pg_namespace where nspname = ?", [hostSchema]);
  if (found.rows.length === 0 && hostSchema !== schema)
    throw Object.assign(
      new Error(
        `Is --host-schema right? The schema ${quoteName(hostSchema)} does not exist, so nothing was changed. Fix: name the one of your tables (--host-schema, hostSchema), or create it.`,
      ),
      { code: "HOST_TABLE_INCOMPATIBLE" },
    );
  const views = await knex.raw(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ? and c.relname = any(?) and c.relkind in ('v', 'm') order by 1`,
    [hostSchema, Object.keys(HOST_TABLES)],
  );
  if (views.rows.length === 0) return;
  throw incompatible(
    views.rows.map(
      ({ name }: { name: string }) =>
        `- ${quoteName(hostSchema, name)} is a view, and WhatsApp adds columns and rows. Fix: name the schema of the table behind it (--host-schema, hostSchema), or rename the view.`,
    ),
  );
}

/** Dropped or rebuilt by the host, or taken along by an installation in another schema. */
function lostColumns(present: readonly Column[], hostSchema: string): readonly string[] {
  const tables = new Set(present.map(({ table_name }) => table_name));
  return Object.keys(HOST_TABLES).flatMap((table) => {
    const name = quoteName(hostSchema, table);
    if (!tables.has(table)) return [`- ${name} is not there any more. Fix: make it again (docs/reference/tables.md).`];
    const isThere = (column: string) => present.some((one) => one.table_name === table && one.name === column);
    return HOST_COLUMNS.filter((one) => one.table === table && !isThere(one.column)).map(
      ({ column, definition }) =>
        `- ${name} has lost the column "${column}", which we had added. Fix: alter table ${name} add column ${quoteName(column)} ${definition};`,
    );
  });
}

const WORDS = Object.entries(HOST_TABLES).flatMap(([table, { written }]) =>
  Object.entries(written).flatMap(([column, { words }]) => (words === undefined ? [] : [{ table, column, words }])),
);

async function hostColumns(knex: Sql, hostSchema: string): Promise<readonly Column[]> {
  const found = await knex.raw(
    `select c.relname as table_name, a.attname as name, 
       -- Wherever the extension is; and without the quotes that a database may want everywhere.
       case base.typname when 'citext' then 'citext' else trim(both '"' from format_type(base.oid, null)) end as type,
       format_type(base.oid, greatest(a.atttypmod, t.typtypmod)) as whole_type,
       case when base.typname = 'varchar' then nullif(greatest(a.atttypmod, t.typtypmod), -1) - 4 end as length,
       array(select e.enumlabel::text from pg_enum e where e.enumtypid = base.oid) as labels,
       a.attnotnull or t.typnotnull as not_null,
       a.atthasdef or a.attidentity <> '' or t.typdefault is not null as filled,
       a.attgenerated <> '' as generated
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

function problemsOf(sheet: HostTable, table: string, columns: readonly Column[]): readonly Problem[] {
  const missing = sheet.own.filter((own) => !columns.some((column) => column.name === own));
  return [
    ...missing.map((column) => ({ table, column, what: `has no column "${column}"`, fix: "" })),
    ...columns.flatMap((column) => {
      const problem = problemOf(sheet, column);
      return problem === undefined ? [] : [{ table, column: column.name, ...problem }];
    }),
  ];
}

function problemOf(sheet: HostTable, column: Column): { readonly what: string; readonly fix: string } | undefined {
  const written = sheet.written[column.name];
  // Left empty where it cannot hold the conversation's id.
  const isNeeded = column.name !== "session_id" || (column.not_null && !column.filled);
  if (written !== undefined && isNeeded) {
    const [type = "text"] = written.types;
    if (!takes(column, written))
      return {
        what: `is ${column.type}, and WhatsApp writes ${written.mayBeEnum ? written.words?.map((word) => `'${word}'`).join(" or ") : type}`,
        fix: `type ${type} using ${quoteName(column.name)}::text::${type}`,
      };
    if (column.length !== null && written.length !== undefined && column.length < written.length)
      return {
        what: `is ${column.whole_type}, and WhatsApp writes up to ${written.length} characters`,
        fix: "type text",
      };
    if (column.generated) return { what: "is generated, and WhatsApp writes it", fix: "drop expression" };
  }
  if (written?.nullFor !== undefined && column.not_null)
    return { what: `is NOT NULL, and WhatsApp writes null for ${written.nullFor}`, fix: "drop not null" };
  // A uuid `id` without a default gets one from the first migration.
  const ours = (written !== undefined && column.name !== "id") || (column.name === "id" && column.type === "uuid");
  if (!sheet.inserted || ours || !column.not_null || column.filled) return undefined;
  return { what: "is NOT NULL without a default, and WhatsApp does not fill it", fix: "set default …" };
}

function takes(column: Column, { types, words, mayBeEnum }: Written): boolean {
  if (types.length === 0 || types.includes(column.type)) return true;
  return mayBeEnum === true && words?.every((word) => column.labels.includes(word)) === true;
}
