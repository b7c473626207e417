#!/usr/bin/env node
/** whatsapp-channel: the command line of the package, for the people who run the host. */
import { createRequire } from "node:module";
import { type Command, type ExitCode, usageError } from "./command.ts";
import { explain } from "./explain.ts";
import { didYouMean } from "./nearest.ts";

type Listed = {
  readonly summary: string;
  /** Read when it is asked for: nobody waits for what the others need. */
  load(): Promise<Command>;
};

const COMMANDS: Readonly<Record<string, Listed>> = {
  migrate: {
    summary: "Create, inspect or remove our tables in the host's database",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  doctor: {
    summary: "Find out why nothing arrives, or nothing leaves",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  "dead-letters": {
    summary: "What failed on every try: list it, put it back",
    load: async () => (await import("./dead-letters.ts")).deadLettersCommand,
  },
  "replay-unknown": {
    summary: "After an upgrade: read again what was unknown before",
    load: async () => (await import("./replay-unknown.ts")).replayUnknownCommand,
  },
  erase: {
    summary: "Forget a person, everywhere",
    load: async () => (await import("./erase.ts")).eraseCommand,
  },
  "rotate-keys": {
    summary: "Seal stored tokens again with a new key",
    load: async () => (await import("./rotate-keys.ts")).rotateKeysCommand,
  },
  record: {
    summary: "Make fixtures of stored webhooks, without anything personal",
    load: async () => (await import("./record.ts")).recordCommand,
  },
  "check-fixture": {
    summary: "Look for anything personal in a recording",
    load: async () => (await import("./check-fixture.ts")).checkFixtureCommand,
  },
  replay: {
    summary: "Post fixtures through a router, and compare what is sent",
    load: async () => (await import("./replay.ts")).replayCommand,
  },
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
  whatsapp-channel replay recordings/refund --reply ./reply.js

Exit codes: 0 done, 1 failed, 2 used wrongly or not confirmed`;

async function main([name, ...args]: readonly string[]): Promise<ExitCode> {
  if (name === "help" && args.length > 0) return main([...args, "--help"]);
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(HELP);
    return 0;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    console.log(createRequire(import.meta.url)("@omniops/whatsapp/package.json").version);
    return 0;
  }
  const command = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (command !== undefined) return (await command.load()).run(args);
  throw usageError(
    name === undefined || name.startsWith("-")
      ? "Say which command first."
      : `There is no command "${name}".${didYouMean(name, Object.keys(COMMANDS))}`,
    "--help",
  );
}

const args = process.argv.slice(2);
process.exitCode = await main(args).catch((error: unknown) => {
  const { exitCode, code, message } = explain(error, args[0]);
  console.error(args.includes("--json") ? JSON.stringify({ error: { code, message } }) : message);
  return exitCode;
});
