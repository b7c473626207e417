/** Every migration, in order. */
import { HOST_COLUMNS, hostTables } from "./20261122000001-host-tables.ts";
import { connections } from "./20261122000002-connections.ts";
import { inbox } from "./20261122000003-inbox.ts";
import { turnsAndOutbox } from "./20261122000004-turns-and-outbox.ts";
import { sessions } from "./20261122000005-sessions.ts";
import { media } from "./20261122000006-media.ts";
import { rowLevelSecurity } from "./20261122000007-row-level-security.ts";
import { whatMetaSaidLast } from "./20261128000001-what-meta-said-last.ts";
import { whenItDied } from "./20261128000002-when-it-died.ts";
import { onePerson } from "./20261128000003-one-person.ts";
import { hostTablesClosed } from "./20261128000005-host-tables-closed.ts";
import { veryMany } from "./20261128000006-very-many.ts";
import { mediaOfAttempts } from "./20261129000001-media-of-attempts.ts";
import { planOfRecord } from "./20261129000002-plan-of-record.ts";
import type { Migration } from "./make-way.ts";

export { HOST_COLUMNS };

/** Released migrations are frozen: a change is a new one at the end. */
export const MIGRATIONS: readonly Migration[] = [
  hostTables,
  connections,
  inbox,
  turnsAndOutbox,
  sessions,
  media,
  rowLevelSecurity,
  whatMetaSaidLast,
  whenItDied,
  onePerson,
  hostTablesClosed,
  veryMany,
  mediaOfAttempts,
  planOfRecord,
];

export const MIGRATION_NAMES: readonly string[] = MIGRATIONS.map(({ name }) => name);
