/** Acknowledged and durable webhooks/s beside an Express route that only checks the HMAC. */
import { buildRequests, type LoadResult, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { countOf, judge, roundsOf, SOCKETS, say, spread, type World } from "./world.ts";

const LEAST_RATIO = 0.9;

export async function benchAcks({ freshDatabase, graph, likeOneInService }: World): Promise<boolean> {
  const rounds = roundsOf(7);
  console.log(`\nAcknowledged webhooks, ${SOCKETS} connections, ${rounds} alternating rounds`);
  await likeOneInService();
  const servers = {
    limit: await runServer("hmac"),
    inFront: await runServer("acks", await freshDatabase("acks"), graph.url),
    mounted: await runServer("mounted", await freshDatabase("mounted"), graph.url),
  };
  const names = ["limit", "inFront", "mounted"] as const;
  // Long enough for all to be compiled: a server that has just started is another matter.
  for (const name of names)
    await sendAll(servers[name].port, buildRequests({ count: 40_000, people: 200, run: "warm" }), SOCKETS);
  const ratios = { inFront: [] as number[], mounted: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const requests = buildRequests({ count: countOf(10_000), people: 200, run: `r${round}` });
    const results = {} as Record<(typeof names)[number], LoadResult>;
    for (const name of round % 2 === 0 ? names : names.toReversed())
      results[name] = await sendAll(servers[name].port, requests, SOCKETS);
    const { limit, inFront, mounted } = results;
    ratios.inFront.push(inFront.perSecond / limit.perSecond);
    ratios.mounted.push(mounted.perSecond / limit.perSecond);
    console.log(
      `  round ${round + 1}: HMAC only ${perSecond(limit)}/s · in front of the app ${perSecond(inFront)}/s (p50 ${inFront.p50.toFixed(1)} ms, p99 ${inFront.p99.toFixed(1)} ms) · mounted in it ${perSecond(mounted)}/s`,
    );
  }
  for (const name of names) await servers[name].stop();
  console.log(`  mounted in the app: ratio ${say(spread(ratios.mounted))}`);
  const ratio = spread(ratios.inFront);
  return judge(`in front of the app: ratio ${say(ratio)}, bar ${LEAST_RATIO}`, ratio.median >= LEAST_RATIO);
}

function perSecond(result: LoadResult): string {
  return result.perSecond.toFixed(0);
}
