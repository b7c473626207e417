/** kill -9 at any moment under load: nothing lost, no database effect doubled, every conversation in order. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Turn } from "@omniops/whatsapp";
import { createSimulator, escapedJson, signatureOf } from "@omniops/whatsapp/simulator";
import { expect, it } from "vitest";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, quiet, TOKEN_KEYS, VERIFY_TOKEN } from "../support/channel.ts";
import { createHostProcess } from "../support/host-process.ts";
import { createTestDatabase } from "../support/postgres.ts";

const PEOPLE = 50;
const MESSAGES_EACH = 20;
const KILLS = 10;

it(`loses, doubles and reorders nothing over ${KILLS} kills and ${PEOPLE * MESSAGES_EACH} messages`, {
  timeout: 180_000,
}, async () => {
  const seed = Number(process.env.FAULT_SEED ?? randomBytes(4).readUInt32LE());
  console.log(`FAULT_SEED=${seed}`);
  const random = mulberry32(seed);
  const database = await createTestDatabase({ empty: true });
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    enforceWindow: false,
    webhookConcurrency: 16,
  });
  await meta.start();
  const chat = await startChat();
  const host = await createHostProcess({
    DATABASE_URL: database.url,
    CHAT_API_URL: chat.url,
    META_GRAPH_URL: meta.url,
    META_APP_SECRET: APP_SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
    WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
    WHATSAPP_PHONE_NUMBER_ID: NUMBER.phoneNumberId,
    WHATSAPP_BUSINESS_ACCOUNT_ID: NUMBER.wabaId,
    WHATSAPP_LEASE_MS: "2000",
    WHATSAPP_RECONCILE_MS: "8000",
    WHATSAPP_COALESCE_MS: "50",
  });
  meta.setWebhookUrl(`${host.url}/api/whatsapp/webhook`);

  try {
    await host.start();
    let kills = 0;
    const people = Array.from({ length: PEOPLE }, (_, person) => writeAll(host.url, person, random, () => kills));
    let writing = true;
    const all = Promise.all(people).finally(() => {
      writing = false;
    });
    while (kills < KILLS && writing) {
      await pause(200 + random() * 900);
      await host.end("SIGKILL");
      kills++;
      await host.start();
    }
    await all;
    await meta.idle();
    const rows = async <T>(sql: string) => (await database.knex.raw(sql)).rows as T[];
    await quietWithin(rows, 60_000);
    await meta.idle();

    expect(kills).toBe(KILLS);
    // I1 and I2: every acknowledged message has its effect, once.
    const effects = await rows<{ conversation_id: string; external_id: string; content: string }>(
      "select conversation_id, external_id, content from messages where role = 'user' order by conversation_id, created_at",
    );
    expect(effects).toHaveLength(PEOPLE * MESSAGES_EACH);
    expect(new Set(effects.map(({ external_id }) => external_id)).size).toBe(PEOPLE * MESSAGES_EACH);
    // I3: in the order in which each person wrote.
    const conversations = groupBy(effects, ({ conversation_id }) => conversation_id);
    expect(conversations.size).toBe(PEOPLE);
    for (const messages of conversations.values())
      expect(messages.map(({ content }) => Number(content.split(" ")[1]))).toEqual(
        Array.from({ length: MESSAGES_EACH }, (_, n) => n + 1),
      );
    // Every message was in exactly one turn, every turn was answered once, whatever the host was asked again.
    const turns = await rows<{ id: string; state: number; messages: { externalId: string }[] }>(
      "select id, state, messages from whatsapp_turns",
    );
    expect(turns.flatMap(({ messages }) => messages.map(({ externalId }) => externalId)).sort()).toEqual(
      effects.map(({ external_id }) => external_id).sort(),
    );
    expect(turns.every(({ state }) => state === 1)).toBe(true);
    for (const [turnId, contents] of chat.asked)
      expect([...contents], `turn ${turnId} changed between tries`).toHaveLength(1);
    // P6 and P7: each answer is with Meta exactly once, or visibly unknown.
    const parts = await rows<{ state: string; count: string }>(
      "select state, count(*) from whatsapp_outbox group by state",
    );
    const sent = groupBy(meta.accepted, ({ recipient, text }) => `${recipient} ${text}`);
    for (const [answer, copies] of sent) expect(copies.length, `copies of "${answer}"`).toBe(1);
    const unknown = Number(parts.find(({ state }) => state === "unknown")?.count ?? 0);
    expect(sent.size).toBeGreaterThanOrEqual(turns.length - unknown);
    // Order on the way out.
    for (const answers of groupBy(meta.accepted, ({ recipient }) => recipient).values()) {
      const numbers = answers.flatMap(({ text }) => (text ?? "").match(/\d+/g)?.map(Number) ?? []);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    console.log(
      `kills ${kills}, turns ${turns.length}, host asked ${[...chat.calls.values()].reduce((a, b) => a + b, 0)} times, parts ${JSON.stringify(parts)}`,
    );
    expect(await host.end("SIGTERM")).toBe(0);
  } finally {
    await host.end("SIGKILL");
    await chat.stop();
    await meta.stop();
  }
});

/** Meta, for one person: the next message goes out once the one before was acknowledged, and is repeated until it is. */
async function writeAll(hostUrl: string, person: number, random: () => number, kills: () => number): Promise<void> {
  for (let n = 1; n <= MESSAGES_EACH; n++) {
    const body = Buffer.from(escapedJson(delivery(person, n)));
    const headers = { "content-type": "application/json", "x-hub-signature-256": signatureOf(body, APP_SECRET) };
    for (;;) {
      const answer = await fetch(`${hostUrl}/api/whatsapp/webhook`, { method: "POST", headers, body }).catch(
        () => null,
      );
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.status === 200) break;
      await pause(50 + random() * 100);
    }
    // One in ten is repeated although it was acknowledged.
    if (random() < 0.1)
      await fetch(`${hostUrl}/api/whatsapp/webhook`, { method: "POST", headers, body }).then(
        (again) => again.arrayBuffer(),
        () => undefined,
      );
    // Keeps the load going until the last kill.
    const isAhead = n / MESSAGES_EACH > (kills() + 1) / KILLS;
    await pause(isAhead ? 400 + random() * 400 : random() * 60);
  }
}

function delivery(person: number, n: number): object {
  const phone = String(447700900000 + person);
  return {
    object: "whatsapp_business_account",
    entry: [
      {
        id: NUMBER.wabaId,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
              contacts: [{ profile: { name: `Person ${person}` }, wa_id: phone }],
              messages: [
                {
                  from: phone,
                  id: `wamid.P${person}N${n}`,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: `message ${n} 🙂` },
                },
              ],
            },
          },
        ],
      },
    ],
  };
}

/** The host's AI: answers with the numbers it was given, and remembers what it was asked. */
async function startChat() {
  const asked = new Map<string, Set<string>>();
  const calls = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const turn = JSON.parse(Buffer.concat(chunks).toString()) as Turn;
    const numbers = turn.messages.map(({ text }) => text?.split(" ")[1]).join(", ");
    asked.set(turn.turnId, (asked.get(turn.turnId) ?? new Set()).add(numbers));
    calls.set(turn.turnId, (calls.get(turn.turnId) ?? 0) + 1);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ text: `re: ${numbers}` }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    calls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function quietWithin(rows: <T>(sql: string) => Promise<T[]>, timeoutMs: number): Promise<void> {
  await quiet({ rows: (sql: string) => rows(sql) } as never, timeoutMs);
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
