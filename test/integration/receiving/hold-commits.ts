/** Makes the COMMIT of a delivery wait or fail, by a constraint that Postgres checks no sooner than at the commit. */
import type { Knex } from "knex";
import type { TestChannel } from "../../support/channel.ts";

const LOCK = 4_242;

export type HeldCommits = {
  /** Resolves to the server process of the commit that waits. */
  waiting(): Promise<number>;
  release(): Promise<void>;
};

export async function holdCommits(channel: TestChannel): Promise<HeldCommits> {
  await atCommit(channel.database.knex, `perform pg_advisory_xact_lock(${LOCK})`);
  const holder = channel.database.connect({ min: 0, max: 1 });
  await holder.raw(`select pg_advisory_lock(${LOCK})`);
  return {
    waiting: () =>
      channel.until(async () => {
        const [row] = await channel.rows<{ pid: number }>(
          `select pid from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        );
        return row?.pid;
      }, "a commit that waits"),
    async release() {
      await holder.raw(`select pg_advisory_unlock(${LOCK})`);
      await allowCommits(channel);
    },
  };
}

/** @param sqlState what Postgres says instead of committing, in an error that quotes the row as its errors may do. */
export async function failCommits(channel: TestChannel, sqlState: string): Promise<void> {
  await atCommit(
    channel.database.knex,
    `raise exception 'no: %', convert_from(new.body, 'UTF8') using errcode = '${sqlState}'`,
  );
}

export async function allowCommits(channel: TestChannel): Promise<void> {
  await channel.database.knex.raw("drop function test_at_commit cascade");
}

async function atCommit(knex: Knex, statement: string): Promise<void> {
  await knex.raw(
    `create function test_at_commit() returns trigger language plpgsql as 'begin ${statement.replaceAll("'", "''")}; return null; end';
     create constraint trigger test_at_commit after insert on whatsapp_webhooks deferrable initially deferred
       for each row execute function test_at_commit()`,
  );
}
