/** When the media store is swept of what is half. */
import { expect, it } from "vitest";
import { createRemoveLeftovers } from "../../../plugin/media/remove-leftovers.ts";

it("looks for what is a day old and half, once an hour, and again when that failed", async () => {
  let time = 1_000_000_000_000;
  let isAway = true;
  const swept: number[] = [];
  const upkeep = createRemoveLeftovers({
    records: { due: async () => [], removed: async () => undefined },
    mediaStore: {
      remove: async () => undefined,
      async sweep(before) {
        if (isAway) throw new Error("the store is away");
        swept.push(time - before.getTime());
        return 0;
      },
    },
    now: () => new Date(time),
  });
  const run = () => upkeep(new AbortController().signal);

  await expect(run()).rejects.toThrow("the store is away");
  isAway = false;
  await run();
  await run();
  time += 60 * 60 * 1_000 - 1;
  await run();
  expect(swept).toEqual([86_400_000]);
  time += 1;
  await run();
  expect(swept).toHaveLength(2);
});
