/** How fast this machine is at the moment: told beside figures whose goal is in units per second or in milliseconds. It judges nothing. */
import { buildRequests, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { SOCKETS, spread } from "./world.ts";

/** The Express route that only checks the HMAC, on the machine for which the goals were set: requests per second. */
const ROUTE_PER_SECOND = 9_288;

export type Yardstick = {
  /**
   * Measures the route once more: to be called between rounds, while nothing else runs.
   * @returns the speed at the moment: 1 is the machine of the goals, 0.5 is half as fast.
   */
  measure(): Promise<number>;
  /** Says what was measured. */
  say(): string;
  stop(): Promise<void>;
};

export async function startYardstick(): Promise<Yardstick> {
  const server = await runServer("hmac");
  const requests = buildRequests({ count: 10_000, people: 200, run: "yard" });
  await sendAll(server.port, buildRequests({ count: 40_000, people: 200, run: "warm" }), SOCKETS);
  const rates: number[] = [];
  return {
    async measure() {
      const { perSecond } = await sendAll(server.port, requests, SOCKETS);
      rates.push(perSecond);
      return perSecond / ROUTE_PER_SECOND;
    },
    say() {
      const { min, median, max } = spread(rates);
      return `HMAC-only route ${median.toFixed(0)}/s (${min.toFixed(0)} to ${max.toFixed(0)}): this machine has ${(median / ROUTE_PER_SECOND).toFixed(2)} of the speed that the goals were set at`;
    },
    stop: () => server.stop(),
  };
}
