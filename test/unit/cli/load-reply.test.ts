/** Whose function answers in a replay: the one called reply, the default, or the one that is named. */
import { expect, it } from "vitest";
import { wrongFor } from "../../../cli/command.ts";
import { firstLine, loadReply } from "../../../cli/load-reply.ts";

const wrong = wrongFor("replay");

it("is the default, or the one that is named", async () => {
  const config = "./vitest.config.ts";

  await expect(loadReply(config, wrong)).rejects.toThrow("exports no function reply, and none by default");
  expect(await loadReply("./cli/nearest.ts#nearest", wrong)).toHaveProperty("name", "nearest");
  expect(await loadReply("./node_modules/express/index.js", wrong)).toBeTypeOf("function");
});

it("that has failed says why in one line, with its cause", () => {
  expect(firstLine(new Error("fetch failed\nat x", { cause: new Error("ECONNREFUSED") }))).toBe("fetch failed");
  expect(firstLine(new Error("fetch failed", { cause: new Error("connect ECONNREFUSED") }))).toBe(
    "fetch failed (connect ECONNREFUSED)",
  );
});
