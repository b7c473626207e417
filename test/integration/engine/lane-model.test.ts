/** S3: the queue on real Postgres against a model that fits on a page, over random sequences of everything that can happen. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import type { ClaimedLane } from "../../../plugin/ports.ts";
import { delivery, type Engine, message, startEngine, stranded } from "./support.ts";

const PEOPLE = 3;
const WORKERS = 2;

type Claim = { readonly lane: ClaimedLane; readonly person: number; isLost: boolean };

/** What must be true, in thirty lines: who holds which lane, what waits in it, and what was done. */
class Model {
  readonly waiting: string[][] = Array.from({ length: PEOPLE }, () => []);
  readonly done: string[][] = Array.from({ length: PEOPLE }, () => []);
  readonly dead: string[] = [];
  readonly isReady: boolean[] = Array.from({ length: PEOPLE }, () => false);
  readonly attempts: number[] = Array.from({ length: PEOPLE }, () => 0);
  readonly crashes: number[] = Array.from({ length: PEOPLE }, () => 0);
  readonly held: (Claim | null)[] = Array.from({ length: PEOPLE }, () => null);
  readonly claims: Claim[][] = Array.from({ length: WORKERS }, () => []);
  count = 0;

  enqueue(person: number, id: string): void {
    this.waiting[person]?.push(id);
    // A lane that is held or backing off keeps its time.
    if (this.held[person] === null && this.waiting[person]?.length === 1) this.isReady[person] = true;
  }
  claim(worker: number, lane: ClaimedLane, person: number): void {
    expect(this.isReady[person], `lane of person ${person} was not ready`).toBe(true);
    // Its holder's lease has run out: that makes its head suspect, and from now on the holder is fenced out.
    const before = this.held[person];
    if (before) {
      before.isLost = true;
      this.crashes[person] = (this.crashes[person] ?? 0) + 1;
    }
    expect([lane.attempts, lane.crashes]).toEqual([this.attempts[person], this.crashes[person]]);
    const claim = { lane, person, isLost: false };
    this.held[person] = claim;
    this.isReady[person] = false;
    this.claims[worker]?.push(claim);
  }
  giveBack(claim: Claim, isReady: boolean): void {
    if (claim.isLost) return;
    this.held[claim.person] = null;
    this.isReady[claim.person] = isReady && (this.waiting[claim.person]?.length ?? 0) > 0;
  }
  passTime(): void {
    for (const [person, waiting] of this.waiting.entries()) this.isReady[person] = waiting.length > 0;
  }
}

type Real = { readonly engine: Engine; readonly run: number };
type Command = fc.AsyncCommand<Model, Real>;

const enqueue = (people: readonly number[]): Command => ({
  check: () => true,
  toString: () => `enqueue(${people})`,
  async run(model, { engine, run }) {
    const messages = people.map((person) => {
      const id = `wamid.${run}.${model.count++}`;
      model.enqueue(person, id);
      return message({ id, phone: phoneOf(run, person) });
    });
    await engine.store.inbox.record([delivery(...messages)]);
  },
});

const claim = (worker: number, limit: number): Command => ({
  check: () => true,
  toString: () => `claim(worker ${worker}, ${limit})`,
  async run(model, { engine, run }) {
    const lanes = await engine.store.lanes.claim("in", limit);
    expect(lanes).toHaveLength(Math.min(limit, model.isReady.filter(Boolean).length));
    for (const lane of lanes) model.claim(worker, lane, await personOf(engine, run, lane));
  },
});

const complete = (worker: number, perLane: number): Command => ({
  check: (model) => (model.claims[worker]?.length ?? 0) > 0,
  toString: () => `complete(worker ${worker}, ${perLane} events)`,
  async run(model, { engine }) {
    const claimed = model.claims[worker]?.shift();
    if (!claimed) return;
    const { person, lane } = claimed;
    const events = await engine.store.inbox.load([lane], perLane);
    const ids = events.map(({ event }) => (event.kind === "message" ? event.messageId : ""));
    expect((await engine.store.inbox.apply([lane], events, planEffects(events))) === null).toBe(claimed.isLost);
    if (claimed.isLost) return;
    expect(ids).toEqual(model.waiting[person]?.splice(0, perLane));
    model.done[person]?.push(...ids);
    model.attempts[person] = 0;
    model.crashes[person] = 0;
    model.giveBack(claimed, true);
  },
});

const fail = (worker: number): Command => ({
  check: (model) => (model.claims[worker]?.length ?? 0) > 0,
  toString: () => `fail(worker ${worker})`,
  async run(model, { engine }) {
    const claimed = model.claims[worker]?.shift();
    if (!claimed) return;
    await engine.store.lanes.postpone(claimed.lane, 3_600_000, true);
    if (claimed.isLost) return;
    model.attempts[claimed.person] = (model.attempts[claimed.person] ?? 0) + 1;
    model.giveBack(claimed, false);
  },
});

const bury = (worker: number): Command => ({
  check: (model) => (model.claims[worker]?.length ?? 0) > 0,
  toString: () => `bury(worker ${worker})`,
  async run(model, { engine }) {
    const claimed = model.claims[worker]?.shift();
    if (!claimed) return;
    const [head] = await engine.store.inbox.load([claimed.lane], 1);
    if (head) await engine.store.inbox.bury(claimed.lane, head.eventId, "Error");
    if (claimed.isLost) return;
    model.dead.push(...(model.waiting[claimed.person]?.splice(0, 1) ?? []));
    model.attempts[claimed.person] = 0;
    model.crashes[claimed.person] = 0;
    model.giveBack(claimed, true);
  },
});

