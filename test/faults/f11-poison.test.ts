/** F11 and F11b: what cannot be applied, and what takes for ever, is its own conversation's trouble. */
import { expect } from "vitest";
import { quiet, until } from "../support/channel.ts";
import { startChat } from "./support/chat.ts";
import { experiment } from "./support/experiment.ts";
import { type Stage, startStage } from "./support/stage.ts";
import { peopleFrom } from "./support/writing.ts";

const ADA = 0;
const OTHERS = peopleFrom(1, 15);
const MESSAGES_EACH = 3;
const MAX_ATTEMPTS = 8;
/** So long that whatever happens meanwhile has not waited for it: the test says when it is over. */
const BACK_OFF_MS = 600_000;

experiment(
  "F11",
  "poison at the head of a lane stops nobody else; parked after its last try, its lane goes on in order, and it can be redriven",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, {
      options: { retry: { maxAttempts: MAX_ATTEMPTS, baseMs: BACK_OFF_MS, maxMs: BACK_OFF_MS } },
    });
    await stage.rows(`create function refuse() returns trigger language plpgsql as $$
      begin if new.external_id = 'wamid.P${ADA}N1' then raise 'no' using errcode = 'P0001'; end if; return new; end $$`);
    await stage.rows("create trigger refuse before insert on messages for each row execute function refuse()");

    await everybodyWrites(stage);
    await answersToOthers(stage);
    // All others were answered, and it is not parked yet: nobody has waited for that.
    expect(await stage.rows("select 1 from whatsapp_events where state = 2")).toEqual([]);
    expect(await shown(stage)).not.toContain(`wamid.P${ADA}N2`);

    for (let n = 1; n < MAX_ATTEMPTS; n++) {
      await backsOff(stage, n);
      await stage.rows("update whatsapp_lanes set ready_at = now() where stage = 'in' and attempts > 0");
    }
    await quiet({ rows: stage.rows as never }, 120_000);
    expect(await stage.rows("select external_id from whatsapp_events where state = 2")).toEqual([
      { external_id: `wamid.P${ADA}N1` },
    ]);
    expect(await shown(stage)).toEqual([`wamid.P${ADA}N2`, `wamid.P${ADA}N3`]);
    await stage.check();

    await stage.rows("drop trigger refuse on messages");
    const answered = stage.meta.accepted.length;
    for (const worker of stage.workers) await stage.start(worker);
    expect(await stage.plugin.deadLetters.redrive({})).toMatchObject({ redriven: 1 });
    await until(async () => (await shown(stage)).includes(`wamid.P${ADA}N1`), "the redriven message", 120_000);
    await stage.settle();
    expect(stage.meta.accepted.length).toBe(answered + 1);
  },
);

experiment(
  "F11b",
  "a conversation whose answer takes for ever delays nobody else's",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    let open = () => {};
    const slow = new Promise<void>((resolve) => {
      open = resolve;
    });
    onFinished(() => open());
    const chat = await startChat(async ({ messages }) => {
      if (messages.some(({ externalId }) => externalId.startsWith(`wamid.P${ADA}N`))) await slow;
      return "here you are";
    });
    onFinished(() => chat.stop());
    const stage = await startStage(random, onFinished, { chatUrl: chat.url });

    await everybodyWrites(stage);
    await answersToOthers(stage);
    expect(
      await stage.rows(`select 1 from whatsapp_turns t, jsonb_array_elements(t.messages) m
      where t.state = 1 and m ->> 'externalId' like 'wamid.P${ADA}N%'`),
    ).toEqual([]);

    open();
    await stage.check();
    expect([...chat.asked.values()].every((tries) => new Set(tries).size === 1)).toBe(true);
  },
);

async function everybodyWrites(stage: Stage): Promise<void> {
  await Promise.all(
    [ADA, ...OTHERS].map(async (person) => {
      for (let n = 0; n < MESSAGES_EACH; n++) await stage.write(person);
    }),
  );
}

/** Every message of everybody but Ada is in a turn that was answered. */
async function answersToOthers(stage: Stage): Promise<void> {
  await until(
    async () => {
      const [row] = await stage.rows<{ n: number }>(
        `select count(*)::int as n from whatsapp_turns t, jsonb_array_elements(t.messages) m
         where t.state = 1 and m ->> 'externalId' not like 'wamid.P${ADA}N%'`,
      );
      return row?.n === OTHERS.length * MESSAGES_EACH;
    },
    "everybody else's answers",
    120_000,
  );
}

async function backsOff(stage: Stage, attempts: number): Promise<void> {
  await until(
    async () =>
      (
        await stage.rows("select 1 from whatsapp_lanes where stage = 'in' and attempts = $1 and lease_token is null", [
          attempts,
        ])
      ).length === 1,
    `try number ${attempts}`,
    30_000,
  );
}

/** What Ada wrote and the inbox shows, in order. */
async function shown(stage: Stage): Promise<string[]> {
  const found = await stage.rows<{ external_id: string }>(
    `select external_id from messages where external_id like 'wamid.P${ADA}N%' order by created_at`,
  );
  return found.map(({ external_id }) => external_id);
}
