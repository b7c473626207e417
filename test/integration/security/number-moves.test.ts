/** T20: a number goes from tenant to tenant while people write to it. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { expect, it } from "vitest";
import { APP_SECRET, NUMBER, quiet, TENANT, until } from "../../support/channel.ts";
import { message } from "../engine/support.ts";
import { connectNumber, disconnect, OTHER_TENANT, startLeaving } from "../leaving/leaving.ts";

type Posted = { readonly from: number; readonly until: number };
/** Whose the number was, from one step to another; null while it is being moved. */
type Stretch = Posted & { readonly tenant: string | null };

const PEOPLE = 20;
const MOVES = 6;
const EACH = 80;

it("each message is the tenant's who has the number when it comes, none of theirs is lost or doubled, and none is the next one's", async () => {
  const asked = new Map<string, string>();
  const channel = await startLeaving({
    reply(turn) {
      for (const { id } of turn.messages) asked.set(id, turn.customerConfigId);
      return null;
    },
  });
  // A step of its own counts the order: what has one step between them did not overlap.
  let step = 0;
  const posted = new Map<string, Posted>();
  const stretches: Stretch[] = [];
  let owner: string | null = TENANT;
  let since = step;
  const become = (tenant: string | null) => {
    step += 1;
    stretches.push({ tenant: owner, from: since, until: step });
    [owner, since] = [tenant, step];
  };

  let n = 0;
  const post = async () => {
    const id = `wamid.${n}`;
    const change = message({ id, phone: `4477009${String(n % PEOPLE).padStart(5, "0")}` });
    n += 1;
    const body = Buffer.from(
      JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes: [change] }] }),
    );
    const from = step;
    const answer = await fetch(`${channel.url}/webhook`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-hub-signature-256": signatureOf(body, APP_SECRET) },
      body,
    });
    expect(answer.status).toBe(200);
    posted.set(id, { from, until: step });
  };
  let isWriting = true;
  const writers = Array.from({ length: 8 }, async () => {
    while (isWriting) await post();
  });
  const written = async (more: number) => {
    const enough = posted.size + more;
    // A writer that fails ends the test, and not the wait for the others.
    await Promise.race([until(() => posted.size >= enough, "people to write", 60_000), Promise.all(writers)]);
  };

  for (let move = 0; move < MOVES; move++) {
    await written(EACH);
    const [from, to] = move % 2 === 0 ? [TENANT, OTHER_TENANT] : [OTHER_TENANT, TENANT];
    become(null);
    expect((await disconnect(channel, undefined, { "x-tenant": from })).status).toBe(200);
    await connectNumber(channel, NUMBER, to);
    become(to);
  }
  await written(EACH);
  isWriting = false;
  await Promise.all(writers);
  become(null);
  await quiet(channel, 60_000);

  const found = await channel.rows<{ wamid: string; tenant: string; bound: string }>(
    `select m.external_id as wamid, v.customer_config_id as tenant, n.customer_config_id as bound from messages m
     join conversations v on v.id = m.conversation_id join whatsapp_events e on e.payload ->> 'messageId' = m.external_id
     join whatsapp_connections n on n.id = e.connection_id`,
  );
  expect(new Set(found.map(({ wamid }) => wamid)).size).toBe(found.length);
  // What came while nobody had it is nobody's.
  const kept = new Set(found.map(({ wamid }) => wamid));
  const missing = [...posted].filter(([wamid]) => !kept.has(wamid)).map(([, when]) => when);
  expect(
    missing.filter(({ from, until }) =>
      stretches.some((one) => one.tenant !== null && one.from <= from && until < one.until),
    ),
  ).toEqual([]);
  // Whoever was bound when it was stored: conversation, event and AI say the same.
  expect(
    found.filter(({ wamid, tenant, bound }) => tenant !== bound || (asked.get(wamid) ?? tenant) !== tenant),
  ).toEqual([]);
  const sure = found.flatMap(({ wamid, tenant }) => {
    const { from, until } = posted.get(wamid)!;
    const whole = stretches.find((one) => one.from <= from && until < one.until);
    return whole?.tenant == null ? [] : [{ wamid, tenant, whose: whole.tenant }];
  });
  expect(sure.filter(({ tenant, whose }) => tenant !== whose)).toEqual([]);
  for (const tenant of [TENANT, OTHER_TENANT])
    expect(sure.filter(({ whose }) => whose === tenant).length).toBeGreaterThan(EACH);
}, 180_000);
