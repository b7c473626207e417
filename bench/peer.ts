/** Beside `@chat-adapter/whatsapp`, with its Postgres state and with its memory state, which survives nothing. */
// Its states are not among our dependencies: they are installed into `bench/peer/` on the first run (12 MB).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildRequests, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { countOf, judge, roundsOf, SOCKETS, say, spread, type World } from "./world.ts";

const FOLDER = fileURLToPath(new URL("peer/", import.meta.url));
const LEAST_OF_POSTGRES = 6;
const LEAST_OF_MEMORY = 1.5;
/** As in `turns`. */
const CONVERSATIONS = 200;

type Name = "ours" | "postgres" | "memory";
type Rate = { readonly acks: number; readonly turns: number; readonly answers: number };

export async function benchPeer({ freshDatabase, graph }: World): Promise<boolean> {
  install();
  const count = countOf(1_500);
  const rounds = roundsOf(5);
  const servers = {
    ours: await runServer("full", await freshDatabase("ours"), graph.url),
    postgres: await runServer("peer", "postgres", graph.url, await freshDatabase("peer")),
    memory: await runServer("peer", "memory", graph.url),
  };
  const names: readonly Name[] = ["ours", "postgres", "memory"];
  // What comes while its conversation is being answered is merged into the next answer, by all three.
  const isMet = [await compare(CONVERSATIONS), await compare(count)].every(Boolean);
  for (const server of Object.values(servers)) await server.stop();
  return isMet;

  async function compare(people: number): Promise<boolean> {
    console.log(
      `\nBeside @chat-adapter/whatsapp, ${count} messages in ${people === count ? "as many" : people} conversations, ${rounds} alternating rounds`,
    );
    const rates: Record<Name, Rate[]> = { ours: [], postgres: [], memory: [] };
    // Everybody writes once before: nobody is new to any of the three.
    for (const name of names) await measure(name, people, `w${people}`);
    for (let round = 0; round < rounds; round++)
      for (const name of round % 2 === 0 ? names : names.toReversed())
        rates[name].push(await measure(name, people, `r${people}-${round}`));

    for (const name of names) {
      const median = (what: keyof Rate) => say(spread(rates[name].map((rate) => rate[what])), 0);
      console.log(
        `  ${name.padEnd(9)} acknowledged/s ${median("acks")} · messages answered/s ${median("turns")} · answers ${median("answers")}`,
      );
    }
    const times = (than: Name, what: keyof Rate) =>
      spread(rates.ours.map((rate, round) => rate[what] / (rates[than][round] as Rate)[what]));
    console.log(`  acknowledged/s beside its memory state: ${say(times("memory", "acks"), 1)}`);
    const limits = [
      ["postgres", "acks", LEAST_OF_POSTGRES],
      ["postgres", "turns", LEAST_OF_POSTGRES],
      ["memory", "turns", LEAST_OF_MEMORY],
    ] as const;
    return limits
      .map(([than, what, least]) => {
        const ratio = times(than, what);
        const words = `${what}/s beside its ${than} state: ${say(ratio, 1)}`;
        // The bars are for turns as `turns` has them. Where everybody writes once, nothing can be merged: told, not judged.
        if (people !== CONVERSATIONS) return console.log(`  ${words}`) === undefined;
        return judge(`${words}, bar ${least}`, ratio.median >= least);
      })
      .every(Boolean);
  }

  /** Acknowledged while the turns are under way, as in service. */
  async function measure(name: Name, people: number, run: string): Promise<Rate> {
    graph.reset();
    const answered = graph.until(count);
    const startedAt = performance.now();
    const { perSecond } = await sendAll(servers[name].port, buildRequests({ count, people, run }), SOCKETS);
    await answered;
    const seconds = (performance.now() - startedAt) / 1000;
    return { acks: perSecond, turns: count / seconds, answers: graph.accepted };
  }
}

function install(): void {
  if (existsSync(`${FOLDER}node_modules`)) return;
  console.log("\nInstalling the peer into bench/peer (12 MB)");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "inherit" });
  if (status !== 0) throw new Error("The peer could not be installed.");
}
