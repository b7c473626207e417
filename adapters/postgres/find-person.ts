/** Who a person is in the database, by every name, and which conversations and messages are theirs. */
import type { ErasureSubject } from "../../plugin/ports.ts";
import {
  canonicalNumber,
  conversationOf,
  type FormerNumber,
  formerNumberOf,
  formerPrefix,
  spellingsOf,
} from "./aliases.ts";
import type { Database, Queries } from "./database.ts";

/** Who it is, by every name that we have for them. */
export type People = {
  readonly contacts: readonly string[];
  readonly conversations: readonly string[];
  /** `phone:447700900123`, `user:GB.5512`, `parent:GB.ENT.77`. */
  readonly aliases: ReadonlySet<string>;
  /** Numbers that may be somebody else's by now: theirs is what was written until they left them. */
  readonly formerNumbers: readonly FormerNumber[];
};

export async function findPeople(
  tx: Queries,
  db: Database,
  subject: ErasureSubject,
  customerConfigId: string | null,
): Promise<People> {
  const meant =
    subject.phoneNumber === undefined
      ? { aliases: [`user:${subject.userId}`, `parent:${subject.userId}`], contacts: [] }
      : await byNumber(tx, db, subject.phoneNumber, customerConfigId);
  const aliases = new Set(meant.aliases);
  const contacts = new Set(meant.contacts);
  const formerNumbers = new Map<string, FormerNumber>();
  const conversations = new Set<string>();
  // What one row tells may lead to the next: a number to a user id, and that to another tenant's contact.
  for (let known = -1; known !== contacts.size + aliases.size; ) {
    known = contacts.size + aliases.size;
    const rows = await tx.query<{
      id: string;
      merged_into: string | null;
      conversation_id: string | null;
      names: readonly string[];
    }>(
      // By aliases only: a number in the contact's row may have passed on to somebody else.
      `select c.id, c.merged_into, c.conversation_id, array_to_json(array(
         select alias from ${db.name("whatsapp_contact_aliases")} a where a.contact_id = c.id)) as names
       from ${db.name("whatsapp_contacts")} c
       where ($1::uuid is null or c.customer_config_id = $1) and (c.id = any($2) or c.merged_into = any($2)
         or c.id in (select contact_id from ${db.name("whatsapp_contact_aliases")} where alias = any($3)))`,
      [customerConfigId, [...contacts], [...aliases]],
    );
    for (const row of rows) {
      contacts.add(row.id);
      if (row.merged_into !== null) contacts.add(row.merged_into);
      if (row.conversation_id !== null) conversations.add(row.conversation_id);
      for (const name of row.names) {
        const [former, conversation] = [formerNumberOf(name), conversationOf(name)];
        if (former !== null) formerNumbers.set(name, former);
        else if (conversation !== null) conversations.add(conversation);
        else aliases.add(name);
      }
    }
  }
  return {
    contacts: [...contacts],
    conversations: [...conversations],
    aliases,
    formerNumbers: [...formerNumbers.values()],
  };
}

/** Whoever has the number; where nobody has it, on a number of the business's, whoever had it last. */
async function byNumber(
  tx: Queries,
  db: Database,
  phoneNumber: string,
  customerConfigId: string | null,
): Promise<{ readonly aliases: readonly string[]; readonly contacts: readonly string[] }> {
  const aliases = db.name("whatsapp_contact_aliases");
  const alias = `phone:${canonicalNumber(phoneNumber)}`;
  const rows = await tx.query<{ contact_id: string; alias: string }>(
    `select a.contact_id, a.alias from ${aliases} a join ${db.name("whatsapp_contacts")} c on c.id = a.contact_id
     where ($1::uuid is null or c.customer_config_id = $1) and (a.alias = $2 or starts_with(a.alias, $3) and not exists (
       select 1 from ${aliases} l where l.connection_id = a.connection_id
         and (l.alias = $2 or starts_with(l.alias, $3) and l.alias collate "C" > a.alias)))`,
    [customerConfigId, alias, formerPrefix(phoneNumber)],
  );
  const had = rows.filter((row) => row.alias !== alias).map((row) => row.contact_id);
  return { aliases: had.length > 0 && had.length === rows.length ? [] : [alias], contacts: had };
}

/** Conversations that the host has deleted since may have left something behind. */
export async function findOldConversations(
  tx: Queries,
  db: Database,
  contacts: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `select conversation_id as id from ${db.name("whatsapp_outbox")} where contact_id = any($1)
     union select conversation_id from ${db.name("whatsapp_turns")} where contact_id = any($1)
     union select conversation_id from ${db.name("whatsapp_media")} where contact_id = any($1) and conversation_id is not null`,
    [contacts],
  );
  return rows.map(({ id }) => id);
}

/** Deleted ones that no contact leads to, as earlier versions left them: their windows hold the number. Of which tenant, nobody knows. */
export async function findOrphans(
  tx: Queries,
  db: Database,
  { aliases, formerNumbers }: People,
): Promise<readonly string[]> {
  const numbers = [...aliases].filter((alias) => alias.startsWith("phone:")).map((alias) => alias.slice(6));
  const rows = await tx.query<{ id: string }>(
    `select conversation_id as id from ${db.name("whatsapp_sessions")} s where phone_number = any($1)
       and not exists (select 1 from ${db.name("whatsapp_contacts")} c where c.conversation_id = s.conversation_id)
       and not exists (select 1 from ${db.hostName("conversations")} v where v.id = s.conversation_id)`,
    [[...numbers, ...formerNumbers.map(({ number }) => number)].flatMap(spellingsOf)],
  );
  return rows.map(({ id }) => id);
}

/** The wamids of what they wrote. */
export async function findWritten(tx: Queries, db: Database, contacts: readonly string[]): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `select external_id as id from ${db.name("whatsapp_events")} where contact_id = any($1) and external_id is not null`,
    [contacts],
  );
  return rows.map(({ id }) => id);
}

/** The wamids of what stands in their conversations and of what they were sent. */
export async function findExchanged(
  tx: Queries,
  db: Database,
  conversations: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `with parts as (
       select o.id, o.message_id from ${db.name("whatsapp_outbox")} o join ${db.name("whatsapp_sends")} s on s.id = o.send_id
       where s.conversation_id = any($1))
     select message_id as id from parts where message_id is not null
     union select a.message_id from ${db.name("whatsapp_send_attempts")} a join parts on parts.id = a.outbox_id where a.message_id is not null
     union select external_id from ${db.hostName("messages")} where conversation_id = any($1) and external_id is not null`,
    [conversations],
  );
  return rows.map(({ id }) => id);
}
