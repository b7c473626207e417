/** Acknowledged and durable webhooks/s beside an Express route that only checks the HMAC. */
import { buildRequests, type LoadResult, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { countOf, judge, roundsOf, SOCKETS, say, spread, type World } from "./world.ts";

const LEAST_RATIO = 0.9;

export async function benchAcks({ freshDatabase, graph, likeOneInService }: World): Promise<boolean> {
  const rounds = roundsOf(7);
  console.log(`\nAcknowledged webhooks, ${SOCKETS} connections, ${rounds} alternating rounds`);
  await likeOneInService();
  const ours = await runServer("acks", await freshDatabase("acks"), graph.url);
  const limit = await runServer("hmac");
  // Long enough for both to be compiled: a server that has just started is another matter.
  for (const server of [ours, limit])
    await sendAll(server.port, buildRequests({ count: 40_000, people: 200, run: "warm" }), SOCKETS);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const requests = buildRequests({ count: countOf(10_000), people: 200, run: `r${round}` });
    const pair =
      round % 2 === 0
        ? { limit: await sendAll(limit.port, requests, SOCKETS), ours: await sendAll(ours.port, requests, SOCKETS) }
        : { ours: await sendAll(ours.port, requests, SOCKETS), limit: await sendAll(limit.port, requests, SOCKETS) };
    const ratio = pair.ours.perSecond / pair.limit.perSecond;
    ratios.push(ratio);
    console.log(
      `  round ${round + 1}: HMAC only ${perSecond(pair.limit)}/s · durable ${perSecond(pair.ours)}/s (p50 ${pair.ours.p50.toFixed(1)} ms, p99 ${pair.ours.p99.toFixed(1)} ms) · ratio ${ratio.toFixed(2)}`,
    );
  }
  await ours.stop();
  await limit.stop();
  const ratio = spread(ratios);
  return judge(`ratio ${say(ratio)}, bar ${LEAST_RATIO}`, ratio.median >= LEAST_RATIO);
}

function perSecond(result: LoadResult): string {
  return result.perSecond.toFixed(0);
}
