/** Upkeep: one task after the other, for whoever's turn it is, and no failure stops the next. */
import { describe, expect, it } from "vitest";
import { createUpkeep } from "../../../plugin/pipeline/upkeep.ts";

function setUp(take: (forMs: number) => Promise<boolean>) {
  const did: string[] = [];
  const logged: object[] = [];
  const warn = (fields: object) => void logged.push(fields);
  const upkeep = createUpkeep(
    {
      fails: async () => {
        did.push("fails");
        throw new TypeError("no");
      },
      works: async () => void did.push("works"),
    },
    { everyMs: 60_000, take, log: { debug: warn, info: warn, warn, error: warn } },
  );
  return { upkeep, did, logged };
}

describe("upkeep", () => {
  it("is done by whoever takes it, for half of its time, and a task that fails stops no other", async () => {
    const asked: number[] = [];
    const { upkeep, did, logged } = setUp(async (forMs) => asked.push(forMs) > 0);

    expect(await upkeep.runIfDue(new AbortController().signal)).toBe(true);
    expect(asked).toEqual([30_000]);
    expect(did).toEqual(["fails", "works"]);
    expect(logged).toEqual([{ task: "fails", error: "TypeError" }]);
  });

  it("is left to others when it is not due, and when nobody can say", async () => {
    const { upkeep, did } = setUp(async () => false);
    expect(await upkeep.runIfDue(new AbortController().signal)).toBe(false);
    expect(did).toEqual([]);

    const blind = setUp(async () => {
      throw new Error("the database is away");
    });
    expect(await blind.upkeep.runIfDue(new AbortController().signal)).toBe(false);
    expect(blind.did).toEqual([]);
  });
});
