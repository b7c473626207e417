/** `check-fixture`: looks again for anything personal in a recording, after somebody has edited it, by the database that it came from. */
import { readFixtures, readManifest } from "../qa/fixtures.ts";
import { asMistake, asUsage, type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { counted } from "./print.ts";
import { showingProgress } from "./progress.ts";
import { instantOf, wholeNumber } from "./values.ts";

const NAME = "check-fixture";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} <folder> [options]

Looks in a recording for every name, number, user id, id, token, place and text that the database holds: as it stands,
in base64 and percent-encoded. record does the same before it writes; this is for files that somebody has edited since.
What is found is named by file and place, never by what it is.

${optionsHelp(
  [
    "--since <time>          By webhooks that were received then or later",
    "--until <time>          By webhooks that were received before that",
    "--limit <number>        By the oldest so many deliveries. Default and at most 10000",
  ],
  "Exit codes: 0 nothing personal is left, 1 something is, or failed, 2 used wrongly",
)}

Examples:
  whatsapp-channel ${NAME} recordings/refund
  whatsapp-channel ${NAME} recordings/refund --since 2026-11-27 --json`;

const MOST = 10_000;

export const checkFixtureCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, [], ["since", "until", "limit"]);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [folder, ...rest] = positionals;
    if (folder === undefined) throw wrong("Say which folder.");
    noArguments(rest, wrong);
    const manifest = await readManifest(folder).catch(asMistake(wrong));
    if (manifest === null) throw wrong(`${folder} is no recording: there is no recording.json in it.`);
    const fixtures = await readFixtures(folder).catch(asMistake(wrong));
    const query = {
      since: instantOf("since", values.since, wrong),
      until: instantOf("until", values.until, wrong),
      limit: wholeNumber("limit", values.limit, wrong) ?? MOST,
    };
    const options = schemas(values, wrong);
    const { leaks, by } = await withDatabase(values, (knex) =>
      showingProgress("Looking", async (tell) => {
        const { readTraffic } = await import("@omniops/whatsapp");
        const { leaksIn, originalsOf } = await import("../qa/make-recording.ts");
        const traffic = await readTraffic(knex, query, options);
        const originals = originalsOf(traffic);
        let done = 0;
        const onStep = () => tell(++done, null);
        return { leaks: leaksIn({ manifest, fixtures }, originals, onStep), by: traffic.deliveries.length };
      }),
    ).catch(asUsage(wrong));
    if (values.json) console.log(JSON.stringify({ leaks, checkedBy: by }));
    else {
      for (const { file, path, what } of leaks) console.log(`${file} ${path}: ${what}`);
      console.log(
        leaks.length === 0
          ? `Nothing personal of ${counted(by, "stored delivery", "stored deliveries")} is in ${folder}.`
          : `Something personal is in ${folder}: ${counted(leaks.length, "place")}.`,
      );
    }
    return leaks.length === 0 ? 0 : 1;
  },
};
