/** What must never be in a log or a dump of the database: looked for after every test that ran a channel. */
import type { Simulator } from "@omniops/whatsapp/simulator";

export type Secrets = Readonly<Record<string, string | RegExp>>;

/** As the simulator gives them out; a sealed one looks different. */
const GIVEN_OUT: Secrets = {
  "an access token": /(?<![\w.-])EAA[A-Za-z0-9]{100,}/,
  "an authorization code": /(?<![\w.-])AQ[\w-]{150,}/,
};

/** The invented numbers of people and businesses that the tests use, as digits alone. */
const PEOPLE: Secrets = {
  "a person's phone number": /(?<!\d)4477009\d{5}(?!\d)/,
  "a business's phone number": /(?<!\d)1555777\d{4}(?!\d)/,
  "a person's user id": /(?<![\w.])GB\.(?:ENT\.)?[A-Za-z0-9]{4,}/,
};

/** Shorter ones are words that a log may use as well. */
const SHORTEST_TEXT = 12;

/** @returns what was found, by name and never by value. */
export function secretsIn(text: string, secrets: Secrets): readonly string[] {
  return Object.entries({ ...GIVEN_OUT, ...secrets })
    .filter(([, secret]) => (typeof secret === "string" ? text.includes(secret) : secret.test(text)))
    .map(([name]) => name);
}

/**
 * The same, and whatever people have written, or were answered.
 * @param inbox what the host's inbox shows, which deliveries may have brought that the simulator knows nothing of.
 */
export function leaksIn(
  log: string,
  secrets: Secrets,
  meta: Pick<Simulator, "conversations">,
  inbox: readonly string[] = [],
): readonly string[] {
  const texts = [...inbox, ...meta.conversations().flatMap(({ entries }) => entries.map(({ text }) => text))];
  const said = texts.some((text) => typeof text === "string" && text.length >= SHORTEST_TEXT && log.includes(text));
  return [...secretsIn(log, { ...secrets, ...PEOPLE }), ...(said ? ["the text of a message"] : [])];
}

/** For a process of which only its output is known. */
export function leaksInOutput(output: string): readonly string[] {
  return secretsIn(output, PEOPLE);
}

/** What a person can read in the host's inbox; JSON, as a log line would hold it. */
export const INBOX =
  "select distinct trim('\"' from to_json(content)::text) as text from messages where length(content) < 10000";

/** Every value of every column of every table of a schema, as one text. */
export const DUMP = "select schema_to_xml('public', true, false, '')::text as dump";
