/** The checker itself: each invariant notices a database, or a ledger, in which it is broken. */
import type { AcceptedMessage } from "@omniops/whatsapp/simulator";
import { beforeAll, expect, it } from "vitest";
import { quiet, startChannel, type TestChannel } from "../support/channel.ts";
import { check, type Evidence, type Invariant } from "./support/checker.ts";

let channel: TestChannel;
let sound: Evidence;

beforeAll(async () => {
  channel = await startChannel();
  const acknowledged: { person: string; wamid: string }[] = [];
  const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
  for (const text of ["one", "two"]) {
    acknowledged.push({ person: "Ada", wamid: ada.says(text) });
    const taken = channel.meta.accepted.length;
    await channel.meta.waitFor(() => channel.meta.accepted.length > taken);
    await channel.meta.idle();
  }
  await quiet(channel);
  await channel.plugin.stop();
  sound = { rows: channel.rows, acknowledged, accepted: [...channel.meta.accepted] };
});

it("finds nothing where all is well", async () => {
  expect(await check({ ...sound, exits: [0], output: "listening", canaries: ["secret"] })).toEqual({});
});

const CORRUPTIONS: readonly [Invariant, string, string][] = [
  ["I1", "a message that is gone", "delete from messages where role = 'user' and content = 'one'"],
  ["I2", "a message that is there twice", "update whatsapp_turns set messages = messages || messages"],
  [
    "I3",
    "two turns that have changed places",
    `update whatsapp_turns t set messages = o.messages from whatsapp_turns o where o.id <> t.id`,
  ],
  ["I3", "two rows that have changed places", "update messages set created_at = now() + (now() - created_at) * 1"],
  ["I4", "a lane that is still held", "update whatsapp_lanes set lease_token = gen_random_uuid() where stage = 'in'"],
  ["I4", "an event that nobody has applied", "update whatsapp_events set state = 0 where kind = 'message'"],
  ["I5", "a delivery that was left half done", "update whatsapp_webhooks set processed = false, pending = 1"],
  ["I6", "a part that has gone back", "update whatsapp_outbox set state = 'sent'"],
  ["I7", "a part that still waits", "update whatsapp_outbox set state = 'queued'"],
  ["I7", "an accepted part whose wamid is gone", "update whatsapp_outbox set message_id = null"],
  [
    "I9",
    "a conversation that has become somebody else's",
    `with other as (insert into customer_configs (id) values (gen_random_uuid()) returning id)
     update conversations set customer_config_id = (select id from other)`,
  ],
];

it.each(CORRUPTIONS)("%s notices %s", async (invariant, _what, sql) => {
  const found = await corrupted(sql);
  expect(Object.keys(found)).toContain(invariant);
});

it("I7 notices a message that Meta took twice, and one that we know nothing of", async () => {
  const [first] = sound.accepted as [AcceptedMessage];
  expect(await check({ ...sound, accepted: [...sound.accepted, first] })).toEqual({
    I7: [expect.stringMatching(/taken 2 times/)],
  });
  const stranger = { ...first, callbackData: "a stranger" };
  expect(await check({ ...sound, accepted: [stranger] })).toEqual({
    I7: [expect.stringMatching(/without an attempt/)],
  });
});

const TOLD = (when: string) =>
  `update whatsapp_events set created_at = now() + interval '${when}' where kind = 'status'`;

it.each([
  ["lets pass", "was sent again by the rule", "20 seconds", TOLD("1 hour"), []],
  ["notices", "was sent again too soon", "19 seconds", TOLD("1 hour"), ["I7"]],
  ["notices", "was sent again although its status was there", "20 seconds", "select 1", ["I7"]],
  [
    "notices",
    "was sent again and its status was lost",
    "20 seconds",
    "delete from whatsapp_events where kind = 'status'",
    ["I7"],
  ],
])("I7 %s a message that Meta took twice if it %s", async (_verdict, _what, later, status, found) => {
  const again = { ...(sound.accepted[0] as AcceptedMessage), callbackData: "again" };
  const verdict = await corrupted(
    `insert into whatsapp_send_attempts (outbox_id, token, state, started_at)
       select outbox_id, 'again', 'accepted', started_at + interval '${later}' from whatsapp_send_attempts order by id limit 1; ${status}`,
    { accepted: [...sound.accepted, again], reconcileMs: 20_000 },
  );
  expect(Object.keys(verdict)).toEqual(found);
});

it("I8 notices a canary, I10 a process that ended badly", async () => {
  expect(await check({ ...sound, output: "… canary-1 …", canaries: ["canary-1"] })).toEqual({ I8: ["canary 0"] });
  expect(await check({ ...sound, exits: [0, 1], output: "triggerUncaughtException" })).toEqual({
    I10: ["ended with 1", "an unhandled rejection"],
  });
});

/** What the checker says inside a transaction that is then rolled back. */
async function corrupted(sql: string, more: Partial<Evidence> = {}) {
  const trx = await channel.database.knex.transaction();
  try {
    await trx.raw(sql);
    return await check({
      ...sound,
      ...more,
      rows: async <T>(query: string, bindings: readonly unknown[] = []) =>
        (await trx.raw(query, bindings as never)).rows as T[],
    });
  } finally {
    await trx.rollback();
  }
}
