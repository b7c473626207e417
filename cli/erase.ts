/** `erase`: forgets a person, or says what that would take away. */
import type { ErasureCounts, ErasureSubject } from "@omniops/whatsapp";
import { asUsage, type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { showingProgress } from "./progress.ts";
import { tenantOf } from "./values.ts";

const NAME = "erase";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} --phone <number> | --user <id> [options]

Forgets a person: everything that is stored of them and what they said, in our tables and in the host's inbox, in
one transaction. What stays are counts, and keys by which a webhook that Meta brings again is recognised.
The running host need not be stopped. Without --yes it counts what would go, and changes nothing.

${optionsHelp([
  "--phone <number>        With country code: +14155550123",
  "--user <id>             Meta's id of the person: US.5512",
  "--tenant <uuid>         Only of this customer_configs.id. Default: of every tenant",
  "--yes                   Do it",
])}

Examples:
  DATABASE_URL=postgres://… whatsapp-channel ${NAME} --phone +14155550123
  whatsapp-channel ${NAME} --user US.5512 --tenant 00000000-0000-4000-8000-000000000001 --yes`;

export const eraseCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["yes"], ["phone", "user", "tenant"]);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    noArguments(positionals, wrong);
    const subject = subjectOf(values.phone, values.user);
    const tenant = tenantOf(values.tenant, wrong);
    const options = { ...schemas(values, wrong), ...(tenant === undefined ? {} : { customerConfigId: tenant }) };
    const confirmed = values.yes === true;
    const counts = await withDatabase(values, async (knex) => {
      const { erase, whatEraseDeletes } = await import("@omniops/whatsapp");
      const act = confirmed ? erase : whatEraseDeletes;
      return showingProgress(confirmed ? "Forgetting" : "Counting", () => act(knex, subject, options));
    }).catch(asUsage(wrong));
    if (values.json) console.log(JSON.stringify(confirmed ? { erased: counts } : { wouldErase: counts }));
    else if (confirmed) console.log(list("Erased:", counts));
    else console.log(`${list("Would be erased:", counts)}\nNothing was changed. To do it, add --yes.`);
    return confirmed ? 0 : 2;
  },
};

function subjectOf(phoneNumber: string | undefined, userId: string | undefined): ErasureSubject {
  if (phoneNumber !== undefined && userId === undefined) return { phoneNumber };
  if (userId !== undefined && phoneNumber === undefined) return { userId };
  throw wrong("Say who: --phone or --user, one of them.");
}

function list(title: string, counts: ErasureCounts): string {
  const words: Readonly<Record<keyof ErasureCounts, string>> = {
    contacts: "contacts",
    conversations: "conversations, emptied",
    messages: "messages in the host's inbox",
    media: "files that they have sent",
    events: "events",
    deliveries: "deliveries, their bytes",
    turns: "turns",
    sends: "sends",
    hostEvents: "events waiting for the host",
  };
  const lines = Object.entries(words).map(
    ([key, word]) => `\n  ${String(counts[key as keyof ErasureCounts]).padStart(6)}  ${word}`,
  );
  return `${title}${lines.join("")}`;
}
