/** Work on the database beside the running plugin, or without one: what the command line does. */
import type { Knex } from "knex";
import { createDatabase } from "../../adapters/postgres/database.ts";
import { createDeadLetters } from "../../adapters/postgres/dead-letters.ts";
import { createErasure } from "../../adapters/postgres/erase.ts";
import { createReadAgain } from "../../adapters/postgres/read-again.ts";
import { createRecordings } from "../../adapters/postgres/recordings.ts";
import { createSealedValues } from "../../adapters/postgres/sealed-values.ts";
import { createStoredAsOwn } from "../../adapters/postgres/stored-as-own.ts";
import { createSecretBox } from "../../adapters/secret-box/secret-box.ts";
import { ownTraffic } from "../audit/own-traffic.ts";
import { readEvents } from "../audit/webhooks.ts";
import { parseConfig, type WhatsAppConfig, type WhatsAppConfigInput } from "../config.ts";
import { type KeyRotation, rotateKeys as rotate } from "../connect/rotate-keys.ts";
import { createDeadLetterService, type DeadLetterService } from "../dead-letters.ts";
import type { DoctorRequest } from "../doctor/doctor.ts";
import type { Diagnosis } from "../doctor/finding.ts";
import { checkSubject, createErase } from "../erase.ts";
import { ChannelError } from "../errors.ts";
import type { ErasureCounts, ErasureSubject, Logger, ReadAgain, StoredTraffic, TrafficQuery } from "../ports.ts";
import { readTenant } from "../uuid.ts";
import { defaultLogger } from "./logging.ts";
import { patientDatabase, type SchemaOptions } from "./patient-database.ts";
import { wireDoctor } from "./wire-doctor.ts";

/** How far it is, of how many; null where nobody knows. */
export type OnProgress = (done: number, total: number | null) => void;

/**
 * Reads again what was unknown when it came, for after an upgrade: what this version understands is stored as what it is
 * and queued for the running plugin, which shows it, and answers it if it is not too old. Safe to repeat.
 * @returns how many events are understood now, and which kinds are still unknown, most frequent first.
 */
export function replayUnknown(
  knex: Knex,
  { schema = "public", hostSchema = "public", onProgress }: SchemaOptions & { readonly onProgress?: OnProgress } = {},
): Promise<ReadAgain> {
  const readAgain = createReadAgain(createDatabase(knex, { schema, hostSchema }));
  return readAgain(readEvents, { onProgress });
}

/**
 * The same as the plugin's `deadLetters`, without a plugin: what is put back is worked by a running one, at its next look.
 * `logger` hears who has put back what; default: pino, as the plugin.
 */
export function openDeadLetters(
  knex: Knex,
  { schema = "public", hostSchema = "public", logger }: SchemaOptions & { readonly logger?: Pick<Logger, "info"> } = {},
): DeadLetterService {
  return createDeadLetterService(createDeadLetters(createDatabase(knex, { schema, hostSchema })), {
    log: logger ?? defaultLogger(),
    onRedriven: () => undefined,
  });
}

/**
 * Seals every stored token and PIN again with the first of the configured keys, in small steps beside a running plugin,
 * which must know that key already. Safe to repeat and to break off; what cannot be opened is named and left as it is.
 */
export async function rotateKeys(
  knex: Knex,
  {
    config,
    schema = "public",
    checkOnly = false,
    onProgress,
  }: {
    readonly config: WhatsAppConfigInput;
    readonly schema?: string;
    /** Only count. */
    readonly checkOnly?: boolean;
    readonly onProgress?: OnProgress;
  },
): Promise<KeyRotation> {
  const { tokenKeys } = parseConfig(config);
  return rotate({
    sealedValues: createSealedValues(createDatabase(knex, { schema, hostSchema: schema })),
    secretBox: createSecretBox(tokenKeys),
    kids: tokenKeys.map(({ kid }) => kid),
    checkOnly,
    onProgress,
  });
}

/** The configuration to look at, the schemas, and what the doctor is to look at. */
export type RunDoctorOptions = DoctorRequest &
  SchemaOptions & {
    readonly config: WhatsAppConfigInput;
    readonly fetch?: typeof globalThis.fetch;
  };

/** The same as the plugin's `doctor`, also where the configuration is so wrong that there can be no plugin. */
export function runDoctor(
  knex: Knex,
  { config, fetch, schema, hostSchema, ...request }: RunDoctorOptions,
): Promise<Diagnosis> {
  const schemas = { schema: schema ?? "public", hostSchema: hostSchema ?? "public" };
  return wireDoctor(knex, readConfig(config), { ...schemas, fetch })(request);
}

function readConfig(input: WhatsAppConfigInput): WhatsAppConfig | ChannelError {
  try {
    return parseConfig(input);
  } catch (error) {
    if (error instanceof ChannelError) return error;
    throw error;
  }
}

/** Whose person it is, and the schemas. */
export type EraseOptions = SchemaOptions & {
  /** The tenant (`customer_configs.id`) whose person it is; of every tenant when left out. */
  readonly customerConfigId?: string;
};

/** Forgets a person without a plugin, beside those that are running. See `erase` of the plugin. */
export function erase(knex: Knex, subject: ErasureSubject, options: EraseOptions = {}): Promise<ErasureCounts> {
  return createErase(createErasure(patientDatabase(knex, options)))(subject, options);
}

/** What {@link erase} would take away, counted. Changes nothing. */
export function whatEraseDeletes(
  knex: Knex,
  subject: ErasureSubject,
  options: EraseOptions = {},
): Promise<ErasureCounts> {
  const { count } = createErasure(patientDatabase(knex, options));
  return createErase({ erase: count })(subject, options);
}

/**
 * What came in and what was answered, as it is stored, people and all: for making test cases, which must be scrubbed first.
 * Of one tenant it holds nothing of the others. Changes nothing.
 * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE.
 */
export async function readTraffic(
  knex: Knex,
  query: TrafficQuery = {},
  options: SchemaOptions = {},
): Promise<StoredTraffic> {
  const { person, limit, since, until } = query;
  const customerConfigId = query.customerConfigId === undefined ? undefined : readTenant(query.customerConfigId);
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > MOST_DELIVERIES))
    throw new ChannelError("REQUEST_INVALID", `limit is a whole number from 1 to ${MOST_DELIVERIES}.`);
  for (const time of [since, until])
    if (time !== undefined && Number.isNaN(time.getTime()))
      throw new ChannelError("REQUEST_INVALID", "since and until are times.");
  const db = patientDatabase(knex, options);
  const recordings = createRecordings(db);
  const found = await recordings.read({
    ...query,
    customerConfigId,
    person: person === undefined ? undefined : checkSubject(person),
  });
  if (customerConfigId === undefined) return found;
  return ownTraffic(found, { customerConfigId }, { ...recordings, storedAsOwn: createStoredAsOwn(db) });
}

const MOST_DELIVERIES = 10_000;
