/** What kind of thing each option is: a misspelled name or a value of the wrong kind is named, and never quoted. */
import { DEFAULT_RULES } from "../pipeline/plan-effects.ts";
import type { WhatsAppPluginOptions } from "./whatsapp-plugin.ts";

/** What is wrong, by option; nothing of those whose kind is right. */
export type Problems = { readonly [Option in keyof WhatsAppPluginOptions]?: readonly string[] };

type Look = (name: string, given: unknown) => readonly string[];

const isObject = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === "object" && given !== null && !Array.isArray(given);

/** Also where they come from a class, a proxy or a bound copy: only that they can be called counts. */
function lacking(given: unknown, methods: readonly string[]): readonly string[] {
  const holder = given as Readonly<Record<string, unknown>>;
  return methods.filter((method) => typeof holder[method] !== "function");
}

const aFunction: Look = (name, given) => (typeof given === "function" ? [] : [`${name} must be a function.`]);

/** Postgres cuts off what is longer, and would then not find it. */
const LONGEST_NAME = 63;
const aSchema: Look = (name, given) => {
  const isName = typeof given === "string" && given !== "" && !given.includes("\0");
  if (isName && Buffer.byteLength(given) <= LONGEST_NAME) return [];
  return [`${name} must be the name of a schema, of 1 to ${LONGEST_NAME} bytes.`];
};

/** A number: which one is for whoever reads it. */
const read: Look = () => [];

function thingWith(what: string, methods: readonly string[]): Look {
  return (name, given) => {
    const isThing = isObject(given) || typeof given === "function";
    const missing = isThing ? lacking(given, methods) : methods;
    return missing.length === 0 ? [] : [`${name} must be ${what}: it has no ${missing.join("(), ")}().`];
  };
}

/** @param members names, each with how its value is looked at. */
function group(members: Readonly<Record<string, Look>>): Look {
  return (name, given) => {
    const known = Object.keys(members).join(", ");
    if (!isObject(given)) return [`${name} must be an object with any of ${known}.`];
    return Object.entries(given).flatMap(([member, value]) => {
      const look = Object.hasOwn(members, member) ? members[member] : undefined;
      if (look === undefined) return [`${name}.${member} is no option: ${known}.`];
      return value === undefined ? [] : look(`${name}.${member}`, value);
    });
  };
}

const all = (names: readonly string[], look: Look) => group(Object.fromEntries(names.map((name) => [name, look])));
const aTruth: Look = (name, given) => (typeof given === "boolean" ? [] : [`${name} must be true or false.`]);
const anObject: Look = (name, given) => (isObject(given) ? [] : [`${name} must be an object.`]);

const OTHER_DATABASES = /mysql|mariadb|sqlite|mssql|oracle|redshift/i;

const aKnex: Look = (name, given) => {
  const problems = thingWith("the host's knex", ["raw", "transaction"])(name, given);
  if (problems.length > 0) return problems;
  const { client } = given as {
    readonly client?: { readonly dialect?: unknown; readonly acquireConnection?: unknown };
  };
  if (typeof client?.acquireConnection !== "function") return [`${name} must be the host's knex: it has no client.`];
  const { dialect } = client;
  return typeof dialect === "string" && OTHER_DATABASES.test(dialect) ? [`${name} must be on Postgres.`] : [];
};

const SHAPES: Readonly<Record<keyof WhatsAppPluginOptions, Look>> = {
  knex: aKnex,
  config: (name, given) =>
    isObject(given) ? [] : [`${name} must be whatsappConfigFromEnv(process.env), or an object with the same names.`],
  reply: aFunction,
  authenticate: aFunction,
  allowMetrics: aFunction,
  alarms: (name, given) =>
    given === false || isObject(given) ? [] : [`${name} must be an object with limits, or false for none.`],
  onEvent: aFunction,
  logger: thingWith("a logger", ["debug", "info", "warn", "error"]),
  mediaStore: thingWith("a media store", ["put", "get", "remove", "sweep", "link"]),
  mediaQuotaBytes: read,
  fetch: aFunction,
  schema: aSchema,
  hostSchema: aSchema,
  retry: all(["maxAttempts", "baseMs", "maxMs"], read),
  pollMs: read,
  upkeepMs: read,
  retention: all(["rawDays", "eventDays", "sendDays", "mediaDays", "deadDays"], read),
  wakeOn: all(Object.keys(DEFAULT_RULES.wakeOn), aTruth),
  pauseAfterStaffMs: read,
  onAmbiguous: anObject,
  metaLimits: group({
    pair: all(["intervalMs", "burst"], read),
    messagesPerSecond: all(["standard", "coexistence", "high"], read),
  }),
  mediaWaitMs: read,
  mediaMaxBytes: anObject,
  mediaTimeouts: all(["stallMs", "totalMs"], read),
  replyTimeoutMs: read,
  eventTimeoutMs: read,
};

const NEEDED: readonly (keyof WhatsAppPluginOptions)[] = ["knex", "config", "reply"];

/** @returns sentences, by the option that they are about; those of names that are no option by that name. */
export function shapeProblems(options: WhatsAppPluginOptions): Problems {
  const problems: Record<string, readonly string[]> = {};
  for (const name of NEEDED) if (options[name] === undefined) problems[name] = [`${name} is missing.`];
  for (const [name, given] of Object.entries(options)) {
    if (given === undefined) continue;
    const found = Object.hasOwn(SHAPES, name)
      ? SHAPES[name as keyof typeof SHAPES](name, given)
      : [`${name} is no option: ${Object.keys(SHAPES).join(", ")}.`];
    if (found.length > 0) problems[name] = found;
  }
  return problems;
}