const release = (worker: number): Command => ({
  check: (model) => (model.claims[worker]?.length ?? 0) > 0,
  toString: () => `release(worker ${worker})`,
  async run(model, { engine }) {
    const claims = model.claims[worker]?.splice(0) ?? [];
    await engine.store.lanes.release(claims.map(({ lane }) => lane));
    for (const claimed of claims) model.giveBack(claimed, true);
  },
});

/** A worker dies, or stops for longer than its lease; backoffs end too. */
const passTime = (): Command => ({
  check: () => true,
  toString: () => "time passes",
  async run(model, { engine }) {
    await engine.rows("update whatsapp_lanes set ready_at = now() where stage = 'in' and ready_at is not null");
    model.passTime();
  },
});

it("behaves as the model does, whatever happens in whatever order", async () => {
  const engine = await startEngine({ leaseMs: 3_600_000 });
  let run = 0;
  const person = fc.nat(PEOPLE - 1);
  const worker = fc.nat(WORKERS - 1);
  const commands = fc.commands(
    [
      fc.array(person, { minLength: 1, maxLength: 4 }).map(enqueue),
      fc.tuple(worker, fc.integer({ min: 1, max: PEOPLE })).map(([who, limit]) => claim(who, limit)),
      fc.tuple(worker, fc.integer({ min: 1, max: 3 })).map(([who, perLane]) => complete(who, perLane)),
      worker.map(fail),
      worker.map(bury),
      worker.map(release),
      fc.constant(passTime()),
    ],
    { maxCommands: 40, size: "max" },
  );

  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      run += 1;
      // What a failing run left behind must not confuse the search for a smaller one.
      await engine.rows("truncate whatsapp_lanes, whatsapp_events, whatsapp_turns");
      const model = new Model();
      const setup = () => ({ model, real: { engine, run } });
      await fc.asyncModelRun(setup, [...sequence]);
      await compare(engine, model, run);
      await drain(engine, model, run);
    }),
    { numRuns: 40 },
  );
});

/** The lane rows say what the model says, and count what is there. */
async function compare({ rows }: Engine, model: Model, run: number): Promise<void> {
  const found = await rows<{ phone: string; pending: number; attempts: number; token: string | null; waiting: string }>(
    `select c.phone_number as phone, l.pending, l.attempts, l.lease_token as token,
       (select count(*) from whatsapp_events e where e.lane_key = l.lane_key and e.state = 0) as waiting
     from whatsapp_lanes l join whatsapp_contacts c on l.lane_key = 'in:contact:' || c.id where c.phone_number like ?`,
    [`${prefixOf(run)}%`],
  );
  for (const lane of found) {
    const person = Number(lane.phone.at(-1));
    expect(lane.pending).toBe(Number(lane.waiting));
    expect(lane.pending).toBe(model.waiting[person]?.length);
    if (model.held[person]) expect(lane.token).toBe(model.held[person]?.lane.token);
  }
}

/** Whatever was left is worked to the end: nothing stranded, everything once, every lane in the order of storing. */
async function drain(engine: Engine, model: Model, run: number): Promise<void> {
  const { store, rows } = engine;
  await rows("update whatsapp_lanes set ready_at = now() where stage = 'in' and ready_at is not null");
  for (;;) {
    const lanes = await store.lanes.claim("in", 50);
    if (lanes.length === 0) break;
    const events = await store.inbox.load(lanes, 50);
    expect(await store.inbox.apply(lanes, events, planEffects(events))).not.toBeNull();
  }
  expect(await stranded(rows)).toEqual([]);
  const told = await rows<{ phone: string; ids: string[] }>(
    `select c.phone_number as phone, array_agg(m ->> 'externalId' order by t.seq, n) as ids
     from whatsapp_turns t join whatsapp_contacts c on c.id = t.contact_id,
       jsonb_array_elements(t.messages) with ordinality as e (m, n)
     where c.phone_number like ? group by c.phone_number`,
    [`${prefixOf(run)}%`],
  );
  for (let person = 0; person < PEOPLE; person++) {
    const expected = [...(model.done[person] ?? []), ...(model.waiting[person] ?? [])];
    expect(told.find(({ phone }) => phone === phoneOf(run, person))?.ids ?? []).toEqual(expected);
  }
  const dead = await rows<{ external_id: string }>(
    "select external_id from whatsapp_events where state = 2 and external_id like ? order by id",
    [`wamid.${run}.%`],
  );
  expect(dead.map(({ external_id }) => external_id).sort()).toEqual([...model.dead].sort());
}

function prefixOf(run: number): string {
  return String(447_000_000 + run);
}

function phoneOf(run: number, person: number): string {
  return `${prefixOf(run)}${person}`;
}

async function personOf({ rows }: Engine, run: number, lane: ClaimedLane): Promise<number> {
  const [row] = await rows<{ phone: string }>(
    "select phone_number as phone from whatsapp_contacts where 'in:contact:' || id = ?",
    [lane.laneKey],
  );
  expect(row?.phone.startsWith(prefixOf(run)), "a lane of another run is ready").toBe(true);
  return Number(row?.phone.at(-1));
}
