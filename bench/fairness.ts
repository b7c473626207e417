/** What somebody waits while others have 100,000 waiting: one tenant, five, and one with as many parts in the outbox. */
import type { Knex } from "knex";
import { buildBatches, buildRequests, numberOf, openSender, sendAll, tenantOf } from "./load.ts";
import { runServer } from "./run-server.ts";
import { countOf, judge, pause, type World, withKnex } from "./world.ts";

const MOST_P95_MS = 2_000;
const PER_LANE = 10;
const PER_SECOND = 20;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 12);
/** Each writes every five seconds. */
const PEOPLE = 100;
/** Nobody's of the others. */
const FIRST_OF_B = 448700900000;

type Hogs = { readonly name: string; readonly tenants: number; readonly what: "messages" | "parts" };

export async function benchFairness(world: World): Promise<boolean> {
  const backlog = countOf(100_000);
  console.log(
    `\nTenant B writes ${PER_SECOND} messages/s for ${SECONDS} s while others have ${backlog} waiting, one process, coalesceMs 0`,
  );
  const cases: readonly Hogs[] = [
    { name: "nobody else", tenants: 0, what: "messages" },
    { name: `one tenant with ${backlog} messages`, tenants: 1, what: "messages" },
    { name: `five tenants with ${backlog / 5} messages each`, tenants: 5, what: "messages" },
    { name: `one tenant with ${backlog} parts in the outbox`, tenants: 1, what: "parts" },
  ];
  let isFair = true;
  for (const [i, hogs] of cases.entries()) {
    const { latencies, left } = await oneCase(world, hogs, backlog, `fairness${i}`);
    const at = (share: number) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] as number;
    console.log(
      `  ${hogs.name}: p50 ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms, most ${at(1).toFixed(0)} ms of ${latencies.length}` +
        (hogs.tenants === 0 ? "" : `; ${left} of the others' were left`),
    );
    if (hogs.tenants === 0) continue;
    const held = left > 0 && at(0.95) < MOST_P95_MS;
    isFair = judge(`p95 below ${MOST_P95_MS} ms while the backlog lasts`, held) && isFair;
  }
  return isFair;
}

async function oneCase({ freshDatabase, graph }: World, { tenants, what }: Hogs, backlog: number, name: string) {
  const database = await freshDatabase(name);
  const url = graph.url;
  // Stores and starts nothing: so the backlog is there before anybody works.
  const storing = await runServer(what === "parts" ? "silent" : "acks", database, url, String(tenants + 1));
  const each = what === "parts" ? backlog / PER_LANE : backlog;
  for (let tenant = 1; tenant <= tenants; tenant++)
    await sendAll(
      storing.port,
      buildBatches({
        count: each / tenants,
        people: backlog / PER_LANE / tenants,
        run: `${name}.${tenant}`,
        perDelivery: 50,
        to: numberOf(tenant),
      }),
      8,
    );
  return withKnex(database, async (knex) => {
    if (what === "parts") await becomeParts(knex);
    await storing.stop();
    await knex.raw("vacuum analyze");
    const server = await runServer("full", database, url, String(tenants + 1));
    if (tenants > 0) await pause(2_000);
    const latencies = await write(server.port, graph, name);
    const left = await waiting(knex);
    await server.stop();
    return { latencies, left };
  });
}

/** B's messages, one after the other at their pace, however late the answers. @returns how long each waited, sorted. */
async function write(port: number, graph: World["graph"], name: string): Promise<readonly number[]> {
  const requests = buildRequests({
    count: PER_SECOND * SECONDS,
    people: PEOPLE,
    run: `${name}.b`,
    to: numberOf(0),
    firstPhone: FIRST_OF_B,
  });
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  graph.onMessage = (to) => {
    const since = sentAt.get(to);
    sentAt.delete(to);
    if (since !== undefined) latencies.push(performance.now() - since);
  };
  const sender = await openSender(port, 8);
  const startedAt = performance.now();
  for (const [n, request] of requests.entries()) {
    await pause(Math.max(0, startedAt + (n * 1_000) / PER_SECOND - performance.now()));
    const phone = String(FIRST_OF_B + (n % PEOPLE));
    // Two that are answered together count from the first.
    if (!sentAt.has(phone)) sentAt.set(phone, performance.now());
    sender.send(request);
  }
  const deadline = performance.now() + 30_000;
  while (sentAt.size > 0 && performance.now() < deadline) await pause(20);
  graph.onMessage = () => {};
  sender.close();
  // Whoever was not answered at all has waited until now.
  for (const since of sentAt.values()) latencies.push(performance.now() - since);
  return latencies.sort((a, b) => a - b);
}

/** Of all but B. */
async function waiting(knex: Knex): Promise<number> {
  const { rows } = await knex.raw(
    "select coalesce(sum(pending), 0)::int as pending from whatsapp_lanes where tenant <> md5(?)::uuid",
    [tenantOf(0)],
  );
  return rows[0].pending;
}

/** Once everybody is known: as many parts for each as if they had all been sent before anything left. */
async function becomeParts(knex: Knex): Promise<void> {
  while ((await waiting(knex)) > 0) await pause(50);
  await knex.raw(
    `with people as (
       select c.id, c.conversation_id, c.connection_id, c.customer_config_id, gen_random_uuid() as send_id from whatsapp_contacts c),
     sends as (
       insert into whatsapp_sends (id, customer_config_id, conversation_id, request_hash)
       select send_id, customer_config_id, conversation_id, 'bench' from people),
     parts as (
       insert into whatsapp_outbox (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id, conversation_id, kind, payload)
       select send_id, n, 'out:contact:' || id, connection_id, customer_config_id, id, conversation_id, 'text',
         '{"type":"text","text":{"body":"One of many."}}' from people, generate_series(0, ${PER_LANE - 1}) n)
     insert into whatsapp_lanes (lane_key, stage, pending, ready_at, tenant)
     select 'out:contact:' || id, 'out', ${PER_LANE}, now() + interval '1 minute', md5(customer_config_id::text)::uuid from people`,
  );
  await knex.raw("update whatsapp_lanes set ready_at = now() where stage = 'out'");
}
