/** Row level security on those of the host's tables that we had to create, as on ours: on Supabase anybody could read them otherwise. */
import type { Locks, Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

const KINDS = ["table", "column", "default", "index"];

/** Supabase's API runs as these, and Supabase grants them every new table in `public`: no host has meant it. */
const ANYBODY = ["anon", "authenticated"];

const POLICIES = ["whatsapp_service_role", "whatsapp_granted"];

export const hostTablesClosed: Migration = {
  name: "20261128000005_host_tables_closed",

  /** The host's own are none of our business. */
  async locks(knex: Sql, schemas: Schemas): Promise<Locks> {
    const made = await knex.raw(`select h.table_name ${openOnes(schemas)}`);
    const names = made.rows.map((row: { table_name: string }) => [row.table_name, "access exclusive"]);
    return { whatsapp_host_changes: "access exclusive", ...Object.fromEntries(names) };
  },

  /**
   * Not where the host has taken a table over: it has policies, row level security or another owner, or everybody was granted it.
   * Roles that the host has granted it keep what they have. Found out when it runs, because a plan is written before there is any table.
   */
  async up(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
    const ledger = quoteName(schema, "whatsapp_host_changes");
    await allow(knex, ledger, [...KINDS, "row security"]);
    await knex.raw(`
      do $$
      declare
        made record;
        roles text;
      begin
        for made in
          select h.table_name, c.oid, c.oid::regclass as name, c.relowner, c.relacl
          ${openOnes({ schema, hostSchema })}
          order by h.id
        loop
          execute format('alter table %s enable row level security', made.name);
          if exists (select 1 from pg_roles where rolname = 'service_role') then
            execute format('create policy whatsapp_service_role on %s for all to service_role using (true) with check (true)', made.name);
          end if;
          select string_agg(distinct format('%I', r.rolname), ', ') into roles from pg_roles r
          where r.oid <> made.relowner and r.rolname not in ('service_role', ${ANYBODY.map(text).join(", ")})
            and r.oid in (
              select grantee from aclexplode(made.relacl)
              union select a.grantee from pg_attribute t, aclexplode(t.attacl) a where t.attrelid = made.oid);
          if roles is not null then
            execute format('create policy whatsapp_granted on %s for all to %s using (true) with check (true)', made.name, roles);
          end if;
          insert into ${ledger} (kind, table_name, object_name) values ('row security', made.table_name, made.table_name);
        end loop;
      end $$`);
  },

  /** Only where `up` did it; a table that has policies of the host's by now stays closed. */
  async down(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
    const ledger = quoteName(schema, "whatsapp_host_changes");
    await knex.raw(`
      do $$
      declare
        made record;
      begin
        for made in
          select c.oid, c.oid::regclass as name from ${ledger} h
          join pg_class c on c.relnamespace = to_regnamespace(${text(quoteName(hostSchema))}) and c.relname = h.table_name and c.relkind = 'r'
          where h.kind = 'row security' and pg_has_role(c.relowner, 'usage')
        loop
          ${POLICIES.map((policy) => `execute format('drop policy if exists ${policy} on %s', made.name);`).join("\n          ")}
          if not exists (select 1 from pg_policy p where p.polrelid = made.oid) then
            execute format('alter table %s disable row level security', made.name);
          end if;
        end loop;
      end $$`);
    await knex.raw(`delete from ${ledger} where kind = 'row security'`);
    await allow(knex, ledger, KINDS);
  },
};

/** Tables that we had to make (`h`, with their class `c`) and that the host has not seen to since. */
function openOnes({ schema, hostSchema }: Schemas): string {
  return `from ${quoteName(schema, "whatsapp_host_changes")} h
          join pg_class c on c.relnamespace = to_regnamespace(${text(quoteName(hostSchema))}) and c.relname = h.table_name and c.relkind = 'r'
          where h.kind = 'table' and not c.relrowsecurity and pg_has_role(c.relowner, 'usage')
            and not exists (select 1 from pg_policy p where p.polrelid = c.oid)
            and not exists (select 1 from aclexplode(c.relacl) a where a.grantee = 0)`;
}

async function allow(knex: Sql, ledger: string, kinds: readonly string[]): Promise<void> {
  await knex.raw(`alter table ${ledger} drop constraint whatsapp_host_changes_kind_check,
    add constraint whatsapp_host_changes_kind_check check (kind in (${kinds.map(text).join(", ")}))`);
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
