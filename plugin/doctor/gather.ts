/** Gathers the facts: database, Meta and our own webhook, side by side; any answer may be missing. Changes nothing. */
import type { Examination, ExaminedNumber, HostTrouble } from "../ports.ts";
import { startAsking } from "./ask.ts";
import { aheadOf } from "./clocks.ts";
import type { Asked, DoctorFacts } from "./facts.ts";
import { createLookOutside, type Outside } from "./look-outside.ts";

export type GatherDeps = {
  readonly examination: Examination;
  readonly migrations: () => Promise<{ readonly pending: readonly string[]; readonly unknown: readonly string[] }>;
  readonly hostTroubles: () => Promise<readonly HostTrouble[]>;
  /** Null where the configuration does not allow it: then `problems` says why. */
  readonly outside: Outside | null;
  readonly problems: readonly string[];
  readonly now: () => Date;
};

export type GatherRequest = {
  /** Null: every tenant's numbers. */
  readonly customerConfigId: string | null;
  /** Ask nothing over the network but the database. */
  readonly offline: boolean;
};

const TIMEOUT_MS = 15_000;

export async function gather(deps: GatherDeps, { customerConfigId, offline }: GatherRequest): Promise<DoctorFacts> {
  const { examination, outside, problems, now } = deps;
  const asking = startAsking(TIMEOUT_MS);
  // One connection of the host's pool is enough.
  const ask = asking.line(1);
  try {
    const look = createLookOutside(outside, asking, { offline, now });
    const atMeta = look.atApp();

    const ahead = await ask(() => aheadOf(now, () => examination.clock()));
    const database: Asked<null> = "known" in ahead ? { known: null } : ahead;
    const migrations: DoctorFacts["migrations"] =
      "known" in database ? await ask(deps.migrations) : { skipped: "database" };
    const isBehind = "known" in migrations && migrations.known.pending.length > 0;
    const stored = async <T>(question: () => Promise<T>): Promise<Asked<T>> => {
      if (!("known" in database)) return { skipped: "database" };
      const answer = await ask(question);
      return "failed" in answer && isBehind ? { skipped: "migrations" } : answer;
    };
    const hostTables = isBehind ? { skipped: "migrations" as const } : await stored(deps.hostTroubles);
    const found = await stored(() => examination.numbers(customerConfigId));
    const numbers: readonly ExaminedNumber[] = "known" in found ? found.known.numbers : [];
    const own = customerConfigId === null ? null : numbers;

    const app = await atMeta;
    const [looked, arrivals, unrouted, sends, templates, work] = await Promise.all([
      Promise.all(numbers.map((number) => look.atNumber(number, app))),
      stored(() => examination.arrivals(numbers)),
      stored(() => examination.unrouted(own?.map(({ wabaId }) => wabaId) ?? null)),
      stored(() => examination.sends(numbers)),
      stored(() => examination.templates(numbers)),
      stored(() => examination.work(own)),
    ]);

    const { clock, ...appFacts } = app;
    return {
      at: now(),
      scope: customerConfigId === null ? "everybody" : "tenant",
      configuration: { problems, settings: outside?.settings ?? null },
      database,
      migrations,
      hostTables,
      ...appFacts,
      numbers: "known" in found ? { known: { numbers: looked, more: found.known.more } } : found,
      arrivals,
      unrouted,
      sends,
      templates,
      work,
      clocks: { database: "known" in ahead ? ahead.known : null, graph: clock },
    };
  } finally {
    asking.end();
  }
}
