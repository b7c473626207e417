/** The doctor with its questions to database, Meta and our own address. */
import { randomBytes } from "node:crypto";
import type { Knex } from "knex";
import { createCallWebhook } from "../../adapters/graph-api/call-webhook.ts";
import { createFetchTransport, createHttpTransport } from "../../adapters/graph-api/http-transport.ts";
import { createMetaHealth } from "../../adapters/graph-api/meta-health.ts";
import { createDatabase } from "../../adapters/postgres/database.ts";
import { createExamination } from "../../adapters/postgres/examination.ts";
import { createHostAccess } from "../../adapters/postgres/host-access.ts";
import { createSecretBox } from "../../adapters/secret-box/secret-box.ts";
import { HOST_COLUMNS } from "../../migrations/all.ts";
import { migrationStatus } from "../../migrations/index.ts";
import type { WhatsAppConfig } from "../config.ts";
import { createDoctor, type Doctor } from "../doctor/doctor.ts";
import { settingsOf } from "../doctor/settings.ts";
import { ChannelError } from "../errors.ts";

/** The doctor's patience is shorter than that of a send. */
const DOCTOR_TIMEOUTS = { connectMs: 3_000, headersMs: 8_000, totalMs: 10_000 };

/** @param config its error where there is none: then that is what the doctor finds. */
export function wireDoctor(
  knex: Knex,
  config: WhatsAppConfig | ChannelError,
  {
    fetch,
    ...schemas
  }: {
    readonly schema: string;
    readonly hostSchema: string;
    readonly fetch: typeof globalThis.fetch | undefined;
  },
): Doctor {
  const patience = { acquireTimeoutMs: 5_000, statementTimeoutMs: 4_000 };
  const database = createDatabase(knex, { ...schemas, ...patience, readsWholeTables: true });
  const hostTroubles = createHostAccess(database);
  const shared = {
    examination: createExamination(database),
    migrations: () => migrationStatus(knex, schemas),
    hostTroubles: () => hostTroubles(HOST_COLUMNS),
    now: () => new Date(),
  };
  return createDoctor(() => {
    if (config instanceof ChannelError)
      return { deps: { ...shared, outside: null, problems: config.message.split("\n- ").slice(1) }, close() {} };
    // Its own connections, so that nothing stays open between examinations.
    const transport =
      fetch === undefined ? createHttpTransport(DOCTOR_TIMEOUTS) : createFetchTransport(fetch, DOCTOR_TIMEOUTS);
    const outside = {
      settings: settingsOf(config),
      verifyToken: config.verifyToken,
      secretBox: createSecretBox(config.tokenKeys),
      metaHealth: createMetaHealth({ ...config, appSecret: config.appSecrets[0] as string, transport }),
      callWebhook: createCallWebhook(transport),
      newChallenge: () => randomBytes(16).toString("hex"),
    };
    return { deps: { ...shared, outside, problems: [] }, close: () => transport.close() };
  });
}
