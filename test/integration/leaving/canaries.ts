/** A person all over the database, and the search for anything of them that is left. */
import type { Person } from "@omniops/whatsapp/simulator";
import { NUMBER, quiet, type TestChannel } from "../../support/channel.ts";
import { bytesOf, post } from "../receiving/deliveries.ts";

export const ADA = { name: "Ada Canary", phoneNumber: "447700900123", userId: "GB.canaryAda7" };
export const BEN = { name: "Ben Bystander", phoneNumber: "447700900456", userId: "GB.bystanderBen8" };

/** Every value of every column of every table in every schema, bytes as hex. */
export async function dump(channel: Pick<TestChannel, "rows">): Promise<string> {
  const tables = await channel.rows<{ name: string }>(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await channel.rows<{ t: string }>(`select t::text as t from ${name} t`);
      return rows.map(({ t }) => `${name}: ${t}`);
    }),
  );
  return texts.flat().join("\n");
}

/** @returns the lines of a dump that hold one of these, in clear, as bytes, or JSON-escaped. */
export function finds(dumped: string, canaries: readonly string[]): readonly string[] {
  const spelled = canaries.flatMap((canary) => [
    canary,
    canary.replaceAll("/", "\\/"),
    Buffer.from(canary).toString("hex"),
  ]);
  return dumped
    .split("\n")
    .filter((line) => spelled.some((canary) => line.includes(canary)))
    .map((line) => line.slice(0, 300));
}

const METADATA = { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId };

function delivery(field: string, value: object, phoneNumberId = NUMBER.phoneNumberId) {
  const metadata = { ...METADATA, phone_number_id: phoneNumberId };
  const change = { field, value: { messaging_product: "whatsapp", metadata, ...value } };
  return { object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes: [change] }] };
}

const now = () => String(Math.floor(Date.now() / 1000));

/** A wamid as Meta makes them: the person's number is inside. */
export function wamidOf(phone: string, n: number): string {
  return `wamid.${Buffer.concat([Buffer.from([0x1d, 0x18, 0x0c]), Buffer.from(phone), Buffer.from([0x15, 2, 0, n])]).toString("base64")}`;
}

export function text(from: typeof ADA, id: string, body: string, phoneNumberId = NUMBER.phoneNumberId) {
  return delivery(
    "messages",
    {
      contacts: [{ profile: { name: from.name }, wa_id: from.phoneNumber, user_id: from.userId }],
      messages: [
        { from: from.phoneNumber, from_user_id: from.userId, id, timestamp: now(), type: "text", text: { body } },
      ],
    },
    phoneNumberId,
  );
}

export function status(to: typeof ADA, id: string, name: string) {
  return delivery("messages", {
    statuses: [{ id, status: name, timestamp: now(), recipient_id: to.phoneNumber, recipient_user_id: to.userId }],
  });
}

/** Their number and user id are others from now on. */
export function moved(from: typeof ADA, to: Pick<typeof ADA, "phoneNumber" | "userId">, id: string) {
  const system = {
    type: "user_changed_number",
    body: `User ${from.name} changed from ${from.phoneNumber} to ${to.phoneNumber}`,
    wa_id: to.phoneNumber,
    user_id: to.userId,
  };
  return delivery("messages", {
    contacts: [{ profile: { name: from.name }, wa_id: from.phoneNumber, user_id: from.userId }],
    messages: [{ from: from.phoneNumber, from_user_id: from.userId, id, timestamp: now(), type: "system", system }],
  });
}

export async function posted(channel: TestChannel, payload: object): Promise<void> {
  const { status: code } = await post(channel, bytesOf(payload));
  if (code !== 200) throw new Error(`the delivery was answered ${code}`);
}

/**
 * Makes somebody write, be answered, react, edit, call, object, and be spoken of by webhooks of every kind, routed or not.
 * @returns every wamid that is theirs.
 */
export async function liveThrough(channel: TestChannel, who: typeof ADA, person: Person): Promise<readonly string[]> {
  const { phoneNumber: phone, userId, name } = who;
  const ids = Array.from({ length: 20 }, (_, n) => wamidOf(phone, n));
  const [first, edit, revoke, reaction, call, echo, old, sibling, foreign, broken] = ids as string[];
  const contacts = [{ profile: { name }, wa_id: phone, user_id: userId }];
  const from = { from: phone, from_user_id: userId, timestamp: now() };
  await posted(channel, text(who, first as string, `${name} says one`));
  person.says(`${name} says two`);
  await quiet(channel);
  const payloads = [
    delivery("messages", {
      contacts,
      messages: [
        {
          ...from,
          id: edit,
          type: "edit",
          edit: { original_message_id: first, message: { type: "text", text: { body: `${name} says better` } } },
        },
      ],
    }),
    delivery("messages", {
      contacts,
      messages: [{ ...from, id: reaction, type: "reaction", reaction: { message_id: first, emoji: "👍" } }],
    }),
    delivery("messages", {
      contacts,
      messages: [{ ...from, id: revoke, type: "revoke", revoke: { original_message_id: first } }],
    }),
    delivery("messages", { contacts, messages: [{ ...from, id: broken, type: "hologram", hologram: { of: name } }] }),
    delivery("calls", {
      contacts,
      calls: [{ ...from, id: call, to: NUMBER.displayPhoneNumber, event: "connect", direction: "USER_INITIATED" }],
    }),
    delivery("user_preferences", {
      contacts,
      user_preferences: [
        { wa_id: phone, user_id: userId, category: "marketing_messages", value: "stop", timestamp: now() },
      ],
    }),
    delivery("smb_message_echoes", {
      message_echoes: [
        {
          from: NUMBER.displayPhoneNumber,
          to: phone,
          id: echo,
          timestamp: now(),
          type: "text",
          text: { body: `to ${name}` },
        },
      ],
    }),
    delivery("smb_app_state_sync", {
      state_sync: [{ type: "contact", contact: { full_name: name, phone_number: phone }, action: "add" }],
    }),
    delivery("history", {
      history: [
        {
          metadata: { phase: 0, chunk_order: 1, progress: 55 },
          threads: [
            {
              id: phone,
              messages: [
                { from: phone, id: old, timestamp: "1789000000", type: "text", text: { body: `${name} old` } },
              ],
            },
          ],
        },
      ],
    }),
    // Of a message that another app has sent: parked.
    status(who, sibling as string, "delivered"),
    // For a number that nobody has connected.
    text(who, foreign as string, `${name} knocks`, "301777000999999"),
    delivery("a_field_of_tomorrow", { about: { phone, name } }),
  ];
  for (const payload of payloads) await posted(channel, payload);
  // No JSON: quarantined with its bytes.
  const { status: code } = await post(channel, Buffer.from(`{"broken": "${phone}", "${name}"`));
  if (code !== 200) throw new Error(`the quarantined delivery was answered ${code}`);
  await quiet(channel);
  return ids;
}
