/** Metrics as Prometheus knows them: families of samples, and the text format that it reads. Pure. */
import { ALARMS } from "./alarms.ts";
import type { Metrics, Scraped } from "./metrics.ts";

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string | number>>;
/** `suffix`: what comes after the family's name, as `_bucket` in a histogram. */
export type Sample = { readonly labels: Labels; readonly value: number; readonly suffix?: string };
export type Family = {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
};

type DatabaseMetrics = Metrics["database"];
type ProcessMetrics = Metrics["process"];
type Sheet<Source> = {
  readonly name: string;
  readonly type: Family["type"];
  readonly help: string;
  readonly samples: (source: Source) => readonly Sample[];
};

const DATABASE: readonly Sheet<DatabaseMetrics>[] = [
  {
    name: "lanes",
    type: "gauge",
    help: "Conversations with work, by stage; ready: nobody works them",
    samples: ({ stages }) =>
      stages.flatMap(({ stage, ready, leased, later }) =>
        Object.entries({ ready, leased, later }).map(([state, value]) => ({ labels: { stage, state }, value })),
      ),
  },
  {
    name: "oldest_wait_seconds",
    type: "gauge",
    help: "How long the longest-waiting ready lane of a stage has been ready",
    samples: ({ stages }) =>
      stages.map(({ stage, oldestWaitMs }) => ({ labels: { stage }, value: oldestWaitMs / 1_000 })),
  },
  {
    name: "webhook_age_seconds",
    type: "gauge",
    help: "How long ago the newest delivery of any number was stored",
    samples: ({ webhookAgeMs }) => (webhookAgeMs === null ? [] : single(webhookAgeMs / 1_000)),
  },
  {
    name: "dead_letters",
    type: "gauge",
    help: "What failed on every try and lies aside",
    samples: ({ deadLetters }) => byKey("stage", deadLetters),
  },
  {
    name: "parts",
    type: "gauge",
    help: "Parts of messages that have not left, are being sent, or whose fate is unknown",
    samples: ({ parts }) => byKey("state", parts),
  },
  {
    name: "numbers",
    type: "gauge",
    help: "Business phone numbers by state",
    samples: ({ numbers }) => byKey("state", numbers),
  },
  {
    name: "number_connected",
    type: "gauge",
    help: "1 when a number is connected, 0 when it needs a reconnect",
    samples: ({ eachNumber }) =>
      eachNumber.map(({ connectionId, state }) => ({
        labels: { connection: connectionId },
        value: state === "connected" ? 1 : 0,
      })),
  },
  {
    name: "number_paused",
    type: "gauge",
    help: "1 when nothing of a number leaves for a while, because Meta said so",
    samples: ({ eachNumber }) =>
      eachNumber.map(({ connectionId, paused }) => ({ labels: { connection: connectionId }, value: paused ? 1 : 0 })),
  },
  {
    name: "token_expiry_timestamp_seconds",
    type: "gauge",
    help: "When the access token of a number ends; none where it does not",
    samples: ({ eachNumber }) =>
      eachNumber.flatMap(({ connectionId, tokenExpiresAt }) =>
        tokenExpiresAt === null
          ? []
          : [{ labels: { connection: connectionId }, value: Math.floor(tokenExpiresAt.getTime() / 1_000) }],
      ),
  },
  {
    name: "next_token_expiry_timestamp_seconds",
    type: "gauge",
    help: "When the first access token of all connected numbers ends; none where none does",
    samples: ({ nextTokenExpiresAt }) =>
      nextTokenExpiresAt === null ? [] : single(Math.floor(nextTokenExpiresAt.getTime() / 1_000)),
  },
  {
    name: "sent_twice",
    type: "gauge",
    help: "Parts that turned out to have been sent twice, of all that are kept",
    samples: ({ sentTwice }) => single(sentTwice),
  },
  {
    name: "alarms_raised",
    type: "gauge",
    help: "Alarms that are raised now, by kind",
    samples: ({ alarms }) =>
      Object.keys(ALARMS).map((kind) => ({
        labels: { kind },
        value: alarms.filter((one) => one.kind === kind).length,
      })),
  },
];

