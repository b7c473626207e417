/** Our metrics on the host's own registry, so that one scrape brings all: by the shape of prom-client, without importing it. */
import type { Scraped } from "./metrics.ts";
import { FAMILIES, type Family, toFamilies } from "./prometheus.ts";

/** What we need of prom-client's `Registry`, versions 14 and 15. `never`: any registry fits, whatever its metrics are typed as. */
export type MetricsRegistry = { registerMetric(metric: never): void };

/** What a registry of prom-client asks of a metric. */
type HostMetric = {
  name: string;
  readonly help: string;
  readonly type: Family["type"];
  get(): Promise<object>;
  reset(): void;
};

export function createCollectInto(scrape: () => Promise<Scraped>): (registry: MetricsRegistry) => void {
  let reading: Promise<readonly Family[]> | null = null;
  /** All metrics of a scrape are asked for at once: the database is read once. */
  const read = () => {
    reading ??= scrape()
      .then(toFamilies)
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  return (registry) => {
    for (const { name, type, help } of FAMILIES) {
      const metric: HostMetric = {
        name,
        help,
        type,
        async get() {
          const samples = (await read()).find((family) => family.name === name)?.samples ?? [];
          const values = samples.map(({ labels, value, suffix }) =>
            suffix === undefined ? { labels, value } : { labels, value, metricName: name + suffix },
          );
          // In a cluster every process says the same of the database.
          const aggregator = type === "gauge" ? "first" : "sum";
          // For OpenMetrics the registry takes "_total" from our name, and adds it again.
          return { name: this.name, help, type, aggregator, values };
        },
        // They count what has happened; a host that begins anew looks at differences.
        reset() {},
      };
      registry.registerMetric(metric as never);
    }
  };
}
