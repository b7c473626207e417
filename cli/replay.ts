/** `replay`: posts fixtures through a router, signed, and shows what is sent beside what was promised. */
import { randomInt } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { folderOf, readTogether, rewriteSends } from "../qa/fixtures.ts";
import type { ReplayOptions } from "../qa/replay.ts";
import type { ReplayResult } from "../qa/replay-result.ts";
import { asMistake, type Command, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { firstLine, type HostReply, loadReply, replyBehind } from "./load-reply.ts";
import { optionsHelp, type Parsed, parsed } from "./options.ts";
import { counted } from "./print.ts";
import { printReplay } from "./print-replay.ts";
import { showingProgress } from "./progress.ts";
import { type Recorded, standInFor } from "./replay-elsewhere.ts";
import { wholeNumber } from "./values.ts";

const NAME = "replay";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} <folder or case.request.json> … --reply <module> [options]
       whatsapp-channel ${NAME} <folder or case.request.json> … --to <router> [options]

Posts recorded webhooks, signed as Meta signs them, through the real route, catches what would be sent, and compares it
message by message with what the fixtures promise. Nothing reaches Meta.
With --reply or --chat-api it makes a router of its own, in a schema of its own of the database, which it removes again
(whatsapp_replay_…): this version of the package, with your AI. With --to it uses a host that is running: start it with
META_GRAPH_URL=http://127.0.0.1:<graph-port>, never with the real one: stand-ins' numbers are invented, but who knows.

${optionsHelp(
  [
    "--reply <module>        Your reply: its export reply, or its default; module#name for another",
    "--chat-api <url>        Your reply behind HTTP, as createChatApi calls it",
    "--to <url>              The mounted router: http://127.0.0.1:3000/api/whatsapp",
    "--graph-port <port>     With --to: where the stand-in for Graph listens. Default 4701",
    "--number <ids>          With --to: the host's phone number id, and its account's: 3017…/2015…",
    "--patience <seconds>    With --to: done is who has sent nothing for so long; more than it thinks. Default 3",
    "--timing <how>          none: each when the one before it is answered (default); original; or 10: ten times faster",
    "--shuffle [<seed>]      In another order, nobody's own changed; the same for the same seed, which is printed",
    "--duplicate <n>         Each is posted n times more, at most 100",
    "--batch <n>             At most n in one delivery; what was answered apart stays apart",
    "--update                What is sent becomes the promise",
    "--report <file.html>    The comparison, drawn as a phone shows it",
    "--only-differences      On the terminal",
  ],
  "Exit codes: 0 as promised, 1 different, not acknowledged, or failed, 2 used wrongly",
)}

With --to: META_APP_SECRET signs, WHATSAPP_ACCESS_TOKEN is the token that the host's number was connected with.

Examples:
  whatsapp-channel ${NAME} recordings/refund --reply ./reply.js --report report.html
  whatsapp-channel ${NAME} recordings/refund --reply ./reply.js --shuffle --duplicate 2 --batch 5
  whatsapp-channel ${NAME} fixtures/webhooks/text.request.json --reply ./reply.js --update
  META_APP_SECRET=… WHATSAPP_ACCESS_TOKEN=… whatsapp-channel ${NAME} recordings/refund \\
    --to http://127.0.0.1:3000/api/whatsapp --number 301777000333444/201555000111222`;

const FLAGS = ["update", "only-differences"] as const;
const VALUED = [
  "reply",
  "chat-api",
  "to",
  "graph-port",
  "number",
  "patience",
  "timing",
  "shuffle",
  "duplicate",
  "batch",
  "report",
] as const;
type Values = Parsed<
  { readonly [Name in (typeof FLAGS)[number]]?: boolean } & { readonly [Name in (typeof VALUED)[number]]?: string }
>["values"];
/** Meta delivers again for a week, and not as often as this. */
const MOST_TIMES = 100;
const LAST_PORT = 65_535;
/** What replaying is told whatever answers. */
type Run = Omit<ReplayOptions, "meta">;
/** A host of its own, the checks of its work, and one that says that it is alive. */
const CONNECTIONS = 6;
const DEFAULT_GRAPH_PORT = 4701;
/** A host gathers messages for 0.7 seconds by default, and then its AI thinks. */
const DEFAULT_PATIENCE_S = 3;

export const replayCommand: Command = {
  async run(args) {
    const { values, positionals: paths } = parsed(withSeed(args), wrong, FLAGS, VALUED);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [path] = paths;
    if (path === undefined) throw wrong("Say what: a folder, or <case>.request.json files.");
    const answers = [values.reply, values["chat-api"], values.to].filter((one) => one !== undefined);
    if (answers.length !== 1) throw wrong("Say who answers: --reply, --chat-api or --to, one of them.");
    for (const name of ["graph-port", "number", "patience"] as const)
      if (values[name] !== undefined && values.to === undefined) throw wrong(`--${name} is for --to.`);
    const options = optionsOf(values);
    if (values.update && (paths.length > 1 || !isOneByOne(options)))
      throw wrong("--update is for one folder or file, in its own order: without --shuffle, --batch and --timing.");
    const recorded = await readTogether(paths).catch(asMistake(wrong));
    if (values.update && (recorded.manifest?.deliveries.length ?? 0) > recorded.fixtures.length)
      throw wrong(
        "--update of a recording is for all of it, or the rest would be compared letter by letter: give its folder.",
      );
    await checkReport(values.report);
    const result = await untilInterrupted((signal) =>
      showingProgress("Replaying", (onProgress) => {
        const run = { ...options, fixtures: paths, signal, onProgress };
        return values.to === undefined ? replayHere(values, recorded, run) : replayElsewhere(values, recorded, run);
      }),
    );
    if (values.update && values.to !== undefined && result.counts.sent === 0 && result.refused.length === 0)
      throw new Error(
        `Nothing was sent, so nothing is promised: is the host's META_GRAPH_URL http://127.0.0.1:${portOf(values)}, and is --patience longer than it thinks?`,
      );
    const isUpdated = values.update === true && result.refused.length === 0;
    if (isUpdated) await rewriteSends(folderOf(path), result.sends, recorded.manifest);
    await printReplay(result, {
      title: paths.join(", "),
      options: given(values),
      templates: recorded.manifest?.templates,
      report: values.report,
      seed: options.shuffle,
      onlyDifferences: values["only-differences"] === true,
      isUpdated,
      json: values.json === true,
    });
    return result.ok || isUpdated ? 0 : 1;
  },
};

