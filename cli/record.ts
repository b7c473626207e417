/** `record`: stored webhooks become fixtures that hold nothing of anybody, with the answers that were sent as the promise. */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import type { TrafficQuery } from "@omniops/whatsapp";
import type { Leak } from "../qa/check.ts";
import { checkIsFree, writeRecording } from "../qa/fixtures.ts";
import type { TextMode } from "../qa/scrub.ts";
import { asMistake, asUsage, type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { counted } from "./print.ts";
import { showingProgress } from "./progress.ts";
import { instantOf, tenantOf, wholeNumber } from "./values.ts";

const NAME = "record";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} --out <folder> [options]

Makes fixtures of stored webhooks and of the answers that were sent: <n>-<type>.request.json as Meta posts it,
<n>-<type>.sends.json with what must be sent for it, recording.json. Names, numbers, user ids, ids, tokens, places
and files are replaced, each by the same stand-in everywhere, so that what belonged together still does. A checker then
looks for whatever was there before; if it finds any of it, nothing is written and the exit code is 1.
Numbers keep their country and length, and begin in a way that no number does: nobody can be called by mistake.

${optionsHelp(
  [
    "--out <folder>          A new folder",
    "--person <who>          Only this person: +14155550123, or Meta's id of them, US.5512. Default: everybody",
    "--since <time>          Received then or later: 2026-11-27, or 2026-11-27T08:00:00Z",
    "--until <time>          Received before that",
    "--type <type>           message, status, smb_message_echoes, …; several with commas. Default: all",
    "--tenant <uuid>         Only numbers of this customer_configs.id",
    "--limit <number>        The oldest so many deliveries. Default 1000, at most 10000",
    "--text <mode>           shape: letters and digits of texts are replaced, all else stays (default)",
    "                        keep: texts stay, without the names, numbers and ids in them",
    '                        fixed: every text becomes "Text"',
    "--times <mode>          shift: the recording begins on 2026-01-01 (default); keep",
    "--dry-run               Check it and write nothing",
  ],
  "Exit codes: 0 done, 1 failed or something personal would be left, 2 used wrongly",
)}

WHATSAPP_SCRUB_SALT: the same salt gives the same stand-ins in every recording. Keep it secret: whoever has it can try
numbers until one fits. Default: a new one each time, which nobody keeps.

Examples:
  whatsapp-channel ${NAME} --person +14155550123 --out recordings/refund
  whatsapp-channel ${NAME} --since 2026-11-27T08:00:00Z --type message --text keep --out recordings/morning
  whatsapp-channel ${NAME} --person US.5512 --out recordings/x --dry-run --json`;

const VALUED = ["out", "person", "since", "until", "type", "tenant", "limit", "text", "times"] as const;
/** Everything, as `check-fixture` looks. */
const MOST_KNOWN = 10_000;
const STARTS_AT = new Date("2026-01-01T00:00:00Z");
/** The lines that a person reads to the end. */
const MOST_LEAKS = 20;

export const recordCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["dry-run"], VALUED);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    noArguments(positionals, wrong);
    const isDry = values["dry-run"] === true;
    const out = values.out ?? "";
    if (out === "" && !isDry) throw wrong("Say where: --out <folder>.");
    const text = oneOf("text", values.text ?? "shape", ["shape", "keep", "fixed"] as const);
    const times = oneOf("times", values.times ?? "shift", ["shift", "keep"] as const);
    const query: TrafficQuery = {
      person: personOf(values.person),
      since: instantOf("since", values.since, wrong),
      until: instantOf("until", values.until, wrong),
      types: values.type?.split(",").map((type) => type.trim()),
      customerConfigId: tenantOf(values.tenant, wrong),
      limit: wholeNumber("limit", values.limit, wrong),
    };
    const options = schemas(values, wrong);
    if (!isDry) await checkIsFree(out).catch(asMistake(wrong));
    const [traffic, known] = await withDatabase(values, (knex) =>
      showingProgress("Reading", async () => {
        const { readTraffic } = await import("@omniops/whatsapp");
        const asked = await readTraffic(knex, query, options);
        // Of every tenant: what one person wrote may name another's.
        const all = await readTraffic(knex, { limit: MOST_KNOWN }, options);
        return [asked, all] as const;
      }),
    ).catch(asUsage(wrong));
    if (traffic.deliveries.length === 0)
      throw new Error(
        query.person === undefined
          ? "No stored webhook fits."
          : "Nobody is known by that number or id, or nothing of theirs fits or is stored any more.",
      );
    const { makeRecording } = await import("../qa/make-recording.ts");
    const { recording, leaks, dropped } = await showingProgress("Replacing and checking", async (onProgress) =>
      makeRecording(traffic, {
        salt: process.env.WHATSAPP_SCRUB_SALT || randomBytes(32).toString("hex"),
        text,
        startsAt: times === "shift" ? STARTS_AT : null,
        known,
        version: createRequire(import.meta.url)("@omniops/whatsapp/package.json").version,
        onProgress,
      }),
    );
    const sends = recording.fixtures.reduce((sum, fixture) => sum + (fixture.sends?.length ?? 0), 0);
    const summary = {
      deliveries: recording.fixtures.length,
      sends,
      leftOut: traffic.skipped + dropped,
      more: traffic.more,
      leaks,
      out: isDry || leaks.length > 0 ? null : out,
    };
    if (summary.out !== null) await writeRecording(out, recording);
    console.log(values.json ? JSON.stringify(summary) : toText(summary, text));
    return leaks.length === 0 ? 0 : 1;
  },
};

type Summary = {
  readonly deliveries: number;
  readonly sends: number;
  readonly leftOut: number;
  readonly more: boolean;
  readonly leaks: readonly Leak[];
  readonly out: string | null;
};

function toText({ deliveries, sends, leftOut, more, leaks, out }: Summary, text: TextMode): string {
  const lines = [
    `Recorded: ${counted(deliveries, "delivery", "deliveries")}, ${counted(sends, "promised send")}; texts: ${text}.`,
  ];
  if (leftOut > 0) lines.push(`Left out: ${leftOut} that are erased, no JSON, or of others.`);
  if (more) lines.push("There are more: narrow it with --since, or raise --limit.");
  if (leaks.length > 0) {
    lines.push(`Something personal would be left, so nothing was written. ${counted(leaks.length, "place")}:`);
    for (const { file, path, what } of leaks.slice(0, MOST_LEAKS)) lines.push(`  ${file} ${path}: ${what}`);
    if (leaks.length > MOST_LEAKS) lines.push(`  … and ${leaks.length - MOST_LEAKS} more`);
    return lines.join("\n");
  }
  lines.push("Checked: no name, number, id or text of anybody is left.");
  lines.push(out === null ? "Nothing was written." : `Written: ${out}\nNext: whatsapp-channel replay ${out} --help`);
  return lines.join("\n");
}

function personOf(person: string | undefined): TrafficQuery["person"] {
  if (person === undefined) return undefined;
  return /^[A-Za-z]{2}\./.test(person) ? { userId: person } : { phoneNumber: person };
}

function oneOf<Mode extends string>(name: string, value: string, modes: readonly Mode[]): Mode {
  const mode = modes.find((known) => known === value);
  if (mode === undefined) throw wrong(`--${name} is one of ${modes.join(", ")}.`);
  return mode;
}
