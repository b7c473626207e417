/** `migrate`: puts our tables into the host's database, says how far they are, takes them out, or frees the lock. */
import { parseArgs } from "node:util";
import {
  type MigrateOptions,
  migrate,
  migrateDown,
  migrationStatus,
  unlockMigrations,
  whatDownDeletes,
} from "@omniops/whatsapp/migrations";
import type { Knex } from "knex";
import { type Command, type ExitCode, usageError } from "./command.ts";
import { withDatabase } from "./database.ts";

type Outcome = { readonly json: unknown; readonly text: string; readonly exitCode?: ExitCode };
type Action = {
  readonly does: string;
  readonly examples: readonly string[];
  run(knex: Knex, options: MigrateOptions, confirmed: boolean): Promise<Outcome>;
};

const ACTIONS: Readonly<Record<string, Action>> = {
  up: {
    does: "Bring the database up to this version (the default)",
    examples: [
      "DATABASE_URL=postgres://… whatsapp-channel migrate",
      "whatsapp-channel migrate up --schema whatsapp --host-schema app",
    ],
    async run(knex, options) {
      const applied = await migrate(knex, options);
      const text = applied.length === 0 ? "Nothing to do: the database is up to date." : list("Applied:", applied);
      return { json: { applied }, text };
    },
  },
  status: {
    does: "Say what is applied, pending, or left by a newer version",
    examples: ["whatsapp-channel migrate status", "whatsapp-channel migrate status --json"],
    async run(knex, options) {
      const status = await migrationStatus(knex, options);
      const parts = [
        list("Applied:", status.applied),
        list("Pending:", status.pending),
        ...(status.unknown.length === 0 ? [] : [list("Unknown, of a newer version:", status.unknown)]),
      ];
      return { json: status, text: parts.join("\n") };
    },
  },
  down: {
    does: "Take everything of ours out, data included; needs --yes",
    examples: ["whatsapp-channel migrate down", "whatsapp-channel migrate down --yes"],
    async run(knex, options, confirmed) {
      if (confirmed) {
        const undone = await migrateDown(knex, options);
        return { json: { undone }, text: undone.length === 0 ? "Nothing to undo." : list("Undone:", undone) };
      }
      const plan = await whatDownDeletes(knex, options);
      const tables = plan.tables.map(({ name, rows }) => `${name} (${rows} ${rows === 1 ? "row" : "rows"})`);
      const text = `${list("Tables that would be deleted:", tables)}
${list("Columns that would be deleted from the host's tables:", plan.columns)}
Nothing was changed. To do it: whatsapp-channel migrate down --yes`;
      return { json: { wouldDelete: plan }, text, exitCode: 2 };
    },
  },
  unlock: {
    does: "Free the ledger's lock that a host's own knex left set",
    examples: ["whatsapp-channel migrate unlock"],
    async run(knex, options) {
      await unlockMigrations(knex, options);
      return { json: { unlocked: true }, text: "The ledger is not locked." };
    },
  },
};

const OPTIONS_HELP = `Options:
  --database-url <url>    Default: DATABASE_URL, which other users of this machine cannot see
  --schema <name>         Schema of our tables. Default: public
  --host-schema <name>    Schema of customer_configs, conversations and messages. Default: public
  --json                  One JSON value on stdout; a failure is one on stderr
  --yes                   For down: do delete
  --help                  This text

Exit codes: 0 done, 1 failed, 2 used wrongly or not confirmed`;

export const migrateCommand: Command = {
  summary: "Create, inspect or remove our tables in the host's database",

  async run(args) {
    const { values, positionals } = parsed(args);
    const [name, ...rest] = positionals;
    const action = Object.entries(ACTIONS).find(([known]) => known === (name ?? "up"))?.[1];
    if (action === undefined) throw usageError(`There is no "migrate ${name}".`, "migrate --help");
    if (rest.length > 0) throw usageError(`"${rest.join(" ")}" is one argument too many.`, "migrate --help");
    if (values.help) {
      console.log(helpOf(name, action));
      return 0;
    }
    const options = schemas(values);
    const confirmed = values.yes === true;
    const url = values["database-url"] ?? process.env.DATABASE_URL;
    const outcome = await withDatabase(url, (knex) => action.run(knex, options, confirmed));
    console.log(values.json ? JSON.stringify(outcome.json) : outcome.text);
    return outcome.exitCode ?? 0;
  },
};

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "database-url": { type: "string" },
        schema: { type: "string" },
        "host-schema": { type: "string" },
        json: { type: "boolean" },
        yes: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // Node adds advice about positionals after the first sentence.
    const [sentence = ""] = (error as Error).message.split(/\.(\s|$)/);
    throw usageError(`${sentence.replaceAll("\n", " ")}.`, "migrate --help");
  }
}

function schemas(values: { readonly schema?: string; readonly "host-schema"?: string }): MigrateOptions {
  for (const name of ["schema", "host-schema"] as const)
    if (values[name] === "") throw usageError(`--${name} is empty.`, "migrate --help");
  return {
    ...(values.schema === undefined ? {} : { schema: values.schema }),
    ...(values["host-schema"] === undefined ? {} : { hostSchema: values["host-schema"] }),
  };
}

function helpOf(name: string | undefined, action: Action): string {
  const examples = (lines: readonly string[]) => `Examples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  if (name !== undefined)
    return `Usage: whatsapp-channel migrate ${name} [options]\n\n${action.does}.\n\n${OPTIONS_HELP}\n\n${examples(action.examples)}`;
  const actions = Object.entries(ACTIONS).map(([known, { does }]) => `  ${known.padEnd(8)}${does}`);
  const all = Object.values(ACTIONS).flatMap((each) => each.examples);
  return `Usage: whatsapp-channel migrate [up|status|down|unlock] [options]\n\n${actions.join("\n")}\n\n${OPTIONS_HELP}\n\n${examples(all)}`;
}

function list(title: string, items: readonly string[]): string {
  return `${title}${items.length === 0 ? " none" : items.map((item) => `\n  ${item}`).join("")}`;
}
