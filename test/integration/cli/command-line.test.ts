/** What every command has in common: a caller's mistakes, packages that are missing, help, and the version. */
import { describe, expect, test } from "vitest";
import { oneLine, openCli } from "../../support/cli.ts";

const cli = openCli();

describe("the caller's mistakes", () => {
  const DATABASE = "postgres://u:s3cret@127.0.0.1:1/x";

  test.each([
    ["no command", [], "Say which command first. See: whatsapp-channel --help"],
    ["an option and no command", ["--json=x"], "Say which command first. See: whatsapp-channel --help"],
    [
      "an unknown command",
      ["migrat"],
      `There is no command "migrat". Did you mean "migrate"? See: whatsapp-channel --help`,
    ],
    [
      "an action that is nearly one",
      ["migrate", "statsu"],
      `There is no "migrate statsu". Did you mean "status"? See: whatsapp-channel migrate --help`,
    ],
    [
      "an option that is nearly one",
      ["migrate", "--shcema", "x"],
      `Unknown option '--shcema'. Did you mean "--schema"? See: whatsapp-channel migrate --help`,
    ],
    [
      "a URL of another database",
      ["doctor", "--database-url", "mysql://x"],
      "The database URL must start with postgres://, and hold user:password@host:port/database. See: whatsapp-channel doctor --help",
    ],
    ["a name that every object has", ["toString"], `There is no command "toString". See: whatsapp-channel --help`],
    [
      "an unknown action",
      ["migrate", "sideways"],
      `There is no "migrate sideways". See: whatsapp-channel migrate --help`,
    ],
    ["an unknown option", ["migrate", "--force"], "Unknown option '--force'. See: whatsapp-channel migrate --help"],
    [
      "one argument too many",
      ["migrate", "up", "x"],
      `"x" is one argument too many. See: whatsapp-channel migrate --help`,
    ],
    [
      "an option without its value",
      ["migrate", "--schema"],
      "Option '--schema <value>' argument missing. See: whatsapp-channel migrate --help",
    ],
    ["an empty schema", ["migrate", "--schema="], "--schema is empty. See: whatsapp-channel migrate --help"],
    [
      "a URL in the wrong place",
      ["migrate", DATABASE],
      `There is no "migrate postgres://u:***@127.0.0.1:1/x". See: whatsapp-channel migrate --help`,
    ],
    [
      "a URL of something else",
      ["migrate", "--database-url", "mysql://u:s3cret@h/x"],
      "The database URL must start with postgres://, and hold user:password@host:port/database. See: whatsapp-channel migrate --help",
    ],
    [
      "no database",
      ["migrate"],
      "Say which database: set DATABASE_URL or give --database-url. See: whatsapp-channel migrate --help",
    ],
  ])("%s gets one line, no stack and exit code 2", async (_, args, line) => {
    const run = await cli(args);

    expect(run).toMatchObject({ code: 2, out: "" });
    expect(oneLine(run)).toBe(line);
  });

  test.each(["knex", "pg"])("a missing %s is named together with the command that installs it", async (name) => {
    const run = await cli(["migrate"], { url: DATABASE, without: name });

    expect(run.code).toBe(1);
    expect(oneLine(run)).toBe(`The package ${name} is not installed. Run: npm install ${name}`);
  });

  test("a knex that lacks a file of its own is named in one line", async () => {
    const run = await cli(["migrate"], { url: DATABASE, without: "broken:knex" });

    expect(run.code).toBe(1);
    expect(oneLine(run)).toBe("The package knex cannot be loaded: Cannot find module './dialects'.");
  });
});

describe("help", () => {
  test("and a mistake are told without reading what only the work needs", async () => {
    expect(await cli(["dead-letters", "--help"], { without: "zod" })).toMatchObject({ code: 0, err: "" });
    expect(oneLine(await cli(["replay", "x", "--reply"], { without: "zod" }))).toContain("See: whatsapp-channel");
    expect((await cli(["doctor"], { url: "postgres://u@127.0.0.1:1/x", without: "zod" })).err).toContain("zod");
  });

  test("comes as quickly to whoever names no database", async () => {
    const commands = ["dead-letters list", "doctor", "erase --user US.1", "replay-unknown", "rotate-keys"];
    const runs = await Promise.all(commands.map((command) => cli(command.split(" "), { without: "zod" })));

    expect(runs.map(oneLine)).toEqual(
      commands.map((command) => {
        const [name] = command.split(" ");
        return `Say which database: set DATABASE_URL or give --database-url. See: whatsapp-channel ${name} --help`;
      }),
    );
  });

  test.each([
    ["the package", ["--help"], "whatsapp-channel <command>", "whatsapp-channel migrate"],
    ["the package, in short", ["-h"], "whatsapp-channel <command>", "whatsapp-channel migrate"],
    [
      "a command by its name",
      ["help", "migrate"],
      "whatsapp-channel migrate [up|status|down|unlock]",
      "migrate --plan",
    ],
  ])("of %s shows its usage and examples, and needs no database", async (_, args, usage, example) => {
    const run = await cli(args);

    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out.split("\n")[0]).toContain(usage);
    expect(run.out.slice(run.out.indexOf("Examples:"))).toContain(example);
  });

  test("has the package's version", async () => {
    for (const flag of ["--version", "-v"])
      expect(await cli([flag])).toEqual({ code: 0, err: "", out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
