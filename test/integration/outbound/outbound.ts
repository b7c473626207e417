/** People who have written, so that the window is open, and what becomes of sends to them. */
import type { PartState, SendReceipt } from "@omniops/whatsapp";
import type { InboundOptions, Person, PersonOptions } from "@omniops/whatsapp/simulator";
import { NUMBER, startChannel, TENANT, type TestChannel, type TestChannelOptions } from "../../support/channel.ts";
import { afterEveryTest } from "../../support/clear-away.ts";

export type Contact = { readonly person: Person; readonly conversationId: string; readonly contactId: string };

const PENDING: readonly PartState[] = ["queued", "held", "sending"];

const running: TestChannel[] = [];
afterEveryTest(async () => {
  await Promise.all(running.splice(0).map((channel) => channel.stop()));
});

/** A channel whose AI says nothing, so that only the test sends. It stops with its test. */
export async function startSilent(options: TestChannelOptions = {}): Promise<TestChannel> {
  const channel = await startChannel({ reply: () => null, ...options });
  running.push(channel);
  return channel;
}

/** Somebody writes, and the conversation is there. */
export async function meet(
  channel: TestChannel,
  options: PersonOptions,
  inbound: InboundOptions = {},
): Promise<Contact> {
  const person = channel.meta.person(options);
  const wamid = person.says("hello", inbound);
  const row = await channel.until(
    async () =>
      (
        await channel.rows<{ contact_id: string; conversation_id: string }>(
          `select c.id as contact_id, c.conversation_id from whatsapp_contacts c join whatsapp_events e on e.contact_id = c.id
           where e.external_id = ? and e.state = 1 and c.conversation_id is not null`,
          [wamid],
        )
      )[0],
    `${options.name}'s message to be applied`,
  );
  return { person, conversationId: row.conversation_id, contactId: row.contact_id };
}

/** One person whom Meta has named in two ways, so that they are two contacts with a conversation each; the elder is first. */
export async function meetTwice(channel: TestChannel): Promise<readonly [Contact, Contact]> {
  const elder = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
  return [elder, await meet(channel, { name: "Ada", userId: "GB.5512oQx81Zk09", hidesPhoneNumber: true })];
}

/** The person of `meetTwice` writes, and Meta names them in both ways: from now on they are one contact. */
export function linkBoth(channel: TestChannel): Promise<Contact> {
  return meet(channel, { name: "Ada", phoneNumber: "447700900123", userId: "GB.5512oQx81Zk09" });
}

/**
 * Somebody else writes again and again, so that the number's webhooks are seen to be alive: never faster than they are taken,
 * or a slow machine would have nothing else to do.
 */
export async function chatter(channel: TestChannel): Promise<() => void> {
  const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900009" });
  const timer = setInterval(() => {
    if (channel.meta.deliveries.every(({ outcome }) => outcome !== "pending")) bob.person.says("still here");
  }, 50);
  return () => clearInterval(timer);
}

/** The receipt once it is as wished. */
export function receiptWhen(
  channel: TestChannel,
  sendId: string,
  isDone: (receipt: SendReceipt) => boolean,
  what: string,
): Promise<SendReceipt> {
  return channel.until(async () => {
    const receipt = await channel.plugin.receipt(sendId, TENANT);
    return receipt !== null && isDone(receipt) && receipt;
  }, what);
}

/** The receipt once every part has left its lane. */
export function settled(channel: TestChannel, { sendId }: SendReceipt): Promise<SendReceipt> {
  return receiptWhen(
    channel,
    sendId,
    ({ parts }) => parts.every(({ state }) => !PENDING.includes(state)),
    "every part to be settled",
  );
}

export function inState(channel: TestChannel, { sendId }: SendReceipt, ...states: PartState[]): Promise<SendReceipt> {
  return receiptWhen(
    channel,
    sendId,
    ({ parts }) => parts.length === states.length && parts.every(({ state }, i) => state === states[i]),
    `the states ${states.join(", ")}`,
  );
}

/** Keeps what is sent to somebody in the outbox until it is let go. */
export async function keepBack(channel: TestChannel, { contactId }: Contact): Promise<() => Promise<void>> {
  const key = `out:contact:${contactId}`;
  await channel.rows(
    `insert into whatsapp_lanes (lane_key, stage, ready_at) values (?, 'out', now() + interval '1 hour')
     on conflict (lane_key) do update set ready_at = excluded.ready_at`,
    [key],
  );
  return async () => {
    await channel.rows("update whatsapp_lanes set ready_at = now() where lane_key = ?", [key]);
  };
}

/** As if the person had written a day ago. */
export async function closeWindow(channel: TestChannel, { conversationId }: Contact): Promise<void> {
  await channel.rows(
    "update whatsapp_sessions set session_expires = now() - interval '1 second' where conversation_id = ?",
    [conversationId],
  );
}

export type Attempt = {
  readonly token: string;
  readonly state: string;
  readonly message_id: string | null;
  readonly started_at: Date;
};

/** Every attempt of a send, oldest first. */
export function attemptsOf(channel: TestChannel, { sendId }: SendReceipt): Promise<Attempt[]> {
  return channel.rows<Attempt>(
    `select a.token, a.state, a.message_id, a.started_at from whatsapp_send_attempts a
     join whatsapp_outbox o on o.id = a.outbox_id where o.send_id = ? order by a.id`,
    [sendId],
  );
}

/** How many statuses a test has told its channel by hand. */
const told = new WeakMap<TestChannel, number>();

/**
 * A status that the test itself makes Meta send, applied.
 * @param what `token`: that of the attempt; without where Meta leaves it out. `code`: why it has failed.
 */
export async function tellStatus(
  channel: TestChannel,
  what: { readonly wamid: string; readonly status: string; readonly token?: string | null; readonly code?: number },
): Promise<void> {
  const { wamid, status, token = null, code = 131026 } = what;
  const applied = async () =>
    (await channel.rows("select 1 from whatsapp_events where kind = 'status' and state <> 0")).length;
  const before = await applied();
  // Meta's own second for each: the same status of the same second is the same webhook again.
  const nth = (told.get(channel) ?? 0) + 1;
  told.set(channel, nth);
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    statuses: [
      {
        id: wamid,
        status,
        timestamp: String(Math.floor(Date.now() / 1_000) - 60 + nth),
        recipient_id: "447700900123",
        ...(token !== null && { biz_opaque_callback_data: token }),
        ...(status === "failed" && { errors: [{ code, title: "Not delivered" }] }),
      },
    ],
  };
  channel.meta.deliver({
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  });
  await channel.until(async () => (await applied()) > before, "the status to be applied");
}

/** What people read, in the order Meta took it. */
export function texts(channel: TestChannel, to?: Contact): string[] {
  const recipient = to?.person.phoneNumber ?? to?.person.userId;
  return channel.meta.accepted
    .filter((message) => recipient === undefined || message.recipient === recipient)
    .map(({ text }) => text);
}

/** Answers of three messages. */
export function threeParts(): string {
  return ["A", "B", "C"].map((letter) => letter.repeat(4_000)).join("\n\n");
}

/** What a send leaves in the database. */
export async function countOf(channel: TestChannel): Promise<unknown> {
  const [row] = await channel.rows(
    `select (select count(*)::int from whatsapp_sends) as sends, (select count(*)::int from whatsapp_outbox) as parts,
       (select count(*)::int from messages where role = 'assistant') as messages,
       (select coalesce(sum(pending), 0)::int from whatsapp_lanes where stage = 'out') as pending`,
  );
  return row;
}

export const NOTHING = { sends: 0, parts: 0, messages: 0, pending: 0 };
