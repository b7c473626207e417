/** A schema for one replay: it goes with the replay, and whatever a killed one has left goes with the next. */

import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Knex } from "knex";

export type ReplaySchema = {
  readonly name: string;
  /** Of the same name, for files. */
  readonly folder: string;
  drop(): Promise<void>;
};

/** The first half of the advisory locks by which running replays are told from killed ones. */
const LOCK = 1_685_221_746;
const SCHEMA = "^whatsapp_replay_[0-9a-f]{12}$";

/**
 * Makes a schema that is alive as long as this process: an open transaction holds its lock, which a pooler of connections keeps
 * together, and which a killed process cannot keep.
 */
export async function openReplaySchema(knex: Knex): Promise<ReplaySchema> {
  await dropLeftovers(knex);
  const name = `whatsapp_replay_${randomBytes(6).toString("hex")}`;
  const folder = join(tmpdir(), name);
  const alive = await knex.transaction();
  try {
    // It waits for the replay's end, however long that takes.
    await alive.raw(
      `select set_config(name, '0', true) from pg_settings
       where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
    );
    await alive.raw("select pg_advisory_xact_lock(?, hashtext(?))", [LOCK, name]);
    await knex.raw("create schema ??", [name]);
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    await alive.rollback();
    throw error;
  }
  return {
    name,
    folder,
    async drop() {
      try {
        await rm(folder, { recursive: true, force: true });
        await knex.raw("drop schema ?? cascade", [name]);
      } finally {
        // A pool does not end while somebody holds a connection of it; what could not be dropped goes with the next replay.
        await alive.rollback();
      }
    },
  };
}

/** Those of this role whose lock nobody holds. */
async function dropLeftovers(knex: Knex): Promise<void> {
  const { rows } = await knex.raw<{ rows: readonly { name: string }[] }>(
    "select nspname as name from pg_namespace where nspname ~ ? and pg_has_role(nspowner, 'USAGE')",
    [SCHEMA],
  );
  for (const { name } of rows)
    await knex.transaction(async (trx) => {
      const { rows: free } = await trx.raw("select 1 where pg_try_advisory_xact_lock(?, hashtext(?))", [LOCK, name]);
      if (free.length === 0) return;
      await rm(join(tmpdir(), name), { recursive: true, force: true });
      await trx.raw("drop schema if exists ?? cascade", [name]);
    });
}
