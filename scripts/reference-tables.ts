/** docs/reference/tables.md, from a migrated database: every table and column as Postgres knows it. */
import { manifest } from "@omniops/whatsapp";
import type { Knex } from "knex";
import { markdownTable } from "./markdown-table.ts";

/** What each table is for; what it holds of people, and how long, is in docs/privacy.md. */
const PURPOSES: Readonly<Record<string, string>> = {
  whatsapp_alarms: "What is raised now, so that each alarm is told once by one instance.",
  whatsapp_connections: "A business number bound to a tenant: its state, its profile, its sealed PIN, and its pauses.",
  whatsapp_contact_aliases:
    "Other identities under which a person has been known: numbers and user ids, which of them were left and until when, and conversations that the host has deleted.",
  whatsapp_contacts: "Somebody who writes to one number, and their conversation in the host's inbox.",
  whatsapp_erased_messages: "Hashes of the messages of people who were erased, so that a redelivery is known.",
  whatsapp_erasures: "Requests of Meta's to delete somebody's data, by a code that the person can look up.",
  whatsapp_events: "Each change in a delivery, once: what it is and whether it was applied.",
  whatsapp_host_changes: "What the migrations added to the host's tables, so that `down` takes back nothing else.",
  whatsapp_host_events: "What `onEvent` has yet to hear, in order.",
  whatsapp_lanes: "What there is to do: one row per conversation and stage, and per file, with its lease.",
  whatsapp_media:
    "A file that was sent or received: what it is and where its bytes are. The bytes are in the media store.",
  whatsapp_media_leftovers: "Keys of files whose row is gone and whose bytes are still to be removed.",
  whatsapp_media_uploads: "Which bytes Meta has already, by their checksum, so that they are uploaded once.",
  whatsapp_migrations: "Which migrations were applied: Knex's ledger.",
  whatsapp_migrations_lock: "Knex's lock on the ledger.",
  whatsapp_oauth_states: "Sign-ins that have begun: one-time states, as hashes.",
  whatsapp_oauth_tokens: "Access tokens, sealed, with their end and their scopes.",
  whatsapp_onboardings: "A connection in the making: which steps are done, so that it can be gone on with.",
  whatsapp_outbox: "Each message to be sent, with its state: one row per part.",
  whatsapp_paces: "How fast a number has sent a moment ago. Unlogged.",
  whatsapp_preferences: "Who wants no marketing.",
  whatsapp_send_attempts: "Each try to send a part, written before the request leaves.",
  whatsapp_sends: "A call of `send`, or a turn's answer, with its idempotency key and what was degraded.",
  whatsapp_sessions: "The 24-hour window of each conversation.",
  whatsapp_templates: "The templates of each account, as Meta listed them last.",
  whatsapp_turns: "What the AI was asked, and how that ended.",
  whatsapp_upkeep:
    "When the upkeep is next due, so that one instance does it; and since when old rows should be gone, where some are not.",
  whatsapp_webhooks: "Each delivery as it came, byte for byte.",
};

/** Of the host's tables: what must be there already, what is added, and what must let us write. As migrations/host-table-fit.ts looks. */
const HOST_TABLES = markdownTable(
  ["where it is there, it", "must have", "gets where it lacks them", "and of its other columns"],
  [
    [
      "`customer_configs`",
      "`id`",
      "`whatsapp_enabled`, `whatsapp_phone_number`, `whatsapp_phone_number_id`, `whatsapp_business_account_id`, `whatsapp_provider`, `whatsapp_connected_at`, `whatsapp_oauth_metadata`",
      "nothing: no row is added",
    ],
    [
      "`conversations`",
      "`id`",
      "`customer_config_id`, `channel`, `channel_metadata`",
      "each may be null or has a default, but `session_id`: as a text it gets the conversation's id",
    ],
    [
      "`messages`",
      "`id`, `conversation_id`, `role`, `content`, `created_at`",
      "`status`, `media_type`, `media_url`, `external_id`, `channel_metadata`",
      "each may be null or has a default",
    ],
  ],
);

type Column = {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly standard: string | null;
};

/** @param knex on a database with our migrations and without a host's tables before them. */
export async function tablesPage(knex: Knex): Promise<string> {
  const { owned, extended } = manifest.tables;
  const columns = await readColumns(knex, [...owned, ...extended]);
  const sheets = owned.map((table) => `## ${table}\n\n${PURPOSES[table] ?? ""}\n\n${sheetOf(columns, table)}`);
  const host = extended.map((table) => `## ${table}\n\n${sheetOf(columns, table)}`);
  return `# Tables

Written by \`npm run reference\` from a migrated database; a test compares the two. What is stored of people, and for how long: [privacy.md](../privacy.md). Read them freely; write only what
[operating.md](../operating.md) tells you to.

${sheets.join("\n\n")}

# The host's tables

Made where they are missing, with the columns below and row level security on, as on ours. Where they are there they are extended, and \`whatsapp-channel migrate down\` takes away what was added.

${HOST_TABLES}

- The \`id\` of a customer and of a conversation is a \`uuid\`, and so are \`customer_config_id\` and \`conversation_id\`. That of a message may be of another type if it has a default. A \`uuid\`
  of a conversation or a message that has none gets \`gen_random_uuid()\`.
- Texts are \`text\`, \`varchar\` or \`citext\`. \`role\` may be an enum that knows \`user\` and \`assistant\`, \`channel\` one that knows \`whatsapp\`. \`channel_metadata\` is \`jsonb\`,
  \`created_at\` of a message a timestamp with or without its time zone.
- \`media_type\`, \`media_url\` and \`external_id\` may be null, also where they were there before; so may the columns of \`customer_configs\`, but \`whatsapp_enabled\`, which is a \`boolean\`.
- A \`varchar\` is long enough: \`content\` for 65536 characters, \`external_id\` and \`media_url\` for 128, \`session_id\` for 36, numbers and Meta's ids for 32, the others for our words.
- A check of one column takes our words: \`whatsapp\`, \`user\` and \`assistant\`, the kinds of media, and of \`status\` all that a message becomes.

Not looked at, because only a row shows it: checks over several columns, of a domain or of how long a text is, foreign keys, unique indexes, triggers. Where one of these refuses a
row of ours, its event ends as a dead letter; mend it and redrive.

The role that runs the host must be let in: by rights, and by a policy where row level security on these tables holds for it (\`create policy whatsapp on messages to app using (true) with check (true)\`).
\`start()\` and [the doctor](../doctor.md#host-tables) say what is lacking.

What does not fit is named, column by column and with its fix, by [\`HOST_TABLE_INCOMPATIBLE\`](../errors.md#host_table_incompatible), and nothing is changed. Ask first:
\`npx whatsapp-channel migrate --plan\`.

${host.join("\n\n")}
`;
}

async function readColumns(knex: Knex, tables: readonly string[]): Promise<readonly Column[]> {
  const { rows } = await knex.raw(
    `select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as "isNullable",
       case when a.attidentity <> '' then 'generated' else pg_get_expr(d.adbin, d.adrelid) end as standard
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relname = any(?) and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by c.relname, a.attnum`,
    [[...tables]],
  );
  return rows as readonly Column[];
}

function sheetOf(columns: readonly Column[], table: string): string {
  const rows = columns
    .filter((column) => column.table === table)
    .map(({ name, type, isNullable, standard }) => {
      const value = standard === null ? "" : `\`${standard.replaceAll("|", "\\|")}\``;
      return [`\`${name}\``, type, isNullable ? "yes" : "", value];
    });
  return markdownTable(["column", "type", "may be null", "default"], rows);
}
