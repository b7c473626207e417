/** Metrics as Prometheus reads them. */
import { Counter, Registry, type RegistryContentType } from "prom-client";
import { describe, expect, it } from "vitest";
import { ChannelError } from "../../../plugin/errors.ts";
import { createCollectInto } from "../../../plugin/operations/collect.ts";
import { COMMIT_SIZES, createCounters } from "../../../plugin/operations/counters.ts";
import { createScrape, type Metrics } from "../../../plugin/operations/metrics.ts";
import { toPrometheus } from "../../../plugin/operations/prometheus.ts";
import { CONNECTION_ID as ID, metricsOf } from "../../support/sample-metrics.ts";

it("every sample stands under its name, help and type, and ends with its line", async () => {
  const counters = createCounters();
  counters.add("sendsAccepted", 7);
  counters.applied("message", 2);
  counters.applied("status");
  counters.refused("131047");
  counters.refused("GRAPH_AMBIGUOUS");
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
    'whatsapp_webhook_answers_total{code="200"} 1\nwhatsapp_webhook_answers_total{code="401"} 2\nwhatsapp_webhook_answers_total{code="500"} 0\n',
  );
  expect(text).toContain('whatsapp_sends_total{outcome="accepted"} 7\n');
  expect(text).toContain(`whatsapp_number_paused{connection="${ID}"} 1\n`);
  expect(text).toContain("whatsapp_sent_twice 2\n");
  expect(text).toContain('whatsapp_alarms_raised{kind="lag"} 2\n');
  expect(text).toContain('whatsapp_alarms_raised{kind="quarantined"} 0\n');
  expect(text).toContain('_applied_total{kind="message"} 2\nwhatsapp_events_applied_total{kind="status"} 1\n');
  expect(text).toContain('_errors_total{error="131047"} 1\nwhatsapp_send_errors_total{error="GRAPH_AMBIGUOUS"} 1\n');
  expect(text).toContain(`whatsapp_token_expiry_timestamp_seconds{connection="${ID}"} 1800000000\n`);
  expect(text).toContain("whatsapp_next_token_expiry_timestamp_seconds 1790000000\n");
  expect(text).toContain('whatsapp_parts{state="unknown"} 1\n');
  expect(text).toContain("whatsapp_webhook_age_seconds 2.5\n");
  expect(text).toContain("whatsapp_up 1\n");
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

describe("on the host's own registry", () => {
  const registryWith = (metrics: () => Promise<Metrics>, isOpenMetrics = false) => {
    const registry: Registry<RegistryContentType> = new Registry();
    if (isOpenMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    new Counter({ name: "host_requests_total", help: "Of the host", registers: [registry] }).inc(5);
    const counters = createCounters();
    counters.add("turnsAnswered", 3);
    createCollectInto(createScrape(metrics, counters, { warn: () => undefined }))(registry);
    return registry;
  };

  it("every family is there with the same samples, beside the host's own, and one scrape reads once", async () => {
    const metrics = await metricsOf();
    let reads = 0;
    const registry = registryWith(async () => {
      reads += 1;
      return metrics;
    });

    const text = await registry.metrics();

    const samples = (of: string) => of.split("\n").filter((line) => /^whatsapp_/.test(line));
    expect(samples(text)).toEqual(samples(toPrometheus(metrics)));
    expect(samples(text).length).toBeGreaterThan(30);
    expect(text).toContain("host_requests_total 5");
    expect(reads).toBe(1);
    await registry.metrics();
    expect(reads).toBe(2);
  });

  it("while the database is away the counters are still there, and up is 0", async () => {
    const text = await registryWith(() => Promise.reject(new ChannelError("STORE_UNAVAILABLE", "Away."))).metrics();

    expect(text).toContain("whatsapp_up 0\n");
    expect(text).toContain('whatsapp_turns_total{outcome="answered"} 3\n');
    expect(text).not.toContain("whatsapp_lanes{");
  });

  it.each([
    ["a table is missing", Object.assign(new Error("no"), { name: "error", code: "42P01" }), "error 42P01"],
    [
      "it takes too long",
      new ChannelError("STORE_UNAVAILABLE", "Not done.", { cause: Object.assign(new Error("no"), { code: "57014" }) }),
      "Error 57014",
    ],
  ])(
    "where the database answers and refuses, because %s, it is not away, and the log says so once",
    async (_, error, name) => {
      const lines: object[] = [];
      const answers = [error, error, null, error];
      const metrics = await metricsOf();
      const scrape = createScrape(
        async () => {
          const answer = answers.shift() ?? null;
          if (answer !== null) throw answer;
          return metrics;
        },
        createCounters(),
        { warn: (fields) => void lines.push(fields) },
      );

      const texts = [toPrometheus(await scrape()), toPrometheus(await scrape())];
      for (const text of texts) {
        expect(text).toContain("\nwhatsapp_up 1\n");
        expect(text).toContain("\nwhatsapp_metrics_refused 1\n");
        expect(text).not.toContain("whatsapp_lanes{");
      }
      expect(lines).toEqual([{ error: name }]);
      expect(toPrometheus(await scrape())).toContain("\nwhatsapp_metrics_refused 0\n");
      await scrape();
      expect(lines).toHaveLength(2);
    },
  );

  it("the counters keep their names in OpenMetrics, and in what a cluster's primary adds up", async () => {
    const registry = registryWith(() => metricsOf(), true);

    const text = await registry.metrics();

    expect(text).toContain("# TYPE whatsapp_turns counter\n");
    expect(text).toContain('whatsapp_turns_total{outcome="answered"} 0\n');
    const json = (await registry.getMetricsAsJSON()) as unknown as { name: string; aggregator: string }[];
    expect(json.find(({ name }) => name.startsWith("whatsapp_turns"))?.aggregator).toBe("sum");
    expect(json.find(({ name }) => name === "whatsapp_lanes")?.aggregator).toBe("first");
  });
});
