#!/usr/bin/env node
/** whatsapp-channel: the command line of the package, for the people who run the host. */
import { createRequire } from "node:module";
import { checkFixtureCommand } from "./check-fixture.ts";
import { type Command, type ExitCode, usageError } from "./command.ts";
import { deadLettersCommand } from "./dead-letters.ts";
import { doctorCommand } from "./doctor.ts";
import { eraseCommand } from "./erase.ts";
import { explain } from "./explain.ts";
import { migrateCommand } from "./migrate.ts";
import { recordCommand } from "./record.ts";
import { replayCommand } from "./replay.ts";
import { replayUnknownCommand } from "./replay-unknown.ts";
import { rotateKeysCommand } from "./rotate-keys.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  migrate: migrateCommand,
  doctor: doctorCommand,
  "dead-letters": deadLettersCommand,
  "replay-unknown": replayUnknownCommand,
  erase: eraseCommand,
  "rotate-keys": rotateKeysCommand,
  record: recordCommand,
  "check-fixture": checkFixtureCommand,
  replay: replayCommand,
};

const HELP = `Usage: whatsapp-channel <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`)
  .join("\n")}

Options:
  --help      This text; after a command, that command's
  --version   The version of the package

Examples:
  whatsapp-channel migrate
  whatsapp-channel migrate --help
  whatsapp-channel doctor
  whatsapp-channel dead-letters list
  whatsapp-channel replay-unknown
  whatsapp-channel erase --phone +14155550123
  whatsapp-channel record --person +14155550123 --out recordings/refund
  whatsapp-channel replay recordings/refund --reply ./reply.js`;

async function main([name, ...args]: readonly string[]): Promise<ExitCode> {
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(HELP);
    return 0;
  }
  if (name === "--version" || name === "-v") {
    console.log(createRequire(import.meta.url)("@omniops/whatsapp/package.json").version);
    return 0;
  }
  const command = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (command !== undefined) return command.run(args);
  throw usageError(name === undefined ? "Say which command." : `There is no command "${name}".`, "--help");
}

const args = process.argv.slice(2);
process.exitCode = await main(args).catch((error: unknown) => {
  const { exitCode, code, message } = explain(error);
  console.error(args.includes("--json") ? JSON.stringify({ error: { code, message } }) : message);
  return exitCode;
});
