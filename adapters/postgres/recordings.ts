/** Stored deliveries with the answers that they led to. Only reads. */
import type {
  EventPlace,
  Recordings,
  StoredNumber,
  StoredPerson,
  StoredTraffic,
  StoredTurn,
  TrafficTemplate,
} from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { findPeople } from "./find-person.ts";

const DEFAULT_LIMIT = 1_000;
const MOST_PEOPLE = 100_000;

/** @param db with time for statements that read a table from end to end. */
export function createRecordings(db: Database): Recordings {
  const webhooks = db.name("whatsapp_webhooks");
  const events = db.name("whatsapp_events");
  const connections = db.name("whatsapp_connections");

  return {
    async read({ person, since, until, types = [], customerConfigId, limit = DEFAULT_LIMIT }): Promise<StoredTraffic> {
      const people = person === undefined ? null : await findPeople(db, db, person, customerConfigId ?? null);
      const rows = await db.query<{
        id: string;
        created_at: Date;
        webhook_type: string;
        body: string;
        is_empty: boolean;
      }>(
        `select w.id, w.created_at, w.webhook_type, encode(w.body, 'base64') as body,
           octet_length(w.body) = 0 or coalesce(w.error like 'quarantined:%', false) as is_empty
         from ${webhooks} w
         where ($1::timestamptz is null or w.created_at >= $1) and ($2::timestamptz is null or w.created_at < $2)
           and (cardinality($3::text[]) = 0 or w.webhook_type = any($3))
           and ($4::bigint[] is null and $5::uuid is null or exists (select 1 from ${events} e
             left join ${connections} c on c.id = e.connection_id
             where e.webhook_id = w.id and ($4::bigint[] is null or e.contact_id = any($4))
               and ($5::uuid is null or c.customer_config_id = $5)))
         order by w.id limit $6`,
        [
          since ?? null,
          until ?? null,
          types,
          people === null ? null : people.contacts,
          customerConfigId ?? null,
          limit + 1,
        ],
      );
      const found = rows.slice(0, limit);
      const kept = found.filter(({ is_empty }) => !is_empty);
      const ids = kept.map(({ id }) => id);
      const turns = await readTurns(ids, customerConfigId);
      return {
        deliveries: kept.map((row) => ({
          webhookId: row.id,
          receivedAt: row.created_at,
          type: row.webhook_type,
          body: Buffer.from(row.body, "base64"),
        })),
        turns,
        numbers: await readNumbers(turns),
        templates: await readTemplates(turns),
        people: await db.query<StoredPerson>(
          `select name, username, phone_number as "phoneNumber", user_id as "userId" from ${db.name("whatsapp_contacts")}
           where $1::uuid is null or customer_config_id = $1 order by id limit ${MOST_PEOPLE}`,
          [customerConfigId ?? null],
        ),
        addresses: [...(people?.aliases ?? [])].map((alias) => alias.slice(alias.indexOf(":") + 1)),
        skipped: found.length - kept.length,
        more: rows.length > limit,
      };
    },

    async ownPlaces({ customerConfigId }, webhookIds) {
      const rows = await db.query<EventPlace & { readonly webhookId: string }>(
        `select distinct e.webhook_id as "webhookId", e.phone_number_id as "phoneNumberId", e.payload ->> 'wabaId' as "wabaId",
           e.payload ->> 'displayPhoneNumber' as "displayPhoneNumber"
         from ${events} e join ${connections} c on c.id = e.connection_id
         where e.webhook_id = any($1::bigint[]) and c.customer_config_id = $2`,
        [webhookIds, customerConfigId],
      );
      const places = new Map<string, EventPlace[]>();
      for (const { webhookId, ...place } of rows) places.set(webhookId, [...(places.get(webhookId) ?? []), place]);
      return places;
    },
  };

  /** By the messages that these deliveries brought. @param customerConfigId undefined: of every tenant. */
  async function readTurns(
    webhookIds: readonly string[],
    customerConfigId: string | undefined,
  ): Promise<readonly StoredTurn[]> {
    const rows = await db.query<Omit<StoredTurn, "sends"> & { sends: StoredTurn["sends"] | null }>(
      `select t.id as "turnId", c.phone_number_id as "phoneNumberId", p.phone_number as "phoneNumber", p.user_id as "userId",
         (select json_agg(m ->> 'externalId') from jsonb_array_elements(t.messages) m) as "messageIds",
         (select json_agg(json_build_object('endpoint', o.endpoint, 'message', o.payload, 'messageId', o.message_id)
             order by s.turn_piece, o.part_index)
           from ${db.name("whatsapp_sends")} s join ${db.name("whatsapp_outbox")} o on o.send_id = s.id
           where s.turn_id = t.id and o.message_id is not null) as sends
       from ${db.name("whatsapp_turns")} t
       join ${connections} c on c.id = t.connection_id
       join ${db.name("whatsapp_contacts")} p on p.id = t.contact_id
       where t.state = 1 and ($2::uuid is null or c.customer_config_id = $2) and exists (select 1 from ${events} e
         where e.webhook_id = any($1::bigint[]) and e.contact_id = t.contact_id
           and t.messages @> jsonb_build_array(jsonb_build_object('externalId', e.external_id)))
       order by t.seq`,
      [webhookIds, customerConfigId ?? null],
    );
    return rows.map((row) => ({ ...row, sends: row.sends ?? [] }));
  }

  function readNumbers(turns: readonly StoredTurn[]): Promise<readonly StoredNumber[]> {
    return db.query<StoredNumber>(
      `select distinct on (phone_number_id) phone_number_id as "phoneNumberId", waba_id as "wabaId",
         display_phone_number as "displayPhoneNumber"
       from ${connections} where phone_number_id = any($1) order by phone_number_id, created_at desc`,
      [turns.map(({ phoneNumberId }) => phoneNumberId)],
    );
  }

  function readTemplates(turns: readonly StoredTurn[]): Promise<readonly TrafficTemplate[]> {
    const names = turns.flatMap(({ sends }) =>
      sends.flatMap(({ message }) => {
        const { name } = (message.template ?? {}) as { readonly name?: unknown };
        return typeof name === "string" ? [name] : [];
      }),
    );
    return db.query<TrafficTemplate>(
      `select t.waba_id as "wabaId", t.name, t.language, t.category, t.status, t.parameter_format as "parameterFormat", t.components
       from ${db.name("whatsapp_templates")} t
       where t.name = any($1) and t.waba_id in (select waba_id from ${connections} where phone_number_id = any($2))
       order by t.waba_id, t.name, t.language`,
      [names, turns.map(({ phoneNumberId }) => phoneNumberId)],
    );
  }
}
