/** Group commit: what arrives together is committed together, in order, and one bad item fails alone. */
import { describe, expect, it, vi } from "vitest";
import { createGroupCommit } from "../../../plugin/pipeline/group-commit.ts";

/** A commit that notes its groups; `refuses` makes it throw for groups that hold such an item. */
function noting(options: {
  refuses?: string;
  error?: Error;
  before?: () => Promise<void>;
  maxItems?: number;
  maxWeight?: number;
  parallel?: number;
}) {
  const groups: string[][] = [];
  let underWay = 0;
  let most = 0;
  const group = createGroupCommit<string, string>({
    async commit(items) {
      groups.push([...items]);
      most = Math.max(most, ++underWay);
      try {
        await options.before?.();
        if (options.refuses !== undefined && items.includes(options.refuses))
          throw options.error ?? new Error("refused");
        return items.map((item) => `${item}!`);
      } finally {
        underWay--;
      }
    },
    isItemsFault: (error) => (error as Error).message === "refused",
    maxItems: options.maxItems ?? 100,
    weigh: (item) => item.length,
    parallel: options.parallel ?? 1,
    ...(options.maxWeight === undefined ? { maxWeight: 1_000 } : { maxWeight: options.maxWeight }),
  });
  return { group, groups, most: () => most };
}

describe("a group commit", () => {
  it("commits what arrives in one turn of the event loop together, and answers each with its own result", async () => {
    const { group, groups } = noting({});

    const results = await Promise.all(["a", "b", "c"].map((item) => group.add(item)));

    expect(results).toEqual(["a!", "b!", "c!"]);
    expect(groups).toEqual([["a", "b", "c"]]);
  });

  it("lets what arrives during a commit share the next one, and never runs two at once", async () => {
    const { group, groups, most } = noting({ before: () => new Promise((resolve) => setTimeout(resolve, 5)) });

    const first = group.add("a");
    while (groups.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = ["b", "c", "d"].map((item) => group.add(item));
    await Promise.all([first, ...rest]);

    expect(groups).toEqual([["a"], ["b", "c", "d"]]);
    expect(most()).toBe(1);
  });

  it("runs a second one beside it once a full group waits, and not for less", async () => {
    const { group, groups, most } = noting({
      before: () => new Promise((resolve) => setTimeout(resolve, 5)),
      maxItems: 2,
      parallel: 2,
    });
    const first = group.add("a");
    while (groups.length === 0) await new Promise((resolve) => setImmediate(resolve));

    const few = ["b"].map((item) => group.add(item));
    await Promise.all([first, ...few]);
    expect(most()).toBe(1);

    await Promise.all(["e", "f", "g", "h"].map((item) => group.add(item)));
    expect(most()).toBe(2);
  });

  it("keeps the order of arrival across groups of limited size", async () => {
    const { group, groups } = noting({ maxItems: 2 });

    await Promise.all([..."abcde"].map((item) => group.add(item)));

    expect(groups).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("keeps a group under its weight, and still takes one item that is too heavy by itself", async () => {
    const { group, groups } = noting({ maxWeight: 5 });

    await Promise.all(["aa", "bbb", "c", "ddddddddd", "e"].map((item) => group.add(item)));

    expect(groups).toEqual([["aa", "bbb"], ["c"], ["ddddddddd"], ["e"]]);
  });

  it("tries each alone when one may be at fault, so that it fails alone", async () => {
    const { group, groups } = noting({ refuses: "b" });

    const results = await Promise.allSettled(["a", "b", "c"].map((item) => group.add(item)));

    expect(results.map((result) => (result.status === "fulfilled" ? result.value : "rejected"))).toEqual([
      "a!",
      "rejected",
      "c!",
    ]);
    expect(groups).toEqual([["a", "b", "c"], ["a"], ["b"], ["c"]]);
  });

  it("refuses all at once when the fault is nobody's, without trying each", async () => {
    const { group, groups } = noting({ refuses: "b", error: new Error("database away") });

    const results = await Promise.allSettled(["a", "b", "c"].map((item) => group.add(item)));

    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(groups).toEqual([["a", "b", "c"]]);
  });

  it("works on after a failure", async () => {
    const { group } = noting({ refuses: "bad" });
    await expect(group.add("bad")).rejects.toThrow("refused");

    expect(await group.add("good")).toBe("good!");
  });

  it("counts what is not yet answered", async () => {
    const { group } = noting({ before: () => new Promise((resolve) => setTimeout(resolve, 5)) });
    expect(group.waiting).toBe(0);

    const all = Promise.all(["a", "b"].map((item) => group.add(item)));
    expect(group.waiting).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(group.waiting).toBe(2);
    await all;
    await Promise.resolve();

    expect(group.waiting).toBe(0);
  });

  it("tries items alone for half a minute at most: the rest of the group fails with it and is tried again later", async () => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
    const tried: string[] = [];
    const group = createGroupCommit<string, string>({
      async commit(items) {
        tried.push(items.join());
        await vi.advanceTimersByTimeAsync(10_000);
        throw new Error("locked");
      },
      isItemsFault: () => true,
      maxItems: 100,
    });

    const ends = await Promise.allSettled(["a", "b", "c", "d", "e"].map((item) => group.add(item)));
    vi.useRealTimers();

    expect(tried).toEqual(["a,b,c,d,e", "a", "b", "c"]);
    expect(ends.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  });
});
