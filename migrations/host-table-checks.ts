/** CHECK constraints of the host's that would not let our words in: each is tried with them, and nothing is written. */
import { quoteName, type Sql } from "./names.ts";

/** Words that we write into a column of the host's. */
export type Words = { readonly table: string; readonly column: string; readonly words: readonly string[] };

type Check = {
  readonly table_name: string;
  readonly column_name: string;
  readonly type: string;
  readonly name: string;
  readonly expression: string;
};

/**
 * Of one column each: what several hold against each other is known only when a row comes.
 * @returns a line for each that stands in the way.
 */
export async function checksInTheWay(
  knex: Sql,
  hostSchema: string,
  written: readonly Words[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const check of await checksOf(knex, hostSchema, written)) {
    const { table_name, column_name, name } = check;
    const words = written.find(({ table, column }) => table === table_name && column === column_name)?.words ?? [];
    const refused = [];
    for (const word of words) if (!(await lets(knex, check, word))) refused.push(`'${word}'`);
    const table = quoteName(hostSchema, table_name);
    if (refused.length > 0)
      problems.push(
        `- ${table}.${quoteName(column_name)} has a check, ${quoteName(name)}, that does not take ${refused.join(", ")}. Fix: alter table ${table} drop constraint ${quoteName(name)}, and add one that does.`,
      );
  }
  return problems;
}

async function checksOf(knex: Sql, hostSchema: string, written: readonly Words[]): Promise<readonly Check[]> {
  const found = await knex.raw(
    `select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, a.atttypmod) as type,
       o.conname as name, pg_get_expr(o.conbin, o.conrelid) as expression
     from pg_constraint o
       join pg_class c on c.oid = o.conrelid
       join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and o.conkey = array[a.attnum]
       join unnest(?::text[], ?::text[]) as w (table_name, column_name)
         on w.table_name = c.relname and w.column_name = a.attname
     where o.contype = 'c' and n.nspname = ? order by c.relname, a.attname, o.conname`,
    [written.map(({ table }) => table), written.map(({ column }) => column), hostSchema],
  );
  return found.rows;
}

/** A check that fails with an error would fail our row too. In a savepoint, as the transaction is still needed. */
async function lets(knex: Sql, { column_name, type, expression }: Check, word: string): Promise<boolean> {
  await knex.raw("savepoint whatsapp_check");
  try {
    const tried = await knex.raw(
      `select coalesce((${expression.replaceAll("?", "\\?")})::boolean, true) as lets from (select ?::${type} as ${quoteName(column_name)}) as row`,
      [word],
    );
    return tried.rows[0].lets;
  } catch {
    return false;
  } finally {
    await knex.raw("rollback to savepoint whatsapp_check");
  }
}
