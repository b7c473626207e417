/** What a user of `record`, `check-fixture` and `replay` may get wrong: one sentence, where the help is, and nothing done. */
import { describe, expect, it } from "vitest";
import { checkFixtureCommand } from "../../../cli/check-fixture.ts";
import { recordCommand } from "../../../cli/record.ts";
import { replayCommand } from "../../../cli/replay.ts";

const TEXT = "fixtures/webhooks/text.request.json";
const DATABASE = "--database-url=postgres://u:p@127.0.0.1:1/x";

describe("a mistake", () => {
  it.each([
    [recordCommand, [], "Say where: --out <folder>."],
    [recordCommand, ["x"], '"x" is one argument too many.'],
    [recordCommand, ["--out", "x", "--text", "some"], "--text is one of shape, keep, fixed."],
    [recordCommand, ["--out", "x", "--since", "yesterday"], "--since is a time such as"],
    [recordCommand, ["--out", "x", "--limit", "many"], "--limit is a whole number."],
    [recordCommand, ["--out", "x", "--person", "Ada", DATABASE], "phoneNumber is the whole number"],
    [checkFixtureCommand, [], "Say which folder."],
    [checkFixtureCommand, ["fixtures/webhooks"], "there is no recording.json in it"],
    [replayCommand, [], "Say what: a folder"],
    [replayCommand, [TEXT], "Say who answers: --reply, --chat-api or --to, one of them."],
    [replayCommand, [TEXT, "--reply", "a", "--to", "http://b"], "one of them"],
    [replayCommand, [TEXT, "--reply", "a", "--number", "1/2"], "--number is for --to."],
    [replayCommand, [TEXT, "--reply", "a", "--timing", "fast"], "--timing is none, original, or"],
    [replayCommand, [TEXT, "--reply", "a", "--batch", "0"], "--batch is more than 0."],
    [replayCommand, [TEXT, "--reply", "a", "--shuffle", "--update"], "--update is for one folder or file"],
    [
      replayCommand,
      [TEXT, "--reply", "a", "--report", "/nowhere/x.html"],
      "--report is a file in a folder that exists",
    ],
    [replayCommand, ["nowhere", "--reply", "a"], "There is no <case>.request.json in nowhere."],
    [replayCommand, [TEXT, "--reply", "./nowhere.js", DATABASE], "./nowhere.js cannot be loaded"],
    [replayCommand, [TEXT, "--reply", "./vitest.config.ts#nothing", DATABASE], "exports no function nothing"],
    [replayCommand, [TEXT, "--to", "nowhere"], "With --to set META_APP_SECRET and WHATSAPP_ACCESS_TOKEN"],
  ])("is said in a sentence: %#", async (command, args, sentence) => {
    await expect(command.run(args)).rejects.toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(sentence) }),
    );
  });
});
