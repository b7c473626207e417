/** `replay`: posts fixtures through a router, signed, and shows what is sent beside what was promised. */
import { randomInt } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createChatApi, type Reply, type Turn } from "@omniops/whatsapp";
import type { Knex } from "knex";
import { type Fixture, type Manifest, readFixtures, readManifest, rewriteSends } from "../qa/fixtures.ts";
import { type ReplayOptions, type ReplayResult, replayFixtures } from "../qa/replay.ts";
import { startReplayHost } from "../qa/replay-host.ts";
import { reportHtml } from "../qa/report-html.ts";
import { describeReplay } from "../qa/report-text.ts";
import { type Command, usageError } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, type Parsed, parsed } from "./options.ts";
import { paintFor } from "./print.ts";
import { startStandIn } from "./replay-elsewhere.ts";
import { showProgress } from "./show-progress.ts";
import { wholeNumber } from "./values.ts";

const NAME = "replay";
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
    "--timing <how>          none: each when the one before it is answered (default); original; or 10: ten times faster",
    "--shuffle [<seed>]      In another order, the same for the same seed, which is printed; compared in any order",
    "--duplicate <n>         Each is posted n times more",
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
  "timing",
  "shuffle",
  "duplicate",
  "batch",
  "report",
] as const;
type Values = Parsed<
  { readonly [Name in (typeof FLAGS)[number]]?: boolean } & { readonly [Name in (typeof VALUED)[number]]?: string }
>["values"];
/** A host of its own, the checks of its work, and one that says that it is alive. */
const CONNECTIONS = 6;

