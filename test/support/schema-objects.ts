/** What a database consists of, line by line, so that two of them can be compared. */
import type { Knex } from "knex";

/** Tables with settings, columns with type, default and nullability, indexes, constraints, functions, policies, comments. */
export async function everythingIn(knex: Knex): Promise<readonly string[]> {
  const { rows } = await knex.raw(`
    with mine as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
    select format('schema %s %s', nspname, obj_description(oid, 'pg_namespace')) as object from mine
    union all select format('%s %s.%s rls=%s %s %s', relkind, nspname, relname, relrowsecurity, relpersistence, reloptions)
      from pg_class join mine on mine.oid = relnamespace where relkind <> 'i'
    union all select format('column %s.%s.%s %s %s %s %s %s', nspname, relname, attname, format_type(atttypid, atttypmod),
        attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
      from pg_attribute join pg_class c on c.oid = attrelid join mine on mine.oid = relnamespace
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attnum > 0 and not attisdropped and relkind in ('r', 'v')
    union all select format('index %s %s', schemaname, indexdef) from pg_indexes join mine on nspname = schemaname
    union all select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace in (select oid from mine)
    union all select format('function %s %s', oid::regprocedure, md5(pg_get_functiondef(oid)))
      from pg_proc where pronamespace in (select oid from mine) and prokind = 'f'
    union all select format('policy %s %s %s %s %s', tablename, policyname, roles, qual, with_check) from pg_policies
    order by 1`);
  return rows.map((row: { object: string }) => row.object);
}
