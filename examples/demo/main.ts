/** `npm run demo`: the channel at work, offline, from recorded webhooks to answers that were read. */

import { type Fixture, readFixtures, readPayload } from "@omniops/whatsapp/testing";
import { type DemoArguments, HELP, readArguments } from "./arguments.ts";
import { numbersIn, peopleIn } from "./cast.ts";
import { chat } from "./chat.ts";
import { whereToLook } from "./print-where-to-look.ts";
import { replay } from "./replay.ts";
import { report } from "./report.ts";
import { setStage } from "./stage.ts";
import { paintFor, widthOf } from "./terminal.ts";

/** The host's own default; another demo or host may have it. */
const PREFERRED_PORT = 4700;
const INTERRUPTED = 130;

const paint = paintFor(process.stdout);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());
// The reader of a pipe has gone: nobody is left to tell, and everything is still to be cleaned up.
process.stdout.on("error", () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  let asked: DemoArguments;
  let recordings: readonly Fixture[];
  try {
    asked = readArguments(args);
    recordings = asked.help ? [] : await readFixtures(asked.fixtures);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (asked.help) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    return await play(asked, recordings);
  } catch (error) {
    // Ctrl-C reaches the programs we have started as well, and they say so in their own way.
    if (interrupted.signal.aborted) return INTERRUPTED;
    console.error(error);
    return 1;
  }
}

async function play({ once }: DemoArguments, recordings: readonly Fixture[]): Promise<number> {
  const startedAt = performance.now();
  const payloads = recordings.filter(isOfKnownNumbers).map(({ bytes }) => readPayload(bytes));
  const numbers = numbersIn(payloads);
  if (process.env.DATABASE_URL)
    console.log("DATABASE_URL is set and left alone: the demo writes into a database of its own.");
  const stage = await setStage({
    numbers,
    people: peopleIn(payloads),
    preferredPort: once ? 0 : PREFERRED_PORT,
    onStep: (step) => console.log(`${paint.green("✓")} ${step}`),
    signal: interrupted.signal,
  });
  try {
    const played = await replay(stage, recordings, interrupted.signal);
    if (interrupted.signal.aborted) return INTERRUPTED;
    console.log(`${paint.green("✓")} ${played.length} recorded webhooks posted, signed\n`);
    const { text, problems } = await report(stage, played, numbers, { paint, width: widthOf(process.stdout) });
    console.log(`${text}\n`);
    for (const problem of problems) console.log(paint.red(`✗ ${problem}`));
    console.log(summary(stage.meta.accepted.length, problems.length, performance.now() - startedAt));
    if (once) return problems.length === 0 ? 0 : 1;
    console.log(`\n${whereToLook(stage, paint)}`);
    await chat(stage, paint, interrupted.signal);
    return 0;
  } finally {
    await stage.stop();
  }
}

/** A recording named so is about a number that nobody has connected. */
function isOfKnownNumbers({ name }: Fixture): boolean {
  return !name.includes("unknown-number");
}

function summary(answers: number, problems: number, tookMs: number): string {
  const took = `${(tookMs / 1000).toFixed(1)} s`;
  if (problems > 0) return paint.red(`${answers} messages sent, ${problems} problems, ${took}.`);
  return paint.green(`Every message was answered: ${answers} messages sent, ${took}.`);
}
