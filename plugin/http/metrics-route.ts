/** `GET /metrics`: for whoever the host lets in, because it speaks of all tenants together. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChannelError } from "../errors.ts";
import type { Scraped } from "../operations/metrics.ts";
import { PROMETHEUS_TYPE, toPrometheus } from "../operations/prometheus.ts";

/** Asked for each `GET /metrics`. @returns whether this request may read the metrics. */
export type AllowMetrics<Request> = (request: Request) => Promise<boolean> | boolean;

export function createMetricsRoute(allow: AllowMetrics<never>, scrape: () => Promise<Scraped>) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if ((await allow(request as never)) !== true)
      throw new ChannelError(
        "NOT_AUTHENTICATED",
        "Metrics are for whoever runs the host. (For its developer: the option allowMetrics lets them in.)",
      );
    const text = toPrometheus(await scrape());
    response.statusCode = 200;
    response.setHeader("content-type", PROMETHEUS_TYPE);
    response.setHeader("cache-control", "no-store");
    response.setHeader("x-content-type-options", "nosniff");
    response.end(text);
  };
}
