/**
 * What must hold once everything is quiet, whatever went wrong before: I1 to I10, each a query that finds nothing, or a
 * difference from what Meta's side remembers.
 */
import type { AcceptedMessage } from "@omniops/whatsapp/simulator";

export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10";

/** What is broken, by invariant: empty when all hold. Names ids, never texts. */
export type Verdict = Partial<Record<Invariant, readonly string[]>>;

export type Evidence = {
  readonly rows: <T>(sql: string, bindings?: readonly unknown[]) => Promise<T[]>;
  /** Every message that was answered 200, in the order in which each person wrote. */
  readonly acknowledged: readonly { readonly person: string; readonly wamid: string }[];
  readonly accepted: readonly AcceptedMessage[];
  /** How often Meta may have taken one message: 1 unless the experiment loses statuses. */
  readonly copiesAllowed?: number;
  /**
   * How long a status is waited for before a message is sent once more: on a busy machine it may come later than that. Without it nothing
   * is ever sent again.
   */
  readonly reconcileMs?: number | undefined;
  /** Each life of each process that ended by itself. */
  readonly exits?: readonly (number | null)[];
  readonly output?: string;
  /** What must be nowhere. */
  readonly canaries?: readonly string[];
};

/** Queries that return one text per violation. */
export const QUERIES: Partial<Record<Invariant, { readonly says: string; readonly sql: string }>> = {
  I2: {
    says: "Every message has its row in the inbox once, and is in one turn.",
    sql: `select 'message ' || external_id as fault from messages where role = 'user' group by external_id having count(*) > 1
      union all
      select 'turned ' || id from (select m ->> 'externalId' as id from whatsapp_turns t, jsonb_array_elements(t.messages) m) s
      group by id having count(*) > 1`,
  },
  I3: {
    says: "In a conversation, rows and turns are in the order in which events were stored.",
    sql: `select 'messages of ' || conversation_id as fault from (
        select m.conversation_id, e.id, lag(e.id) over (partition by m.conversation_id order by m.created_at, e.id) as before
        from messages m join whatsapp_events e on e.external_id = m.external_id and e.kind = 'message'
        where m.role = 'user') s where before > id
      union all
      select 'turns of ' || lane_key from (
        select t.lane_key, e.id, lag(e.id) over (partition by t.lane_key order by t.seq, n) as before
        from whatsapp_turns t cross join jsonb_array_elements(t.messages) with ordinality as x (m, n)
        join whatsapp_events e on e.external_id = m ->> 'externalId' and e.kind = 'message') s where before > id`,
  },
  I4: {
    says: "No lane is held, counts wrongly or holds work; no event, turn or part waits.",
    sql: `select 'lane ' || lane_key as fault from whatsapp_lanes l
        where lease_token is not null or ready_at is not null or pending <> 0
      union all select 'event ' || id from whatsapp_events where state = 0
      union all select 'turn ' || id from whatsapp_turns where state = 0
      union all select 'host event ' || id from whatsapp_host_events where state = 0`,
  },
  I5: {
    says: "Every delivery is applied or says why not.",
    sql: "select 'webhook ' || id as fault from whatsapp_webhooks where not processed and error is null or pending <> 0",
  },
  I6: {
    says: "A part stands at least as high as every status that was applied to it.",
    sql: `select 'part ' || o.id as fault from whatsapp_outbox o
      join whatsapp_events e on e.kind = 'status' and e.external_id = o.message_id and e.state = 1
      where array_position(array['sent', 'delivered', 'read', 'played'], e.payload ->> 'status')
        > coalesce(array_position(array['sent', 'delivered', 'read', 'played'], o.state), 0)
        and not (o.state = 'failed' and e.payload ->> 'status' = 'sent')`,
  },
  I7: {
    says: "Every part is at an end or unknown, and has a wamid where it was accepted.",
    sql: `select 'part ' || id || ' is ' || state as fault from whatsapp_outbox where state in ('queued', 'held', 'sending')
      union all select 'part ' || id || ' has no wamid' from whatsapp_outbox
        where state in ('accepted', 'sent', 'delivered', 'read', 'played') and message_id is null`,
  },
  I9: {
    says: "What an event left behind belongs to the tenant of the connection that it came to.",
    sql: `select 'message ' || m.external_id as fault from whatsapp_events e
        join whatsapp_connections c on c.id = e.connection_id
        join messages m on m.external_id = e.external_id
        join conversations v on v.id = m.conversation_id
      where e.kind = 'message' and v.customer_config_id is distinct from c.customer_config_id
      union all select 'part ' || o.id from whatsapp_outbox o join conversations v on v.id = o.conversation_id
      where v.customer_config_id is distinct from o.customer_config_id`,
  },
  I10: {
    says: "Nobody sits in a transaction doing nothing; processes ended with 0 and without an unhandled rejection.",
    sql: `select 'idle in transaction: ' || pid as fault from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%' and xact_start < now() - interval '1 second'`,
  },
};

