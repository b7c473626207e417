/** How many messages of a number leave in a second, over all instances: asked for in small lots, so that nobody contends. */
import type { OutgoingPart, Pace, PostOutcome, ThroughputLevel } from "../ports.ts";

export type Throughput = {
  /** How long each of these must wait, in milliseconds; those that may leave now are not in it. */
  admit(parts: readonly OutgoingPart[]): Promise<ReadonlyMap<OutgoingPart, number>>;
  /** What Meta says of our pace with an answer. */
  onOutcome(part: OutgoingPart, outcome: PostOutcome): Promise<void>;
};

/** A lot is as many messages as leave in this time, and is good for that long, unless more are waiting already. */
const LOT_MS = 25;
const LOT_LASTS_MS = 100;

export type ThroughputDeps = {
  readonly pace: Pace;
  /** Infinity: not counted. */
  readonly messagesPerSecond: Readonly<Record<ThroughputLevel, number>>;
  /** Milliseconds of a clock that only moves forward. */
  readonly clock: () => number;
};

export function createThroughput({ pace, messagesPerSecond, clock }: ThroughputDeps): Throughput {
  /** What is left of the last lot of each number. */
  const lots = new Map<string, { left: number; readonly until: number }>();

  return {
    async admit(parts) {
      const waits = new Map<OutgoingPart, number>();
      const wishes = [...byNumber(parts)].flatMap(([connectionId, all]) => {
        const perSecond = messagesPerSecond[all[0]?.connection.throughput ?? "standard"];
        if (perSecond === Number.POSITIVE_INFINITY) return [];
        const some = all.slice(takeFromLot(connectionId, all.length));
        if (some.length === 0) return [];
        const lot = Math.max(1, Math.floor((perSecond * LOT_MS) / 1_000));
        return [{ connectionId, perSecond, some, wanted: some.length, atMost: Math.max(some.length, lot) }];
      });
      if (wishes.length === 0) return waits;
      const taken = await pace.take(wishes.map(({ some: _, ...wish }) => wish));
      for (const [i, { granted, waitMs, everyMs }] of taken.entries()) {
        const { connectionId, some } = wishes[i] as (typeof wishes)[number];
        if (granted > some.length)
          lots.set(connectionId, { left: granted - some.length, until: clock() + LOT_LASTS_MS });
        for (const [place, part] of some.slice(granted).entries()) waits.set(part, Math.ceil(waitMs + place * everyMs));
      }
      return waits;
    },

    async onOutcome({ connection: { connectionId } }, outcome) {
      for (const { scope, forMs } of outcome.spent ?? []) await pace.pause({ connectionId, scope, forMs });
      if (outcome.kind !== "rejected") return;
      const { throttles, retryAfterMs } = outcome.rejection;
      if (throttles === undefined) return;
      if (retryAfterMs !== null) await pace.pause({ connectionId, scope: throttles, forMs: retryAfterMs });
      else await pace.slowDown(connectionId);
      lots.delete(connectionId);
    },
  };

  function takeFromLot(connectionId: string, wanted: number): number {
    const lot = lots.get(connectionId);
    if (lot === undefined) return 0;
    const taken = lot.until < clock() ? 0 : Math.min(lot.left, wanted);
    lot.left -= taken;
    if (taken === 0 || lot.left === 0) lots.delete(connectionId);
    return taken;
  }
}

function byNumber(parts: readonly OutgoingPart[]): ReadonlyMap<string, OutgoingPart[]> {
  const grouped = new Map<string, OutgoingPart[]>();
  for (const part of parts) {
    const { connectionId } = part.connection;
    const some = grouped.get(connectionId);
    if (some === undefined) grouped.set(connectionId, [part]);
    else some.push(part);
  }
  return grouped;
}
