/** Numbers as a busy database would give them, with one sample at least in every family of theirs. */
import { createCounters } from "../../plugin/operations/counters.ts";
import { createMetrics } from "../../plugin/operations/metrics.ts";
import type { Alarms, Operations } from "../../plugin/ports.ts";

export const CONNECTION_ID = "00000000-0000-4000-8000-00000000000a";

export async function metricsOf(counters = createCounters()) {
  const operations: Partial<Operations> = {
    backlog: async () => [{ stage: "turn", ready: 3, leased: 2, later: 1, oldestWaitMs: 1_500 }],
    deadLetters: async () => ({ in: 1, turn: 0, notify: 0 }),
    numbers: async () => ({
      counts: { connected: 4, reauth_required: 1, disconnected: 9 },
      each: [
        {
          connectionId: CONNECTION_ID,
          state: "reauth_required",
          paused: true,
          tokenExpiresAt: new Date(1_800_000_000_500),
        },
      ],
      nextTokenExpiresAt: new Date(1_790_000_000_500),
    }),
    parts: async () => ({ queued: 4, held: 3, sending: 2, unknown: 1 }),
    webhookAgeMs: async () => 2_500,
    sentTwice: async () => 2,
  };
  const alarms: Partial<Alarms> = {
    raised: async () => [
      { kind: "lag", subject: "turn", since: new Date(0) },
      { kind: "lag", subject: "out", since: new Date(0) },
    ],
  };
  return createMetrics({ operations: operations as Operations, alarms: alarms as Alarms }, counters)();
}
