/** What a user of `record`, `check-fixture` and `replay` may get wrong: one sentence, where the help is, and nothing done. */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { checkFixtureCommand } from "../../../cli/check-fixture.ts";
import type { Command } from "../../../cli/command.ts";
import { recordCommand } from "../../../cli/record.ts";
import { replayCommand } from "../../../cli/replay.ts";

const TEXT = "fixtures/webhooks/text.request.json";
const DATABASE = "--database-url=postgres://u:p@127.0.0.1:1/x";
const ROUTER = "http://127.0.0.1:1/api/whatsapp";

async function expectMistake(command: Command, args: readonly string[], sentence: string): Promise<void> {
  await expect(command.run(args)).rejects.toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringContaining(sentence) }),
  );
}

describe("a mistake", () => {
  it.each([
    [recordCommand, [], "Say where: --out <folder>."],
    [recordCommand, ["x"], '"x" is one argument too many.'],
    [recordCommand, ["--out", "fixtures/webhooks", DATABASE], "fixtures/webhooks is not empty"],
    [recordCommand, ["--out", TEXT, DATABASE], `${TEXT} is a file`],
    [recordCommand, ["--out", "x", "--text", "some"], "--text is one of shape, keep, fixed."],
    [recordCommand, ["--out", "x", "--times", "some"], "--times is one of shift, keep."],
    [recordCommand, ["--out", "x", "--since", "yesterday"], "--since is a time such as"],
    [recordCommand, ["--out", "x", "--since", "2026-02-31"], "--since is a time such as"],
    [recordCommand, ["--out", "x", "--until", "2026-11-27T08:00"], "--until is a time such as"],
    [recordCommand, ["--out", "x", "--until", "2026-11-27T08:61Z"], "--until is a time such as"],
    [recordCommand, ["--out", "x", "--limit", "many"], "--limit is a whole number."],
    [recordCommand, ["--out", "x", "--limit", "10001", DATABASE], "limit is a whole number from 1 to 10000."],
    [recordCommand, ["--out", "x", "--person", "Ada", DATABASE], "phoneNumber is the whole number"],
    [recordCommand, ["--out", "x", "--tenant", "me", DATABASE], "--tenant is a customer_configs.id (uuid)."],
    [checkFixtureCommand, [], "Say which folder."],
    [checkFixtureCommand, ["x", "y"], '"y" is one argument too many.'],
    [checkFixtureCommand, ["fixtures/webhooks"], "there is no recording.json in it"],
    [replayCommand, [], "Say what: a folder"],
    [replayCommand, [TEXT], "Say who answers: --reply, --chat-api or --to, one of them."],
    [replayCommand, [TEXT, "--reply", "a", "--to", ROUTER], "one of them"],
    [replayCommand, [TEXT, "--reply", "a", "--number", "1/2"], "--number is for --to."],
    [replayCommand, [TEXT, "--reply", "a", "--graph-port", "1"], "--graph-port is for --to."],
    [replayCommand, [TEXT, "--reply", "a", "--patience", "9"], "--patience is for --to."],
    [replayCommand, [TEXT, "--reply", "a", "--timing", "fast"], "--timing is none, original, or"],
    [replayCommand, [TEXT, "--reply", "a", "--timing", "0"], "--timing is more than 0."],
    [replayCommand, [TEXT, "--reply", "a", "--batch", "0"], "--batch is more than 0."],
    [replayCommand, [TEXT, "--reply", "a", "--duplicate", "-1"], "--duplicate"],
    [replayCommand, [TEXT, "--reply", "a", "--shuffle", "--update"], "--update is for one folder or file"],
    [replayCommand, [TEXT, "--reply", "a", "--batch", "2", "--update"], "--update is for one folder or file"],
    [replayCommand, [TEXT, "--reply", "a", "--timing", "9", "--update"], "--update is for one folder or file"],
    [replayCommand, [TEXT, TEXT, "--reply", "a", "--update"], "--update is for one folder or file"],
    [
      replayCommand,
      [TEXT, "--reply", "a", "--report", "/nowhere/x.html"],
      "--report is a file in a folder that exists",
    ],
    [replayCommand, [TEXT, "--reply", "a", "--report", "docs"], "--report is a file in a folder that exists"],
    [
      replayCommand,
      [TEXT, "--reply", "a", "--report", ""],
      "--report is a file in a folder that exists: nothing is not.",
    ],
    [replayCommand, [TEXT, "--reply", "a", "--duplicate", "100000000"], "--duplicate is at most 100."],
    [replayCommand, [TEXT, "--reply", "", DATABASE], "--reply is a module, such as ./reply.js"],
    [replayCommand, [TEXT, TEXT, "--reply", "a"], "Two of these are called text"],
    [replayCommand, ["nowhere", "--reply", "a"], "There is no <case>.request.json in nowhere."],
    [replayCommand, ["nowhere.request.json", "--reply", "a"], "There is no file nowhere.request.json."],
    [replayCommand, [TEXT, "--reply", "./nowhere.js", DATABASE], "./nowhere.js cannot be loaded"],
    [replayCommand, [TEXT, "--reply", "./vitest.config.ts#nothing", DATABASE], "exports no function nothing"],
    [replayCommand, [TEXT, "--chat-api", "nowhere", DATABASE], "--chat-api is an http or https address."],
    [replayCommand, [TEXT, "--chat-api", "file:///x", DATABASE], "--chat-api is an http or https address."],
    [replayCommand, [TEXT, "--to", ROUTER], "With --to set META_APP_SECRET and WHATSAPP_ACCESS_TOKEN"],
  ])("is said in a sentence: %#", expectMistake);

  it("with --to is said before anything is posted", async () => {
    vi.stubEnv("META_APP_SECRET", "new,old");
    vi.stubEnv("WHATSAPP_ACCESS_TOKEN", "EAAx");
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;

    for (const [args, sentence] of [
      [["--to", "nowhere"], "--to is the address of a mounted router"],
      [["--to", ROUTER, "--number", "Shop"], "--number is a phone number id and its account's id"],
      [["--to", ROUTER, "--graph-port", String(port)], `Port ${port} is taken: give another --graph-port`],
      [["--to", ROUTER, "--graph-port", "x"], "--graph-port is a whole number."],
      [["--to", ROUTER, "--graph-port", "99999"], "--graph-port is a port from 1 to 65535."],
      [["--to", ROUTER, "--patience", "soon"], "--patience is a whole number."],
      [["--to", ROUTER, "--patience", "0"], "--patience is more than 0."],
    ] as const)
      await expectMistake(replayCommand, [TEXT, ...args], sentence);
    await expectMistake(
      replayCommand,
      ["fixtures/webhooks", "--to", ROUTER, "--number", "1/2"],
      "--number is for recordings of one number; these speak of ",
    );
    taken.close();
  });
});

