/** `rotate-keys`: seals every stored token and PIN again with the first key, and says which old keys may go. */
import type { KeyCount, KeyRotation } from "@omniops/whatsapp";
import { type Command, noArguments, wrongFor } from "./command.ts";
import { withDatabase } from "./database.ts";
import { optionsHelp, parsed, schemas } from "./options.ts";
import { showingProgress } from "./progress.ts";

const NAME = "rotate-keys";
const wrong = wrongFor(NAME);
const HELP = `Usage: whatsapp-channel ${NAME} [options]

Seals every stored token and PIN again with the first key of WHATSAPP_TOKEN_KEYS, while the host goes on running:
1. Make a key and put it behind the old one, in every process:   WHATSAPP_TOKEN_KEYS=k1:…,k2:…
2. Once all of them have it, put it in front, in every process:   WHATSAPP_TOKEN_KEYS=k2:…,k1:…
3. Run this. It says when k1 seals nothing any more.
4. Remove k1, in every process.
Safe to repeat and to break off. What does not open is named, stays as it is, and makes the exit code 1.

${optionsHelp(
  ["--check                 Only count"],
  "Exit codes: 0 done, 1 failed or something does not open, 2 used wrongly",
)}

Examples:
  whatsapp-channel ${NAME} --check
  whatsapp-channel ${NAME}`;

export const rotateKeysCommand: Command = {
  async run(args) {
    const { values, positionals } = parsed(args, wrong, ["check"]);
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    noArguments(positionals, wrong);
    const checkOnly = values.check === true;
    const { schema } = schemas(values, wrong);
    const rotation = await withDatabase(values, async (knex) => {
      const { rotateKeys, whatsappConfigFromEnv } = await import("@omniops/whatsapp");
      const config = whatsappConfigFromEnv(process.env);
      return showingProgress(checkOnly ? "Counting" : "Sealing again", (onProgress) =>
        rotateKeys(knex, { config, ...(schema === undefined ? {} : { schema }), checkOnly, onProgress }),
      );
    });
    console.log(values.json ? JSON.stringify(rotation) : toText(rotation, checkOnly));
    if (!values.json)
      for (const { kind, id, member, error } of rotation.unreadable)
        console.error(`${kind} ${id}${member === "" ? "" : ` of number ${member}`}: ${error}`);
    return rotation.unreadable.length === 0 ? 0 : 1;
  },
};

function toText({ before, after, resealed, removable, neededForSignIns }: KeyRotation, checkOnly: boolean): string {
  const lines = checkOnly
    ? [`Sealed: ${say(before)}`]
    : [`Before: ${say(before)}`, `After:  ${say(after)}`, `Sealed again: ${resealed}`];
  if (removable.length > 0)
    lines.push(`May be removed from WHATSAPP_TOKEN_KEYS, in every process: ${removable.join(", ")}`);
  if (neededForSignIns.length > 0)
    lines.push(
      `Somebody is just connecting and needs ${neededForSignIns.join(", ")} for ten minutes more: run this again then.`,
    );
  return lines.join("\n");
}

function say(counts: readonly KeyCount[]): string {
  return counts.length === 0
    ? "nothing"
    : counts.map(({ kid, values }) => `${values} with ${kid ?? "no key"}`).join(", ");
}
