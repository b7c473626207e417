/** Metrics as Prometheus reads them. */
import { expect, it } from "vitest";
import { COMMIT_SIZES, createCounters } from "../../../plugin/operations/counters.ts";
import { createMetrics } from "../../../plugin/operations/metrics.ts";
import { toPrometheus } from "../../../plugin/operations/prometheus.ts";
import type { Alarms, Operations } from "../../../plugin/ports.ts";

const ID = "00000000-0000-4000-8000-00000000000a";

async function metricsOf(counters = createCounters()) {
  const operations: Partial<Operations> = {
    backlog: async () => [{ stage: "turn", ready: 3, leased: 2, later: 1, oldestWaitMs: 1_500 }],
    deadLetters: async () => ({ in: 1, turn: 0, notify: 0 }),
    numbers: async () => ({
      counts: { connected: 4, reauth_required: 1, disconnected: 9 },
      each: [{ connectionId: ID, state: "reauth_required", paused: true }],
    }),
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

it("every sample stands under its name, help and type, and ends with its line", async () => {
  const counters = createCounters();
  counters.add("sendsAccepted", 7);
  counters.answered(200);
  counters.answered(401);
  counters.answered(401);

  const text = toPrometheus(await metricsOf(counters));

  expect(text).toContain(
    `# HELP whatsapp_lanes Conversations with work, by stage; ready: nobody works them
# TYPE whatsapp_lanes gauge
whatsapp_lanes{stage="turn",state="ready"} 3
whatsapp_lanes{stage="turn",state="leased"} 2
whatsapp_lanes{stage="turn",state="later"} 1
# HELP`,
  );
  expect(text).toContain('whatsapp_oldest_wait_seconds{stage="turn"} 1.5\n');
  expect(text).toContain(`whatsapp_number_connected{connection="${ID}"} 0\n`);
  expect(text).toContain(
    'whatsapp_webhook_answers_total{code="200"} 1\nwhatsapp_webhook_answers_total{code="401"} 2\n',
  );
  expect(text).toContain('whatsapp_sends_total{outcome="accepted"} 7\n');
  expect(text).toContain(`whatsapp_number_paused{connection="${ID}"} 1\n`);
  expect(text).toContain("whatsapp_sent_twice 2\n");
  expect(text).toContain('whatsapp_alarms_raised{kind="lag"} 2\n');
  expect(text).toContain('whatsapp_alarms_raised{kind="quarantined"} 0\n');
  expect(text).toContain("whatsapp_events_applied_total 0\n");
  // @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(
      /^(# (HELP|TYPE) whatsapp_\w+ .+|whatsapp_\w+(\{\w+="[\w+.-]+"(,\w+="[\w+.-]+")*\})? \d+(\.\d+)?)$/,
    );
});

it("the sizes of commits are a histogram: cumulative, and the last bucket is everything", async () => {
  const counters = createCounters();
  for (const size of [1, 1, 3, 48, 65]) counters.committed(size);

  const text = toPrometheus(await metricsOf(counters));

  const buckets = [...text.matchAll(/commit_deliveries_bucket\{le="(.+)"\} (\d+)/g)].map(([, le, n]) => [
    le,
    Number(n),
  ]);
  expect(buckets).toEqual([
    ["1", 2],
    ["2", 2],
    ["4", 3],
    ["8", 3],
    ["16", 3],
    ["32", 3],
    ["64", 4],
    ["+Inf", 5],
  ]);
  expect(buckets).toHaveLength(COMMIT_SIZES.length + 1);
  expect(text).toContain("whatsapp_commit_deliveries_sum 118\nwhatsapp_commit_deliveries_count 5\n");
});
