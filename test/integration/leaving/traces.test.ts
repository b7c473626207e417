/** Deliveries without events (brought again, or unreadable) are known only by what is written in them: which spellings name a person, and which do not. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createErasure } from "../../../adapters/postgres/erase.ts";
import { applyAll, delivery, type Engine, message, startEngine } from "../engine/support.ts";

const WAMID = "wamid.HBgMNTUxMTk4NzY1NDMyMRUC/A==";
const DAVI = { phone: "5511987654321", userId: "BR.davi7" };

const THEIRS = {
  "the number": '{"to": "5511987654321"}',
  "the number in its other spelling": '{"to": "551187654321"}',
  "the number as people write it, beginning with +": '{"text": "call +5511987654321!"}',
  "the number in escapes": '{"to": "\\u0035\\u00351187654321"}',
  "the number as a number": '{"to": 5511987654321}',
  "the number as a number with an exponent": '{"to": 5.511987654321e12}',
  "the number after a line break": '{"text": "call\\n5511987654321"}',
  "the number as a key": '{"5511987654321": 1}',
  "the user id": '{"to": "BR.davi7"}',
  "the user id in escapes": '{"to": "BR\\u002edavi7"}',
  "the user id after a line break": '{"text": "of\\nBR.davi7"}',
  "the id of a message": `{"id": "${WAMID}"}`,
  "the id of a message with its slash escaped": `{"id": "${WAMID.replace("/", "\\/")}"}`,
  "the id of a message without spaces": `{"statuses":[{"id":"${WAMID}","status":"read"}]}`,
  "the id of a message after another's": `{"ids": ["wamid.HBgMother", "${WAMID}"]}`,
  "the number, beside the business's": '{"display_phone_number": "15550100001", "to": "5511987654321"}',
} as const;

const NOBODYS = {
  "a longer number": '{"to": "55119876543210"}',
  "a number with more before it": '{"to": "15511987654321"}',
  "a number in pieces": '{"to": "5511 98765 4321"}',
  "a longer user id": '{"to": "BR.davi77"}',
  "a user id with more before it": '{"to": "xBR.davi7"}',
  "a user id in small letters": '{"to": "br.davi7"}',
  "a longer id of a message": `{"id": "${WAMID}="}`,
  "the beginning of the id of a message": `{"id": "${WAMID.slice(0, -1)}"}`,
  "the id of a message in a text": `{"text": "it was ${WAMID}"}`,
  "the number as that of the business": '{"display_phone_number": "5511987654321"}',
} as const;

const store = ({ rows }: Engine, name: string, body: Uint8Array, payload: string | null, id: number | null = null) =>
  rows(
    `insert into whatsapp_webhooks (id, webhook_type, body, payload, processed, created_at) overriding system value
     values (coalesce(?, nextval(pg_get_serial_sequence('whatsapp_webhooks', 'id'))), ?, ?, ?::jsonb, true, now() - interval '1 day')`,
    [id, name, Buffer.from(body), payload],
  );

async function davi(): Promise<Engine> {
  const engine = await startEngine();
  await engine.store.inbox.record([delivery(message({ id: WAMID, ...DAVI }))]);
  await applyAll(engine.store);
  return engine;
}

/** @returns the names of the deliveries that have lost their bytes, without the one that he is known by. */
async function erased({ database, rows }: Engine): Promise<readonly string[]> {
  const db = createDatabase(database.knex, { schema: "public", hostSchema: "public", readsWholeTables: true });
  await createErasure(db).erase({ phoneNumber: DAVI.phone }, null);
  const found = await rows<{ name: string }>(
    "select webhook_type as name from whatsapp_webhooks where body = '' and webhook_type <> 'messages' order by id",
  );
  return found.map(({ name }) => name);
}

it("what names a person in any spelling loses its bytes, and nothing else does", async () => {
  const engine = await davi();
  for (const [name, json] of Object.entries({ ...THEIRS, ...NOBODYS }))
    await store(engine, name, Buffer.from(json), json);

  expect(await erased(engine)).toEqual(Object.keys(THEIRS));
});

it("what nobody could read is looked through as it came", async () => {
  const engine = await davi();
  await store(engine, "half of it", Buffer.from('{"to": "5511987654321", "na'), null);
  await store(engine, "between bytes", Buffer.from([0, 255, ...Buffer.from('"BR.davi7"'), 200]), null);
  await store(engine, "an id in it", Buffer.from(`{"id": "${WAMID}", "te`), null);
  await store(engine, "packed", gzipSync('{"to": "5511987654321"}'), null);
  await store(engine, "another's", Buffer.from('{"to": "447700900456", "na'), null);

  expect(await erased(engine)).toEqual(["half of it", "between bytes", "an id in it"]);
});

it("a delivery is found however many others are stored before and after it", async () => {
  const engine = await davi();
  const json = THEIRS["the number"];
  for (const id of [9_999, 10_000, 10_001, 19_999, 20_000, 20_001, 2_000_000])
    await store(engine, String(id), Buffer.from(json), json, id);

  expect(await erased(engine)).toEqual(["9999", "10000", "10001", "19999", "20000", "20001", "2000000"]);
});

it("a message id that the host has made up is not looked for in the midst of Meta's words", async () => {
  const engine = await davi();
  await engine.rows("update messages set external_id = 'id'");
  const json = NOBODYS["a longer number"];
  await store(engine, "somebody's", Buffer.from(json.replace("to", "id")), json.replace("to", "id"));

  expect(await erased(engine)).toEqual([]);
});
