/** Metrics in the text format that Prometheus reads. Pure. */
import { ALARMS } from "./alarms.ts";
import type { Metrics } from "./metrics.ts";

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number];

/** Labels are our own words, status codes and ids: none of them can need an escape. */
export function toPrometheus({ database, process }: Metrics): string {
  const byKey = (label: string, counts: Readonly<Record<string, number>>): readonly Sample[] =>
    Object.entries(counts).map(([key, value]) => [{ [label]: key }, value]);
  const { applied, ...received } = process.events;
  return [
    metric(
      "gauge",
      "lanes",
      "Conversations with work, by stage; ready: nobody works them",
      database.stages.flatMap(({ stage, ready, leased, later }) =>
        Object.entries({ ready, leased, later }).map(([state, lanes]): Sample => [{ stage, state }, lanes]),
      ),
    ),
    metric(
      "gauge",
      "oldest_wait_seconds",
      "How long the longest-waiting ready lane of a stage has been ready",
      database.stages.map(({ stage, oldestWaitMs }): Sample => [{ stage }, oldestWaitMs / 1_000]),
    ),
    metric("gauge", "dead_letters", "What failed on every try and lies aside", byKey("stage", database.deadLetters)),
    metric("gauge", "numbers", "Business phone numbers by state", byKey("state", database.numbers)),
    metric(
      "gauge",
      "number_connected",
      "1 when a number is connected, 0 when it needs a reconnect",
      database.eachNumber.map(
        ({ connectionId, state }): Sample => [{ connection: connectionId }, state === "connected" ? 1 : 0],
      ),
    ),
    metric(
      "gauge",
      "number_paused",
      "1 when nothing of a number leaves for a while, because Meta said so",
      database.eachNumber.map(({ connectionId, paused }): Sample => [{ connection: connectionId }, paused ? 1 : 0]),
    ),
    metric("gauge", "sent_twice", "Parts that turned out to have been sent twice, of all that are kept", [
      [{}, database.sentTwice],
    ]),
    metric(
      "gauge",
      "alarms_raised",
      "Alarms that are raised now, by kind",
      Object.keys(ALARMS).map((kind): Sample => [{ kind }, database.alarms.filter((one) => one.kind === kind).length]),
    ),
    metric(
      "counter",
      "webhook_answers_total",
      "Deliveries at the webhook route by the status they were answered with",
      byKey("code", process.webhooks),
    ),
    metric(
      "counter",
      "events_received_total",
      "Changes in deliveries; duplicate: stored before",
      byKey("outcome", received),
    ),
    metric("counter", "events_applied_total", "Events whose effects were committed", [[{}, applied]]),
    histogram("commit_deliveries", "Deliveries that shared a commit", process.commits),
    metric("counter", "turns_total", "Turns that ended; silent: nothing was said", byKey("outcome", process.turns)),
    metric(
      "counter",
      "sends_total",
      "Answers of Meta to sends, and parts that ended without acceptance",
      byKey("outcome", process.sends),
    ),
    metric("counter", "media_total", "Files that people have sent: stored, or given up for good (expired)", [
      [{ outcome: "stored" }, process.media.stored],
      [{ outcome: "expired" }, process.media.expired],
    ]),
    metric("counter", "host_events_total", "Events that onEvent has taken", [[{}, process.hostEvents]]),
  ].join("");
}

function metric(type: "gauge" | "counter", name: string, help: string, samples: readonly Sample[]): string {
  return head(type, name, help) + samples.map(([labels, value]) => line(name, labels, value)).join("");
}

/** Buckets are cumulative, and the last is everything. */
function histogram(name: string, help: string, { deliveries, sizes }: Metrics["process"]["commits"]): string {
  let total = 0;
  const buckets = sizes.map(({ upTo, commits }) => {
    total += commits;
    return line(`${name}_bucket`, { le: upTo ?? "+Inf" }, total);
  });
  return [
    head("histogram", name, help),
    ...buckets,
    line(`${name}_sum`, {}, deliveries),
    line(`${name}_count`, {}, total),
  ].join("");
}

function head(type: string, name: string, help: string): string {
  return `# HELP whatsapp_${name} ${help}\n# TYPE whatsapp_${name} ${type}\n`;
}

function line(name: string, labels: Readonly<Record<string, string | number>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `whatsapp_${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}