/** `--shuffle` stands alone as often as not, and Node's parser wants to know: then the seed is a new one, which is printed. */
function withSeed(args: readonly string[]): readonly string[] {
  const at = args.indexOf("--shuffle");
  if (at === -1) return args;
  const isGiven = /^\d+$/.test(args[at + 1] ?? "");
  const seed = isGiven ? args[at + 1] : randomInt(1, 1_000_000);
  return [...args.slice(0, at), `--shuffle=${seed}`, ...args.slice(at + (isGiven ? 2 : 1))];
}

function optionsOf({ timing = "none", shuffle, duplicate, batch }: Values): Omit<Run, "fixtures"> {
  const seed = wholeNumber("shuffle", shuffle, wrong);
  if (timing !== "none" && timing !== "original" && !/^\d+(\.\d+)?$/.test(timing))
    throw wrong("--timing is none, original, or how many times faster: 10.");
  const size = wholeNumber("batch", batch, wrong);
  const times = wholeNumber("duplicate", duplicate, wrong) ?? 0;
  if (times > MOST_TIMES) throw wrong(`--duplicate is at most ${MOST_TIMES}.`);
  if (size === 0 || Number(timing) === 0) throw wrong(`--${size === 0 ? "batch" : "timing"} is more than 0.`);
  return {
    timing: timing === "none" || timing === "original" ? timing : Number(timing),
    ...(seed === undefined ? {} : { shuffle: seed }),
    duplicate: times,
    batch: size ?? 1,
  };
}

/** Only then is it certain which of them an answer belongs to. */
function isOneByOne({ shuffle, timing, batch }: Omit<Run, "fixtures">): boolean {
  return shuffle === undefined && timing === "none" && batch === 1;
}

/** Found out after minutes of replaying, it would be found out too late. */
async function checkReport(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const [there, folder] = await Promise.all([
    stat(file).catch(() => null),
    stat(dirname(resolve(file))).catch(() => null),
  ]);
  if (file === "" || there?.isDirectory() || !folder?.isDirectory())
    throw wrong(`--report is a file in a folder that exists: ${file === "" ? "nothing" : file} is not.`);
}

/** The first Ctrl-C clears away, the second one does not wait for that. */
async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("Interrupted: everything that was begun is cleared away."));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await run(interrupted.signal);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

async function replayHere(values: Values, recorded: Recorded, run: Run): Promise<ReplayResult> {
  const reply = await replyOf(values);
  return withDatabase(
    values,
    async (knex) => {
      const [{ replayFixtures }, { startReplayHost }] = await Promise.all([
        import("../qa/replay.ts"),
        import("../qa/replay-host.ts"),
      ]);
      const host = await startReplayHost({ knex, reply, ...recorded });
      try {
        const result = await replayFixtures({ ...run, meta: host.meta, settled: host.settled });
        const [failure] = host.failures;
        if (failure === undefined) return result;
        const times = counted(host.failures.length, "time");
        throw new Error(`The reply failed ${times}, so nothing is compared: ${firstLine(failure)}`);
      } finally {
        await host.stop();
      }
    },
    CONNECTIONS,
  );
}

async function replyOf({ reply = "", "chat-api": chatApi }: Values): Promise<HostReply> {
  return chatApi === undefined ? loadReply(reply, wrong) : replyBehind(chatApi, wrong);
}

function portOf(values: Values): number {
  const port = wholeNumber("graph-port", values["graph-port"], wrong) ?? DEFAULT_GRAPH_PORT;
  if (port < 1 || port > LAST_PORT) throw wrong(`--graph-port is a port from 1 to ${LAST_PORT}.`);
  return port;
}

async function replayElsewhere(values: Values, recorded: Recorded, run: Run): Promise<ReplayResult> {
  const patience = wholeNumber("patience", values.patience, wrong) ?? DEFAULT_PATIENCE_S;
  if (patience === 0) throw wrong("--patience is more than 0.");
  const { meta, numbers } = await standInFor(recorded, {
    to: values.to ?? "",
    port: portOf(values),
    number: values.number,
    wrong,
  });
  try {
    const { replayFixtures } = await import("../qa/replay.ts");
    return await replayFixtures({ ...run, meta, numbers, newIds: true, quietMs: patience * 1000 });
  } finally {
    await meta.stop();
  }
}

/** As they were given, for the report. An address may hold a password or a key. */
function given(values: Values): string {
  const shown = (name: (typeof VALUED)[number]) =>
    name === "to" || name === "chat-api" ? new URL(values[name] ?? "").origin : values[name];
  return VALUED.filter((name) => name !== "report" && values[name] !== undefined)
    .map((name) => ` --${name} ${shown(name)}`)
    .join("");
}
