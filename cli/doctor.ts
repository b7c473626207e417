/** `doctor`: "it looks right, why does nothing arrive?", answered as a list of checks with the fix for each. */
import type { Diagnosis, Finding } from "@omniops/whatsapp";
import { type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { type Colour, counted, harmless, type Paint, paintFor, widthOf, wrap } from "./print.ts";
import { tenantOf } from "./values.ts";

const NAME = "doctor";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} [options]

Looks for whatever keeps messages from arriving or leaving, from the configuration to the last send, and says how
to mend it. Changes nothing, here or at Meta. Takes its settings from the same environment variables as the host.

${optionsHelp(
  [
    "--tenant <id>           Only this customer_configs.id; default: all",
    "--offline               Ask neither Meta nor the webhook's public address",
  ],
  "Exit codes: 0 no problem (warnings are none), 1 something to mend, 2 used wrongly",
)}

Examples:
  DATABASE_URL=postgres://… whatsapp-channel ${NAME}
  whatsapp-channel ${NAME} --tenant 00000000-0000-4000-8000-000000000001
  whatsapp-channel ${NAME} --json | jq '.checks[] | select(.state == "problem")'`;

export const doctorCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["offline"], ["tenant"]);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    noArguments(positionals, wrong);
    const tenant = tenantOf(values.tenant, wrong);
    const { offline = false } = values;
    const diagnosis = await withDatabase(values, async (knex) => {
      const { runDoctor, whatsappConfigFromEnv } = await import("@omniops/whatsapp");
      return runDoctor(knex, {
        config: whatsappConfigFromEnv(process.env),
        ...schemas(values, wrong),
        ...(tenant === undefined ? {} : { customerConfigId: tenant }),
        offline,
      });
    });
    console.log(values.json ? JSON.stringify(toJson(diagnosis)) : toText(diagnosis, process.stdout));
    return diagnosis.healthy ? 0 : 1;
  },
};

/** As the route answers. */
function toJson({ healthy, checks }: Diagnosis): object {
  return {
    healthy,
    checks: checks.map(({ phoneNumberId, ...check }) => ({ ...check, phone_number_id: phoneNumberId })),
  };
}

const MARKS: Readonly<Record<Finding["state"], readonly [string, Colour]>> = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  problem: ["✗", "red"],
  skipped: ["–", "dim"],
};

function toText({ checks }: Diagnosis, stream: NodeJS.WriteStream): string {
  const paint = paintFor(stream);
  const column = Math.max(...checks.map(({ title }) => title.length)) + 4;
  const lines: string[] = [];
  let about: string | null = null;
  for (const check of checks) {
    if (check.phoneNumberId !== about) {
      about = check.phoneNumberId;
      lines.push("", about === null ? paint("bold", "All numbers") : paint("bold", `Number ${about}`));
    }
    lines.push(...linesOf(check, column, widthOf(stream), paint));
  }
  return [...lines, "", summary(checks)].join("\n");
}

function linesOf({ state, title, seen, fix }: Finding, column: number, width: number, paint: Paint): readonly string[] {
  const [mark, colour] = MARKS[state];
  const room = Math.max(30, width - column);
  const indent = " ".repeat(column);
  const [first = "", ...rest] = wrap(harmless(seen), room).map((line) =>
    state === "skipped" ? paint("dim", line) : line,
  );
  return [
    `${paint(colour, mark)} ${title.padEnd(column - 2)}${first}`,
    ...rest.map((line) => indent + line),
    ...(fix === null ? [] : wrap(harmless(`→ ${fix}`), room).map((line) => indent + paint(colour, line))),
  ];
}

function summary(checks: readonly Finding[]): string {
  const amount = (state: Finding["state"]) => checks.filter((check) => check.state === state).length;
  const [problems, warnings, skips] = [amount("problem"), amount("warning"), amount("skipped")];
  const skipped = skips === 0 ? "" : `, ${skips} not looked at`;
  return problems === 0 && warnings === 0
    ? `All well${skipped}.`
    : `${counted(problems, "problem")}, ${counted(warnings, "warning")}${skipped}. Mend from the top: what is below may follow from it.`;
}
