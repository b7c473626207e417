/** F6: Graph is slow, hangs, or is at the end of a connection that is half open, for some; nobody else notices. */
import { expect } from "vitest";
import { ACCESS_TOKEN, NUMBER, quiet, startChannel, TENANT, type TestChannel } from "../support/channel.ts";
import { startChaosProxy } from "./support/chaos-proxy.ts";
import { experiment, isFull } from "./support/experiment.ts";
import { phoneOf } from "./support/messages.ts";

/** More of them than the pool has connections. */
const EACH = isFull ? 12 : 4;
const RECONCILE_MS = 3_000;

experiment(
  "F6",
  "a Graph that hangs for some delays nobody else and holds no connection, and each of theirs arrives once",
  { timeoutMs: 180_000, alone: true },
  async (_random, onFinished) => {
    let graph = 0;
    const proxy = await startChaosProxy(() => graph);
    onFinished(() => proxy.close());
    const channel = await startChannel({
      reply: () => null,
      connect: false,
      start: false,
      config: { graphUrl: `http://127.0.0.1:${proxy.port}`, reconcileMs: RECONCILE_MS },
    });
    onFinished(() => channel.stop());
    const { meta, plugin } = channel;
    graph = Number(new URL(meta.url).port);
    const { phoneNumberId, wabaId } = NUMBER;
    await plugin.connect({ customerConfigId: TENANT, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });
    await plugin.start();

    const groups = ["slow", "never answered", "hung", "half open"] as const;
    const people = groups.flatMap((group, g) =>
      Array.from({ length: EACH }, (_, i) => ({ group, phone: phoneOf(g * EACH + i) })),
    );
    const ada = { group: "Ada", phone: phoneOf(900) };
    const conversations = await meetAll(
      channel,
      [...people, ada].map(({ phone }) => phone),
    );
    const send = ({ phone }: { readonly phone: string }, text: string) =>
      plugin.send({ conversationId: conversations.get(phone) ?? "", response: text });
    for (const { group, phone } of people) {
      if (group === "slow") meta.faults.next({ do: "slow", ms: 5_000, to: phone });
      if (group === "never answered") meta.faults.next({ do: "accept-then-hang", to: phone });
      if (group === "hung") meta.faults.next({ do: "hang", to: phone });
    }
    // What goes now goes nowhere: neither an answer nor an end of the connection ever comes.
    proxy.silent = true;
    for (const one of people.filter(({ group }) => group === "half open")) await send(one, "half open");
    // An attempt is written down before its socket opens.
    await channel.until(() => proxy.silenced === EACH, "every request to be lost in the silence");
    proxy.silent = false;
    for (const one of people.filter(({ group }) => group !== "half open")) await send(one, one.group);
    await began(channel, people.length);

    // All of them are under way, and their time-outs are seconds ahead.
    for (let n = 0; n < 5; n++) {
      await send(ada, `quick ${n}`);
      await meta.waitFor(() => meta.accepted.some(({ text }) => text === `quick ${n}`), 10_000);
    }
    const open = await channel.rows<{ n: number }>(
      "select count(*)::int as n from whatsapp_send_attempts where state in ('intent', 'ambiguous')",
    );
    // On a slow machine some have timed out by now. Those that Meta has taken are settled by their statuses, whatever becomes of the answers.
    expect(open[0]?.n).toBeGreaterThanOrEqual(2 * EACH);
    await channel.until(() => poolOf(channel).numUsed() === 0, "every connection to be back in the pool");
    const idle = await channel.rows(
      `select pid from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'
         and xact_start < now() - interval '1 second'`,
    );
    expect(idle).toEqual([]);

    const bob = meta.person({ name: "Bob", phoneNumber: phoneOf(901) });
    const chatter = setInterval(() => bob.says("still here"), 500);
    onFinished(() => clearInterval(chatter));
    await meta.waitFor(() => meta.accepted.length === people.length + 5, 60_000);
    clearInterval(chatter);
    await quiet(channel, 60_000);

    for (const { group, phone } of people)
      expect(meta.accepted.filter(({ recipient }) => recipient === phone).map(({ text }) => text)).toEqual([group]);
    // A status that came before its message was known is looked at again every second.
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state <> 'read'")).length === 0,
      "everything to be read",
    );
    expect(
      await channel.rows(
        `select o.id from whatsapp_outbox o join whatsapp_send_attempts a on a.outbox_id = o.id group by o.id having count(*) > 2`,
      ),
    ).toEqual([]);
  },
);

/** Everybody writes, so that their windows are open. @returns their conversations by number. */
async function meetAll(channel: TestChannel, phones: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const people = phones.map((phoneNumber) => channel.meta.person({ name: "Somebody", phoneNumber }));
  channel.meta.batch(people.map((from) => ({ from, text: "hello" })));
  const rows = await channel.until(async () => {
    const found = await channel.rows<{ phone_number: string; id: string }>(
      "select phone_number, conversation_id as id from whatsapp_contacts where conversation_id is not null",
    );
    return found.length === phones.length && found;
  }, "everybody to be known");
  await quiet(channel);
  return new Map(rows.map(({ phone_number, id }) => [phone_number, id]));
}

async function began(channel: TestChannel, count: number): Promise<void> {
  await channel.until(async () => {
    const [row] = await channel.rows<{ n: number }>("select count(*)::int as n from whatsapp_send_attempts");
    return row?.n === count;
  }, `${count} attempts to have begun`);
}

function poolOf({ database }: TestChannel): { numUsed(): number } {
  return database.knex.client.pool as { numUsed(): number };
}
