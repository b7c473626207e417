/** Upkeep: one task after the other, for whoever's turn it is, and no failure stops the next. */
import { describe, expect, it, vi } from "vitest";
import { createUpkeep, MORE } from "../../../plugin/pipeline/upkeep.ts";

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

  it("that hangs on Meta is not waited for longer than stopping may take, and begins nothing after it", async () => {
    vi.useFakeTimers();
    const did: string[] = [];
    const none = () => undefined;
    const upkeep = createUpkeep(
      { hangs: () => new Promise(() => did.push("hangs")), next: async () => did.push("next") },
      { everyMs: 1_000, take: async () => true, log: { debug: none, info: none, warn: none, error: none } },
    );
    upkeep.start();
    await vi.advanceTimersByTimeAsync(1_000);
    let stopped = false;
    void upkeep.stop(8_000).then(() => {
      stopped = true;
    });

    await vi.advanceTimersByTimeAsync(7_999);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(stopped).toBe(true);
    expect(did).toEqual(["hangs"]);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("that has more to do than fits its turn goes on in the next one, after all others, until somebody else takes it", async () => {
    vi.useFakeTimers();
    const did: string[] = [];
    const takes = [true, true, true, false];
    const none = () => undefined;
    const upkeep = createUpkeep(
      {
        other: async () => void did.push("other"),
        async long(_, isOver) {
          did.push(isOver() ? "late" : "long");
          await vi.advanceTimersByTimeAsync(500);
          expect(isOver()).toBe(true);
          return MORE;
        },
      },
      {
        everyMs: 1_000,
        take: async () => takes.shift() === true,
        log: { debug: none, info: none, warn: none, error: none },
      },
    );
    upkeep.start();

    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitFor(() => expect(takes).toEqual([]));
    await upkeep.stop(0);
    expect(did).toEqual(["other", "long", "other", "long", "other", "long"]);
    vi.useRealTimers();
  });
});