export const replayCommand: Command = {
  summary: "Post fixtures through a router, and compare what is sent",

  async run(args) {
    const { values, positionals } = parsed(withSeed(args), `${NAME} --help`, FLAGS, VALUED);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    if (positionals.length === 0) throw wrong("Say what: a folder, or <case>.request.json files.");
    const isElsewhere = values.to !== undefined;
    const answers = [values.reply, values["chat-api"], values.to].filter((one) => one !== undefined);
    if (answers.length !== 1) throw wrong("Say who answers: --reply, --chat-api or --to, one of them.");
    for (const name of ["graph-port", "number"] as const)
      if (values[name] !== undefined && !isElsewhere) throw wrong(`--${name} is for --to.`);
    const options = optionsOf(values);
    if (values.update && (options.shuffle !== undefined || positionals.length > 1))
      throw wrong("--update is for one folder or file, in its own order.");
    const fixtures = (await Promise.all(positionals.map(readFixtures)).catch(asMistake)).flat();
    const [first = ""] = positionals;
    const manifest = positionals.length === 1 ? await readManifest(first).catch(asMistake) : null;
    await checkReport(values.report);
    const interrupted = new AbortController();
    const interrupt = () => interrupted.abort(new Error("Interrupted: everything that was begun is cleared away."));
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const progress = showProgress(process.stderr, values.json === true);
    try {
      const run = { ...options, fixtures: first, signal: interrupted.signal, onProgress: progress.show };
      const result = isElsewhere
        ? await replayElsewhere(values, fixtures, manifest, positionals, run)
        : await replayHere(values, fixtures, manifest, positionals, run);
      progress.end();
      if (values.update) await rewriteSends(folderOf(first), result.sends, manifest);
      return await report(result, values, positionals, manifest);
    } finally {
      progress.end();
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    }
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

type Run = Omit<ReplayOptions, "meta">;

async function replayHere(
  values: Values,
  fixtures: readonly Fixture[],
  manifest: Manifest | null,
  paths: readonly string[],
  run: Run,
): Promise<ReplayResult> {
  const reply = await replyOf(values);
  const url = values["database-url"] ?? process.env.DATABASE_URL;
  const replay = async (knex: Knex) => {
    const host = await startReplayHost({ knex, reply, fixtures, manifest });
    try {
      const result = await replayFixtures({ ...run, fixtures: paths, meta: host.meta, settled: host.settled });
      const [failure] = host.failures;
      if (failure !== undefined)
        throw new Error(
          `The reply failed ${host.failures.length} times, so nothing is compared: ${firstLine(failure)}`,
        );
      return result;
    } finally {
      await host.stop();
    }
  };
  return withDatabase(url, replay, CONNECTIONS);
}

async function replayElsewhere(
  values: Values,
  fixtures: readonly Fixture[],
  manifest: Manifest | null,
  paths: readonly string[],
  run: Run,
): Promise<ReplayResult> {
  const { META_APP_SECRET: appSecret, WHATSAPP_ACCESS_TOKEN: accessToken } = process.env;
  if (!appSecret || !accessToken)
    throw wrong("With --to set META_APP_SECRET and WHATSAPP_ACCESS_TOKEN, which the host has too.");
  if (!URL.canParse(values.to ?? "") || !/^https?:/.test(values.to ?? ""))
    throw wrong("--to is the address of a mounted router, such as http://127.0.0.1:3000/api/whatsapp.");
  if (values.number !== undefined && !/^\d+\/\d+$/.test(values.number))
    throw wrong("--number is a phone number id and its account's id: 301777000333444/201555000111222.");
  const standIn = await startStandIn({
    to: values.to ?? "",
    port: wholeNumber("graph-port", values["graph-port"], wrong) ?? 4701,
    appSecret,
    accessToken,
    number: values.number,
    fixtures,
    manifest,
  });
  try {
    return await replayFixtures({
      ...run,
      fixtures: paths,
      meta: standIn.meta,
      numbers: standIn.numbers,
      newIds: true,
    });
  } finally {
    await standIn.stop();
  }
}

function optionsOf({ timing = "none", shuffle, duplicate, batch }: Values): Omit<Run, "fixtures"> {
  const seed = wholeNumber("shuffle", shuffle, wrong);
  if (timing !== "none" && timing !== "original" && !/^\d+(\.\d+)?$/.test(timing))
    throw wrong("--timing is none, original, or how many times faster: 10.");
  const size = wholeNumber("batch", batch, wrong);
  if (size === 0 || Number(timing) === 0) throw wrong(`--${size === 0 ? "batch" : "timing"} is more than 0.`);
  return {
    timing: timing === "none" || timing === "original" ? timing : Number(timing),
    ...(seed === undefined ? {} : { shuffle: seed }),
    duplicate: wholeNumber("duplicate", duplicate, wrong) ?? 0,
    batch: size ?? 1,
  };
}

type HostReply = (turn: Turn) => Promise<Reply> | Reply;

async function replyOf({ reply = "", "chat-api": chatApi }: Values): Promise<HostReply> {
  if (chatApi !== undefined) {
    if (!URL.canParse(chatApi)) throw wrong("--chat-api is an http or https address.");
    return createChatApi({ url: chatApi });
  }
  const [path = "", name] = reply.split("#");
  const module = (await import(pathToFileURL(resolve(path)).href).catch((cause: Error) => {
    throw wrong(`${path} cannot be loaded: ${firstLine(cause)}`);
  })) as Readonly<Record<string, unknown>>;
  const found = name === undefined ? (module.reply ?? module.default) : module[name];
  if (typeof found === "function") return found as HostReply;
  throw wrong(
    `${path} exports no function ${name ?? "reply, and none by default"}: --reply <module>#<name> names one.`,
  );
}

async function report(
  result: ReplayResult,
  values: Values,
  paths: readonly string[],
  manifest: Manifest | null,
): Promise<0 | 1> {
  const title = paths.join(", ");
  if (values.report !== undefined)
    await writeFile(
      values.report,
      reportHtml(result, {
        title,
        subtitle: `Replayed at ${new Date().toISOString()}${about(values)}`,
        templates: manifest?.templates,
      }),
    );
  if (values.json) {
    const { differences, refused, counts, ok } = result;
    const rows = result.conversations.flatMap(({ steps }) =>
      steps.flatMap((step) =>
        step.rows
          .filter(({ kind }) => kind !== "same" && kind !== "unpromised")
          .map(({ kind, changes }) => ({ fixture: step.fixture, kind, changes })),
      ),
    );
    const seed = values.shuffle === undefined ? null : Number(values.shuffle);
    console.log(JSON.stringify({ ok, differences, counts, refused, rows, seed, report: values.report ?? null }));
  } else {
    const paint = paintFor(process.stdout);
    const colours = {
      good: (text: string) => paint("green", text),
      bad: (text: string) => paint("red", text),
      dim: (text: string) => paint("dim", text),
      bold: (text: string) => paint("bold", text),
    };
    console.log(describeReplay(result, colours, values["only-differences"] !== true));
    if (values.shuffle !== undefined) console.log(`Shuffled. The same order again: --shuffle ${values.shuffle}`);
    if (values.report !== undefined) console.log(`Report: ${values.report}`);
    if (values.update) console.log("What was sent is the promise from now on.");
  }
  return result.ok || values.update ? 0 : 1;
}

function about(values: Values): string {
  const said = VALUED.filter((name) => name !== "report" && values[name] !== undefined).map(
    (name) => ` --${name} ${values[name]}`,
  );
  return said.join("");
}

/** With its cause, where the error itself only says that there is one. */
function firstLine({ message, cause }: Error): string {
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return `${message}${why}`.split("\n")[0] ?? "";
}

/** Found out after minutes of replaying, it would be found out too late. */
async function checkReport(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const [there, folder] = await Promise.all([
    stat(file).catch(() => null),
    stat(dirname(resolve(file))).catch(() => null),
  ]);
  if (there?.isDirectory() || !folder?.isDirectory())
    throw wrong(`--report is a file in a folder that exists: ${file} is not.`);
}

function folderOf(path: string): string {
  return path.endsWith(".request.json") ? resolve(path, "..") : path;
}

function wrong(message: string): Error {
  return usageError(message, `${NAME} --help`);
}

/** A folder without fixtures is the caller's mistake. */
function asMistake(error: Error): never {
  throw wrong(error.message);
}