export async function check(evidence: Evidence): Promise<Verdict> {
  const found = new Map<Invariant, string[]>();
  const note = (invariant: Invariant, faults: readonly string[]) => {
    if (faults.length > 0) found.set(invariant, [...(found.get(invariant) ?? []), ...faults]);
  };
  note("I1", await lost(evidence));
  for (const [invariant, { sql }] of Object.entries(QUERIES))
    note(
      invariant as Invariant,
      (await evidence.rows<{ fault: string }>(sql)).map(({ fault }) => fault),
    );
  note("I3", await asWritten(evidence));
  note("I7", await sentTooOften(evidence));
  note("I8", leaked(evidence));
  note("I10", badEnds(evidence));
  return Object.fromEntries(found);
}

/** I1: what was acknowledged has its row in the inbox, unless it lies aside for a reason that its event tells. */
export async function lost({ rows, acknowledged }: Evidence): Promise<string[]> {
  const found = await rows<{ id: string }>(
    `select external_id as id from messages where role = 'user'
     union select external_id from whatsapp_events where kind = 'message' and state in (2, 4, 5)`,
  );
  const there = new Set(found.map(({ id }) => id));
  return acknowledged.filter(({ wamid }) => !there.has(wamid)).map(({ wamid }) => `lost ${wamid}`);
}

/** I3, seen from Meta: whoever waits for each acknowledgement is shown in the order in which they wrote. */
async function asWritten({ rows, acknowledged }: Evidence): Promise<string[]> {
  const shown = await rows<{ conversation_id: string; external_id: string }>(
    "select conversation_id, external_id from messages where role = 'user' order by conversation_id, created_at",
  );
  const written = new Map(acknowledged.map(({ person, wamid }, n) => [wamid, { person, n }]));
  const last = new Map<string, number>();
  const faults: string[] = [];
  for (const { external_id } of shown) {
    const one = written.get(external_id);
    if (one === undefined) continue;
    if (one.n < (last.get(one.person) ?? -1)) faults.push(`shown too late: ${external_id}`);
    last.set(one.person, one.n);
  }
  return faults;
}

/**
 * I7, seen from Meta: each part was taken as often as is allowed, and whatever was taken is one of ours. One that was taken twice was sent
 * again by the rule (P7): once, no sooner than a status could have come, and a status of the first was stored, but later than that. One that is never stored is
 * our loss: an experiment in which Meta loses statuses says how many copies it allows.
 */
async function sentTooOften({ rows, accepted, copiesAllowed = 1, reconcileMs }: Evidence): Promise<string[]> {
  const attempts = await rows<Attempt>(
    // Joined: asked once an attempt, 100,000 events took the checker half an hour.
    `select a.token, a.outbox_id, a.state, a.started_at, told.at as told_at from whatsapp_send_attempts a
     left join (select payload ->> 'callbackData' as token, min(created_at) as at from whatsapp_events where kind = 'status' group by 1) told
       using (token)
     order by a.id`,
  );
  const partOf = new Map(attempts.map(({ token, outbox_id }) => [token, outbox_id]));
  const copies = new Map<string, number>();
  const faults: string[] = [];
  for (const { wamid, callbackData } of accepted) {
    const part = partOf.get(callbackData ?? "");
    if (part === undefined) faults.push(`accepted without an attempt: ${wamid}`);
    else copies.set(part, (copies.get(part) ?? 0) + 1);
  }
  for (const [part, count] of copies) {
    const made = attempts.filter((one) => one.outbox_id === part && one.state !== "rejected");
    const mayBeTwo = reconcileMs !== undefined && isByTheRule(made, reconcileMs);
    if (count > Math.max(copiesAllowed, mayBeTwo ? 2 : 1)) faults.push(`part ${part} was taken ${count} times`);
  }
  return faults;
}

type Attempt = {
  readonly token: string;
  readonly outbox_id: string;
  readonly state: string;
  readonly started_at: Date;
  /** When the first status of it was stored. */
  readonly told_at: Date | null;
};

function isByTheRule([first, second, ...more]: readonly Attempt[], reconcileMs: number): boolean {
  if (first === undefined || second === undefined || more.length > 0) return false;
  const due = Number(first.started_at) + reconcileMs;
  return Number(second.started_at) >= due && first.told_at !== null && Number(first.told_at) >= due;
}

function leaked({ output = "", canaries = [] }: Evidence): string[] {
  return canaries.flatMap((canary, n) => (output.includes(canary) ? [`canary ${n}`] : []));
}

function badEnds({ exits = [], output = "" }: Evidence): string[] {
  return [
    ...exits.filter((code) => code !== 0).map((code) => `ended with ${code}`),
    ...(/unhandled|uncaught/i.test(output) ? ["an unhandled rejection"] : []),
  ];
}
