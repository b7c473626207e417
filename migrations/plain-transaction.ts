/** A transaction on the host's knex that answers as Postgres does, whatever the host's hooks make of rows and names. */
import type { Knex } from "knex";

/**
 * A host may rename identifiers and rewrite or unwrap rows (`wrapIdentifier`, `postProcessResponse`): for its own queries. READ COMMITTED
 * whatever the database's default: who has waited for our lock must see what was done meanwhile. Inside a transaction of the
 * host's it is a savepoint of that one.
 */
export function plainTransaction<T>(
  knex: Knex,
  run: (trx: Knex.Transaction) => Promise<T>,
  { readOnly = false } = {},
): Promise<T> {
  return knex.transaction(
    async (trx) => {
      // Of this transaction's client only, from which the migrator and savepoints inherit.
      trx.client.config = { ...trx.client.config, postProcessResponse: undefined, wrapIdentifier: undefined };
      return run(trx);
    },
    { readOnly, isolationLevel: "read committed" },
  );
}
