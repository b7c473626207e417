/** Every command's help: what it is called by, its own options, exit codes and examples, without a database. */
import { expect, it, vi } from "vitest";
import { checkFixtureCommand } from "../../../cli/check-fixture.ts";
import { deadLettersCommand } from "../../../cli/dead-letters.ts";
import { doctorCommand } from "../../../cli/doctor.ts";
import { eraseCommand } from "../../../cli/erase.ts";
import { migrateCommand } from "../../../cli/migrate.ts";
import { recordCommand } from "../../../cli/record.ts";
import { replayCommand } from "../../../cli/replay.ts";
import { replayUnknownCommand } from "../../../cli/replay-unknown.ts";
import { rotateKeysCommand } from "../../../cli/rotate-keys.ts";

it.each([
  ["migrate", migrateCommand, ["--yes", "--plan"]],
  ["doctor", doctorCommand, ["--tenant", "--offline"]],
  [
    "dead-letters",
    deadLettersCommand,
    ["--stage", "--conversation", "--error", "--from", "--until", "--after", "--all"],
  ],
  ["replay-unknown", replayUnknownCommand, []],
  ["erase", eraseCommand, ["--phone", "--user", "--tenant", "--yes"]],
  ["rotate-keys", rotateKeysCommand, ["--check"]],
  [
    "record",
    recordCommand,
    ["--out", "--person", "--since", "--until", "--type", "--tenant", "--limit", "--text", "--times", "--dry-run"],
  ],
  ["check-fixture", checkFixtureCommand, ["--since", "--until", "--limit"]],
  [
    "replay",
    replayCommand,
    [
      "--reply",
      "--chat-api",
      "--to",
      "--graph-port",
      "--number",
      "--patience",
      "--timing",
      "--shuffle",
      "--duplicate",
      "--batch",
      "--update",
      "--report",
      "--only-differences",
    ],
  ],
] as const)("%s", async (name, command, options) => {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});

  for (const flag of ["--help", "-h"]) expect(await command.run([flag])).toBe(0);

  const [[help = ""] = [], again] = printed.mock.calls.map(([text]) => [String(text)]);
  expect(again).toEqual([help]);
  expect(help).toMatch(new RegExp(`^Usage: whatsapp-channel ${name} `));
  expect(help).toMatch(/\n\nExit codes: 0 .*, 1 .*, 2 used wrongly/);
  for (const option of ["--database-url", "--schema", "--json", "--help", ...options])
    expect(help).toMatch(new RegExp(`^  ${option} `, "m"));
  const [, examples = ""] = help.split("\nExamples:\n");
  expect(examples).toContain(`whatsapp-channel ${name}`);
});

it.each([
  ["up", ["up", "-h"], "--host-schema app"],
  ["status", ["status", "--help"], "status --json"],
  ["down", ["--help", "down"], "down --yes"],
  ["unlock", ["unlock", "--help"], "migrate unlock"],
])("migrate %s has its own", async (action, args, example) => {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});

  expect(await migrateCommand.run(args)).toBe(0);

  const help = String(printed.mock.calls[0]?.[0]);
  expect(help).toMatch(new RegExp(`^Usage: whatsapp-channel migrate ${action} \\[options\\]`));
  expect(help.split("\nExamples:\n")[1]).toContain(example);
});