const PROCESS: readonly Sheet<ProcessMetrics>[] = [
  {
    name: "webhook_answers_total",
    type: "counter",
    help: "Deliveries at the webhook route by the status they were answered with",
    samples: ({ webhooks }) => byKey("code", webhooks),
  },
  {
    name: "events_received_total",
    type: "counter",
    help: "Changes in deliveries; duplicate: stored before",
    samples: ({ events: { accepted, duplicate, ignored } }) => byKey("outcome", { accepted, duplicate, ignored }),
  },
  {
    name: "events_applied_total",
    type: "counter",
    help: "Events whose effects were committed, by kind",
    samples: ({ eventsByKind }) => byKey("kind", eventsByKind),
  },
  {
    name: "commit_deliveries",
    type: "histogram",
    help: "Deliveries that shared a commit",
    samples: ({ commits }) => histogram(commits),
  },
  {
    name: "turns_total",
    type: "counter",
    help: "Turns that ended; silent: nothing was said",
    samples: ({ turns }) => byKey("outcome", turns),
  },
  {
    name: "sends_total",
    type: "counter",
    help: "Answers of Meta to sends, and parts that ended without acceptance or that a status called failed",
    samples: ({ sends }) => byKey("outcome", sends),
  },
  {
    name: "send_errors_total",
    type: "counter",
    help: "Why attempts and parts were not accepted or not delivered: Meta's error number, or our error code",
    samples: ({ sendErrors }) => byKey("error", sendErrors),
  },
  {
    name: "media_total",
    type: "counter",
    help: "Files that people have sent: stored, or given up for good (expired)",
    samples: ({ media }) => byKey("outcome", media),
  },
  {
    name: "host_events_total",
    type: "counter",
    help: "Events that onEvent has taken",
    samples: ({ hostEvents }) => single(hostEvents),
  },
];

/** Where the database is away, or refuses what is asked, its families are empty. */
export function toFamilies({ database, process, isRefused = false }: Scraped): readonly Family[] {
  return [
    family(UP, database !== null || isRefused),
    family(REFUSED, isRefused),
    ...DATABASE.map((sheet) => (database === null ? { ...named(sheet), samples: [] } : family(sheet, database))),
    ...PROCESS.map((sheet) => family(sheet, process)),
  ];
}

const UP: Sheet<boolean> = {
  name: "up",
  type: "gauge",
  help: "1 when the database answered, 0 while it is away",
  samples: (isUp) => single(isUp ? 1 : 0),
};

const REFUSED: Sheet<boolean> = {
  name: "metrics_refused",
  type: "gauge",
  help: "1 when the database answered and refused what the metrics ask of it; the log says by which SQLSTATE",
  samples: (isRefused) => single(isRefused ? 1 : 0),
};

/** Every family that there is, without its samples. */
export const FAMILIES: readonly Omit<Family, "samples">[] = [UP, REFUSED, ...DATABASE, ...PROCESS].map(named);

/** Labels are our own words, status codes and ids: none of them can need an escape. */
export function toPrometheus(scraped: Scraped): string {
  return toFamilies(scraped)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value, suffix = "" }) => line(name + suffix, labels, value));
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function named({ name, type, help }: Omit<Family, "samples">): Omit<Family, "samples"> {
  return { name: `whatsapp_${name}`, type, help };
}

function family<Source>(sheet: Sheet<Source>, source: Source): Family {
  return { ...named(sheet), samples: sheet.samples(source) };
}

function byKey(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

/** Buckets are cumulative, and the last is everything. */
function histogram({ deliveries, sizes }: ProcessMetrics["commits"]): readonly Sample[] {
  let total = 0;
  const buckets = sizes.map(({ upTo, commits }) => {
    total += commits;
    return { labels: { le: upTo ?? "+Inf" }, value: total, suffix: "_bucket" };
  });
  return [
    ...buckets,
    { labels: {}, value: deliveries, suffix: "_sum" },
    { labels: {}, value: total, suffix: "_count" },
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}
