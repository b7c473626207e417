/** The way nearly every delivery takes: one call, because each statement of its own costs a round trip before the 200. */
import type { ChannelEvent, ReceivedEvent } from "../../plugin/contract.ts";
import type { IncomingDelivery, RecordedDelivery } from "../../plugin/ports.ts";
import { introduces, messageIdOf, parentAlias, personOf, phoneAlias, userAlias } from "./aliases.ts";
import type { Database } from "./database.ts";
import { storedKey } from "./tombstones.ts";

/** Raised by `whatsapp_record` in the migrations when something is out of the ordinary: nothing is stored then. */
const OUT_OF_THE_ORDINARY = "WA001";

/**
 * Stores deliveries whose people are known, whose numbers are connected, and whose changes are new.
 * @returns null when they are not like that: nothing was stored.
 */
export async function recordOrdinary(
  db: Database,
  deliveries: readonly IncomingDelivery[],
): Promise<readonly RecordedDelivery[] | null> {
  const events = deliveries.flatMap((delivery) => delivery.events);
  if (!deliveries.every(isOrdinary) || !events.every(isSimple)) return null;
  const people = events.map(personOf);
  try {
    const [row] = await db.query<Stored>(
      `select to_json(webhook_ids::text[]) as webhook_ids, to_json(event_ids::text[]) as event_ids, to_json(lane_keys) as lane_keys
       from ${db.name("whatsapp_record")}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        // Bytes travel as one binary parameter and are cut apart on the server: no escaping, no text form of bytes.
        Buffer.concat(deliveries.map(({ body }) => body)),
        intArray(deliveries.map(({ body }) => body.byteLength)),
        textArray(deliveries.map(({ webhookType }) => webhookType)),
        intArray(deliveries.map(({ secretIndex }) => secretIndex)),
        intArray(deliveries.map((delivery) => delivery.events.length)),
        textArray(events.map(({ phoneNumberId }) => phoneNumberId ?? "")),
        textArray(people.map((person) => phoneAlias(person) ?? "")),
        textArray(people.map((person) => userAlias(person) ?? "")),
        textArray(people.map((person) => parentAlias(person) ?? "")),
        `{${events.map(introduces).join(",")}}`,
        textArray(events.map(({ kind }) => kind)),
        textArray(events.map((event) => messageIdOf(event) ?? "")),
        textArray(events.map(({ dedupeKey }) => storedKey(dedupeKey))),
        // JSON has no raw line breaks, so lines are the cheapest list of it.
        events.map((event) => JSON.stringify(event)).join("\n"),
      ],
    );
    return row === undefined ? null : toRecorded(deliveries, row);
  } catch (error) {
    if ((error as { code?: unknown }).code === OUT_OF_THE_ORDINARY) return null;
    throw error;
  }
}

type Stored = {
  readonly webhook_ids: readonly string[];
  readonly event_ids: readonly string[] | null;
  readonly lane_keys: readonly string[] | null;
};

function isOrdinary({ error, payload }: IncomingDelivery): boolean {
  return error === null && payload === "verbatim";
}

/** What concerns an account as a whole has no number; somebody with new names has more than one of a kind. */
function isSimple({ phoneNumberId, kind }: ChannelEvent): boolean {
  return phoneNumberId !== null && kind !== "contact-changed";
}

function toRecorded(
  deliveries: readonly IncomingDelivery[],
  { webhook_ids, event_ids, lane_keys }: Stored,
): readonly RecordedDelivery[] {
  let next = 0;
  return deliveries.map((delivery, at) => ({
    webhookId: webhook_ids[at] as string,
    error: null,
    events: delivery.events.map(({ kind }): ReceivedEvent => {
      const lane = lane_keys?.[next] ?? null;
      return { kind, outcome: "accepted", lane, eventId: event_ids?.[next++] ?? null };
    }),
  }));
}

/**
 * A Postgres array in its text form: the client library's own way of writing it costs more than all else we do here.
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT
 */
function textArray(values: readonly string[]): string {
  return values.length === 0 ? "{}" : `{"${values.map(escaped).join('","')}"}`;
}

function intArray(values: readonly number[]): string {
  return `{${values.join(",")}}`;
}

const SPECIAL = /["\\]/;

function escaped(value: string): string {
  return SPECIAL.test(value) ? value.replaceAll(/["\\]/g, "\\$&") : value;
}
