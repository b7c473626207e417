/** `npm run bench [name …]`: ratios and figures against a stated limit in the same run, in alternating rounds. */
import { cpus } from "node:os";
import { benchAcks } from "./acks.ts";
import { benchBacklog } from "./backlog.ts";
import { benchFairness } from "./fairness.ts";
import { benchLatency } from "./latency.ts";
import { benchMedia } from "./media.ts";
import { benchPeer } from "./peer.ts";
import { benchSoak } from "./soak.ts";
import { benchTransformer } from "./transformer.ts";
import { benchInstances, benchTurns } from "./turns.ts";
import { openWorld, type World } from "./world.ts";

const BENCHES: Readonly<Record<string, (world: World) => Promise<boolean>>> = {
  acks: benchAcks,
  turns: benchTurns,
  latency: benchLatency,
  backlog: benchBacklog,
  instances: benchInstances,
  fairness: benchFairness,
  soak: (world) => benchSoak(world, minutes),
  media: benchMedia,
  peer: benchPeer,
};

const { names, minutes } = readArguments(process.argv.slice(2));
console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`);
if (names.includes("transformer") && !benchTransformer()) process.exitCode = 1;
const wanted = names.flatMap((name) => BENCHES[name] ?? []);
if (wanted.length === 0) process.exit();

console.log("\nEmbedded Postgres 18 (fsync on), load, server and database on the same cores");
const world = await openWorld();
try {
  for (const bench of wanted) if (!(await bench(world))) process.exitCode = 1;
} finally {
  await world.stop();
}
process.exit();

function readArguments(given: readonly string[]): { readonly names: readonly string[]; readonly minutes: number } {
  const all = ["transformer", ...Object.keys(BENCHES)];
  const at = given.indexOf("--minutes");
  const chosen = at === -1 ? given : [...given.slice(0, at), ...given.slice(at + 2)];
  const soak = at === -1 ? 1 : Number(given[at + 1]);
  const unknown = chosen.find((name) => !all.includes(name));
  if (unknown !== undefined || !(soak > 0)) {
    console.error(
      unknown === undefined ? "--minutes takes a number above 0." : `There is no benchmark "${unknown}".`,
      `Usage: npm run bench [${all.join("] [")}] [-- --minutes 10]`,
    );
    process.exit(2);
  }
  return { names: chosen.length === 0 ? all : chosen, minutes: soak };
}