describe("a recording", () => {
  const WHOLE = { format: 1, version: "0", text: "keep", promised: "recorded", numbers: [], templates: [], names: [] };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
    await writeFile(join(folder, "1-message.request.json"), "{}");
    await writeFile(join(folder, "recording.json"), JSON.stringify({ ...WHOLE, deliveries: [] }));
    return () => rm(folder, { recursive: true });
  });

  it.each([
    ["recording.json", "{", "recording.json is no JSON."],
    ["recording.json", "null", "has another format than this version reads"],
    ["recording.json", '{"format":2}', "has another format than this version reads"],
    ["recording.json", JSON.stringify(WHOLE), "lacks some of numbers, templates, names, deliveries"],
    ["1-message.sends.json", "[", "1-message.sends.json is no JSON."],
    ["1-message.sends.json", "{}", "1-message.sends.json is no list of sends"],
    ["1-message.sends.json", '[{"from":"1","to":"2","endpoint":"messages"}]', "is no list of sends"],
    ["1-message.events.json", "x", "1-message.events.json is no JSON."],
  ])("that is broken in %s is the caller's to mend: %s", async (file, text, sentence) => {
    await writeFile(join(folder, file), text);

    await expectMistake(checkFixtureCommand, [folder, DATABASE], sentence);
    await expectMistake(replayCommand, [folder, "--reply", "a", DATABASE], sentence);
  });

  it("is replayed by itself, and updated as a whole", async () => {
    await writeFile(join(folder, "2-message.request.json"), "{}");
    const deliveries = ["1-message", "2-message"].map((name) => ({ name }));
    await writeFile(join(folder, "recording.json"), JSON.stringify({ ...WHOLE, deliveries }));
    const one = join(folder, "1-message.request.json");

    await expectMistake(replayCommand, [folder, "fixtures/webhooks", "--reply", "a", DATABASE], "by itself");
    await expectMistake(replayCommand, [TEXT, one, "--reply", "a", DATABASE], "by itself");
    await expectMistake(
      replayCommand,
      [one, "--reply", "a", "--update", DATABASE],
      "--update of a recording is for all",
    );
  });

  it("is checked by as many deliveries as there may be", async () => {
    await expectMistake(
      checkFixtureCommand,
      [folder, "--limit", "10001", DATABASE],
      "limit is a whole number from 1 to 10000.",
    );
  });
});
