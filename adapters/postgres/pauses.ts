/** Numbers whose sends wait, for all instances: written when a pause begins or ends, read with the head of a lane. */
import type { Connection } from "../../plugin/contract.ts";
import type { Connections } from "../../plugin/ports.ts";
import { type ConnectionRow, toConnection, wakeWaitingSends } from "./connection-row.ts";
import type { Database, Tx } from "./database.ts";

export function createPauses(
  db: Database,
  tell: (tx: Tx, changed: readonly Connection[]) => Promise<void>,
): Pick<Connections, "pause" | "takeProbe" | "resume"> {
  const table = db.name("whatsapp_connections");

  return {
    pause: ({ connectionId, strikes, forMs, reason }) =>
      db.transaction(async (tx) => {
        // Many sends that were under way fail together: the first pauses, and the others find another count of strikes.
        const [row] = await tx.query<ConnectionRow>(
          `update ${table} set paused_until = now() + $3 * interval '1 millisecond', pause_strikes = $2::int + 1, reason = $4,
             updated_at = now() where id = $1 and state = 'connected' and pause_strikes = $2 returning *`,
          [connectionId, strikes, forMs, reason],
        );
        if (row !== undefined && strikes === 0) await tell(tx, [toConnection(row)]);
        return row !== undefined;
      }),

    async takeProbe({ connectionId, forMs }) {
      const taken = await db.query(
        `update ${table} set paused_until = now() + $2 * interval '1 millisecond'
         where id = $1 and pause_strikes > 0 and paused_until <= now() returning 1`,
        [connectionId, forMs],
      );
      return taken.length > 0;
    },

    resume: (connectionId) =>
      db.transaction(async (tx) => {
        const [row] = await tx.query<ConnectionRow>(
          `update ${table} set paused_until = null, pause_strikes = 0, updated_at = now(),
             reason = case when state = 'connected' then null else reason end
           where id = $1 and pause_strikes > 0 returning *`,
          [connectionId],
        );
        if (row === undefined) return false;
        await tell(tx, [toConnection(row)]);
        await wakeWaitingSends(tx, db, [connectionId]);
        return true;
      }),
  };
}
