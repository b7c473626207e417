/** Whether we can write to the host's tables as the role that we are: what is missing or kept from us there, with its fix. */
import { ChannelError } from "../../plugin/errors.ts";
import type { HostColumn, HostTrouble } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { type Guarded, heldBack } from "./row-security.ts";

type Need = { readonly commands: readonly Guarded[]; readonly for: string };

/** Every message needs the first, so that nothing works without. */
const MESSAGES = "every message";
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  customer_configs: [{ commands: ["select", "update"], for: "connecting a number" }],
  conversations: [
    { commands: ["select", "insert"], for: MESSAGES },
    { commands: ["update"], for: "erasing a person" },
  ],
  messages: [{ commands: ["select", "insert", "update"], for: MESSAGES }],
};

type Seen = { readonly oid: string | null; readonly user: string; readonly lacking: readonly Guarded[] };

export function createHostAccess(db: Database): (columns: readonly HostColumn[]) => Promise<readonly HostTrouble[]> {
  return (columns) =>
    db
      .transaction(async (tx) => {
        const troubles: HostTrouble[] = [];
        for (const [table, needs] of Object.entries(NEEDS)) {
          const ours = columns.filter((column) => column.table === table);
          troubles.push(...(await troublesOf(tx, db.hostName(table), needs, ours)));
        }
        return troubles;
      })
      .catch((error: unknown) => {
        if (!isForbidden(error)) throw error;
        const fix = "grant usage on schema … to that role;";
        return [trouble(true, "The role that we connect as may not use the schema of the host's tables.", fix)];
      });
}

async function troublesOf(
  tx: Tx,
  table: string,
  needs: readonly Need[],
  columns: readonly HostColumn[],
): Promise<readonly HostTrouble[]> {
  const commands = needs.flatMap((need) => need.commands);
  const { oid, user, lacking } = await look(tx, table, commands);
  if (oid === null)
    return [trouble(true, `${table} is not there.`, "Make it again, with the columns of docs/reference/tables.md.")];
  const there = await tx.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
    [table],
  );
  const missing = columns.filter(({ column }) => !there.some(({ name }) => name === column));
  const held = await heldBack(
    tx,
    table,
    commands.filter((command) => !lacking.includes(command)),
  );
  return [
    ...missing.map(({ column, definition }) =>
      trouble(
        true,
        `${table} has lost the column ${column}, which we had added.`,
        `alter table ${table} add column ${column} ${definition};`,
      ),
    ),
    ...forEach(needs, lacking, (some, what) =>
      trouble(
        what === MESSAGES,
        `The role ${user} may not ${some.join(", ")} on ${table}, as ${what} needs.`,
        `grant ${some.join(", ")} on ${table} to ${user};`,
      ),
    ),
    ...forEach(needs, held, (some, what) =>
      trouble(
        false,
        `Row level security on ${table} may keep the role ${user} from rows (${some.join(", ")}), as ${what} needs them.`,
        `create policy whatsapp on ${table} to ${user} using (true) with check (true); or a role that it does not hold for.`,
      ),
    ),
  ];
}

/** A right to some of a table's columns counts: those may be ours. */
async function look(tx: Tx, table: string, commands: readonly Guarded[]): Promise<Seen> {
  const [seen] = await tx.query<Seen>(
    `select c.oid::text as oid, quote_ident(current_user) as user, array(
         select command from unnest($2::text[]) as n (command)
         where not has_any_column_privilege(c.oid, command) or not has_schema_privilege(c.relnamespace, 'usage')) as lacking
     from (select to_regclass($1) as name) t left join pg_class c on c.oid = t.name`,
    [table, commands],
  );
  return seen as Seen;
}

function forEach(
  needs: readonly Need[],
  found: readonly Guarded[],
  toTrouble: (commands: readonly Guarded[], what: string) => HostTrouble,
): readonly HostTrouble[] {
  return needs.flatMap((need) => {
    const some = need.commands.filter((command) => found.includes(command));
    return some.length === 0 ? [] : [toTrouble(some, need.for)];
  });
}

function trouble(isCertain: boolean, seen: string, fix: string): HostTrouble {
  return { isCertain, seen, fix };
}

/** Insufficient privilege. */
function isForbidden(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "42501";
}

/** To be thrown instead where a statement on one of the host's tables has failed: of a right that we lack it says which table's. */
export function sayingWhichTable(table: string, error: unknown): unknown {
  if (!isForbidden(error)) return error;
  return new ChannelError(
    "HOST_TABLE_INCOMPATIBLE",
    `The role that we connect as lacks a right to ${table}, or its row level security refuses what we write: \`whatsapp-channel doctor\` says which, with the fix.`,
    { retry: "fix", cause: error },
  );
}

/** What to throw where a row of the host's is not found that row level security may hide from us; null where it hides none. */
export async function hiddenRow(tx: Tx, table: string): Promise<ChannelError | null> {
  const held = await heldBack(tx, table, ["select", "update"]);
  if (held.length === 0) return null;
  return new ChannelError(
    "HOST_TABLE_INCOMPATIBLE",
    `There is no such row in ${table}, or its row level security hides it from the role that we connect as (${held.join(", ")}): \`whatsapp-channel doctor\` says how to mend that.`,
    { retry: "fix" },
  );
}
