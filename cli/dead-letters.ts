/** `dead-letters`: what was moved aside after its last try, shown, and put back in order for the running host. */
import { userInfo } from "node:os";
import type { DeadLetter, DeadLetterQuery, DeadLetterService } from "@omniops/whatsapp";
import { asUsage, type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { didYouMean } from "./nearest.ts";
import { optionsHelp, type Parsed, parsed, schemas } from "./options.ts";
import { harmless } from "./print.ts";
import { showingProgress } from "./progress.ts";
import { instantOf, tenantOf, wholeNumber } from "./values.ts";

const NAME = "dead-letters";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} list [options]
       whatsapp-channel ${NAME} redrive [<id> …] [options]

What failed on every try and lies aside: events that could not be applied (in), turns that reply did not answer
(turn), events that onEvent did not take (notify). Neither text nor numbers are shown.
redrive puts them back, oldest first, each where it stood in its conversation; a running host works them. Mend the
cause first. Safe to repeat.

${optionsHelp(
  [
    "--stage <stage>         in, turn or notify",
    "--conversation <uuid>   Of this conversations.id",
    "--error <error>         With this error, as it is listed",
    "--from <time>           Came then or later: 2026-11-27, or 2026-11-27T08:00:00Z",
    "--until <time>          Came before that",
    "--tenant <uuid>         Only of this customer_configs.id. Default: of every tenant",
    "--limit <number>        list: at most 100, the default. redrive: at most 1000, the default",
    "--after <next>          list: the page after the one that ended so",
    "--all                   redrive: whatever there is, where no filter and no id is given",
  ],
  "Exit codes: 0 done, 1 failed, 2 used wrongly",
)}

Examples:
  whatsapp-channel ${NAME} list --stage turn
  whatsapp-channel ${NAME} redrive --error "Error ECONNREFUSED" --from 2026-11-27T08:00:00Z
  whatsapp-channel ${NAME} redrive in:17 in:18`;

const FILTERS = ["stage", "conversation", "error", "from", "until", "tenant"] as const;
const VALUED = [...FILTERS, "limit", "after"] as const;
type Values = Parsed<
  { readonly [Name in "all"]?: boolean } & { readonly [Name in (typeof VALUED)[number]]?: string }
>["values"];

export const deadLettersCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["all"], VALUED);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [what, ...ids] = positionals;
    if (what !== "list" && what !== "redrive")
      throw wrong(
        what === undefined
          ? "Say what: list or redrive."
          : `"${what}" is neither list nor redrive.${didYouMean(what, ["list", "redrive"])}`,
      );
    const act = what === "list" ? list(ids, values) : redrive(ids, values);
    const options = schemas(values, wrong);
    const { json, text } = await withDatabase(values, async (knex) => {
      const { openDeadLetters } = await import("@omniops/whatsapp");
      return showingProgress(what === "list" ? "Looking" : "Putting back", () =>
        act(openDeadLetters(knex, { ...options, logger })),
      );
    }).catch(asUsage(wrong));
    console.log(values.json ? JSON.stringify(json) : text);
    return 0;
  },
};

/** Who has put back what is for the log: stderr, so that stdout is the answer alone. */
const logger = {
  info: (fields: object, message: string) => console.error(JSON.stringify({ time: new Date(), ...fields, message })),
};

function whoIsThis(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // In a container the user may have no name.
    return "cli";
  }
}

type Act = (letters: DeadLetterService) => Promise<{ readonly json: object; readonly text: string }>;

function list(ids: readonly string[], values: Values): Act {
  noArguments(ids, wrong);
  if (values.all) throw wrong("--all is for redrive: list shows whatever there is.");
  const query = { ...filterOf(values), limit: wholeNumber("limit", values.limit, wrong), after: values.after };
  return async (deadLetters) => {
    const { letters, next } = await deadLetters.list(query);
    const rows = letters.map(toText);
    if (next !== null) rows.push(`There may be more: --after ${next}`);
    return { json: { deadLetters: letters, next }, text: rows.length === 0 ? "None." : rows.join("\n") };
  };
}

function redrive(ids: readonly string[], values: Values): Act {
  if (values.after !== undefined) throw wrong("--after is for list: redrive begins with the oldest.");
  for (const id of ids)
    if (!/^(in|turn|notify):[\w-]+$/.test(id))
      throw wrong(`"${id}" is no id: they look like in:17, as list shows them.`);
  const narrows = ids.length > 0 || FILTERS.some((name) => values[name] !== undefined);
  if (narrows === (values.all === true))
    throw wrong(
      narrows
        ? "--all says that there is no filter and no id."
        : "Say which: ids, a filter, or --all for whatever there is.",
    );
  const query = {
    ...filterOf(values),
    limit: wholeNumber("limit", values.limit, wrong),
    ...(ids.length > 0 ? { ids } : {}),
    by: whoIsThis(),
  };
  return async (deadLetters) => {
    const { redriven, left } = await deadLetters.redrive(query);
    const more = left > 0 ? ` ${left} more match: run this again.` : "";
    return { json: { redriven, left }, text: `Put back: ${redriven}.${more}` };
  };
}

function filterOf(values: Values): DeadLetterQuery {
  return {
    stage: values.stage as DeadLetterQuery["stage"],
    conversationId: values.conversation,
    error: values.error,
    from: instantOf("from", values.from, wrong),
    until: instantOf("until", values.until, wrong),
    customerConfigId: tenantOf(values.tenant, wrong),
  };
}

/** Errors are named by whatever the host has thrown. */
function toText({ id, kind, at, conversationId, attempts, error, explanation }: DeadLetter): string {
  const tries = attempts === null ? "" : `, ${attempts} tries`;
  const about = conversationId === null ? "no conversation" : `conversation ${conversationId}`;
  return [`${id}  ${kind}, ${at}, ${about}${tries}`, `  ${error}`, `  ${explanation}`].map(harmless).join("\n");
}
