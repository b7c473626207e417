/** `migrate`: puts our tables into the host's database, says how far they are, takes them out, writes it down as SQL, or frees the lock. */
import {
  type MigrateOptions,
  migrate,
  migrateDown,
  migrationStatus,
  type PlanOptions,
  planMigrations,
  unlockMigrations,
  whatDownDeletes,
} from "@omniops/whatsapp/migrations";
import type { Knex } from "knex";
import { type Command, type ExitCode, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { didYouMean } from "./nearest.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { counted } from "./print.ts";
import { showingProgress } from "./progress.ts";

const wrong = wrongFor("migrate");
const OWN = [
  "--plan                  For up and down: print the SQL that would run, for review, and change nothing",
  "--yes                   For down: do delete",
];

type Outcome = { readonly json: unknown; readonly text: string; readonly exitCode?: ExitCode };
type Action = {
  readonly does: string;
  /** The same while it is done. */
  readonly doing: string;
  readonly examples: readonly string[];
  run(knex: Knex, options: MigrateOptions, confirmed: boolean): Promise<Outcome>;
  /** For `--plan`: the same as SQL, which a person reviews and runs. */
  readonly direction?: "up" | "down";
};

const ACTIONS: Readonly<Record<string, Action>> = {
  up: {
    does: "Bring the database up to this version (the default)",
    doing: "Bringing the database up",
    examples: [
      "DATABASE_URL=postgres://… whatsapp-channel migrate",
      "whatsapp-channel migrate up --schema whatsapp --host-schema app",
      "whatsapp-channel migrate --plan > migrate.sql",
    ],
    direction: "up",
    async run(knex, options) {
      const applied = await migrate(knex, options);
      const text = applied.length === 0 ? "Nothing to do: the database is up to date." : list("Applied:", applied);
      return { json: { applied }, text };
    },
  },
  status: {
    does: "Say what is applied, pending, or left by a newer version",
    doing: "Looking",
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
    doing: "Taking everything of ours out",
    examples: [
      "whatsapp-channel migrate down",
      "whatsapp-channel migrate down --plan > down.sql",
      "whatsapp-channel migrate down --yes",
    ],
    direction: "down",
    async run(knex, options, confirmed) {
      const plan = await whatDownDeletes(knex, options);
      const kept =
        plan.keptFor.length === 0
          ? ""
          : `\nWhat was added to the host's tables stays: we are installed in schema ${plan.keptFor.join(", ")} too.`;
      if (confirmed) {
        const undone = await migrateDown(knex, options);
        const text = undone.length === 0 ? "Nothing to undo." : `${list("Undone:", undone)}${kept}`;
        return { json: { undone, keptFor: plan.keptFor }, text };
      }
      const tables = plan.tables.map(({ name, rows }) => `${name} (${counted(rows, "row")})`);
      const text = `${list("Tables that would be deleted:", tables)}
${list("Columns that would be deleted from the host's tables:", plan.columns)}${kept}
Nothing was changed. To do it: whatsapp-channel migrate down --yes`;
      return { json: { wouldDelete: plan }, text, exitCode: 2 };
    },
  },
  unlock: {
    does: "Free the ledger's lock that a host's own knex left set",
    doing: "Freeing the lock",
    examples: ["whatsapp-channel migrate unlock"],
    async run(knex, options) {
      await unlockMigrations(knex, options);
      return { json: { unlocked: true }, text: "The ledger is not locked." };
    },
  },
};

export const migrateCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["yes", "plan"]);
    const [name, ...rest] = positionals;
    const action = Object.entries(ACTIONS).find(([known]) => known === (name ?? "up"))?.[1];
    if (action === undefined)
      throw wrong(`There is no "migrate ${name}".${didYouMean(name ?? "", Object.keys(ACTIONS))}`);
    noArguments(rest, wrong);
    if (values.help) {
      console.log(helpOf(name, action));
      return 0;
    }
    const options = schemas(values, wrong);
    const confirmed = values.yes === true;
    const { direction } = action;
    if (values.plan && direction === undefined) throw wrong("--plan is for up and down.");
    if (values.plan && confirmed) throw wrong("--plan only writes: leave out --yes.");
    const outcome = await withDatabase(values, (knex) =>
      showingProgress(action.doing, () =>
        values.plan && direction !== undefined
          ? plan(knex, { ...options, direction })
          : action.run(knex, options, confirmed),
      ),
    );
    console.log(values.json ? JSON.stringify(outcome.json) : outcome.text);
    return outcome.exitCode ?? 0;
  },
};

async function plan(knex: Knex, options: PlanOptions): Promise<Outcome> {
  const planned = await planMigrations(knex, options);
  const nothing = `-- Nothing to do: the database is ${options.direction === "down" ? "without our tables" : "up to date"}.`;
  return { json: planned, text: planned.sql === "" ? nothing : planned.sql.trimEnd() };
}

function helpOf(name: string | undefined, action: Action): string {
  const examples = (lines: readonly string[]) => `Examples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  if (name !== undefined)
    return `Usage: whatsapp-channel migrate ${name} [options]\n\n${action.does}.\n\n${optionsHelp(OWN)}\n\n${examples(action.examples)}`;
  const actions = Object.entries(ACTIONS).map(([known, { does }]) => `  ${known.padEnd(8)}${does}`);
  const all = Object.values(ACTIONS).flatMap((each) => each.examples);
  return `Usage: whatsapp-channel migrate [up|status|down|unlock] [options]\n\n${actions.join("\n")}\n\n${optionsHelp(OWN)}\n\n${examples(all)}`;
}

function list(title: string, items: readonly string[]): string {
  return `${title}${items.length === 0 ? " none" : items.map((item) => `\n  ${item}`).join("")}`;
}
