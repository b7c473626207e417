/** `replay-unknown`: after an upgrade, reads again what earlier versions did not understand, and lists what is left. */
import { type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { showingProgress } from "./progress.ts";

const NAME = "replay-unknown";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} [options]

After an upgrade: reads again every stored event that was unknown when it came. What this version understands
takes its place and is queued for the running host; what is still unknown is listed. Safe to repeat.
A delivery that the database refuses is named, stays as it was, and makes the exit code 1.

${optionsHelp()}

Examples:
  DATABASE_URL=postgres://… whatsapp-channel ${NAME}
  whatsapp-channel ${NAME} --json`;

export const replayUnknownCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    noArguments(positionals, wrong);
    const options = schemas(values, wrong);
    const { understood, failed, unknown } = await withDatabase(values, async (knex) => {
      const { replayUnknown } = await import("@omniops/whatsapp");
      return showingProgress("Reading again", (onProgress) => replayUnknown(knex, { ...options, onProgress }));
    });
    if (values.json) {
      console.log(JSON.stringify({ understood, failed, unknown }));
      return failed.length === 0 ? 0 : 1;
    }
    const rows = unknown.map(
      ({ type, count, last }) => `\n  ${String(count).padStart(6)}  ${type}, last ${last.toISOString()}`,
    );
    console.log(
      `Understood now, and queued: ${understood}\nStill unknown:${rows.length === 0 ? " none" : rows.join("")}`,
    );
    for (const { webhookId, error } of failed)
      console.error(`The delivery ${webhookId} was refused by the database (${error}) and stays as it was.`);
    return failed.length === 0 ? 0 : 1;
  },
};
