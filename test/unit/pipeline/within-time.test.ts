/** How long a host may take. */
import { describe, expect, it } from "vitest";
import { withinTime } from "../../../plugin/pipeline/within-time.ts";

describe("the time that a host may take", () => {
  it("is over for whoever does not come back, whose signal aborts", async () => {
    let heard: AbortSignal | undefined;
    const never = withinTime(5, new AbortController().signal, (until) => {
      heard = until;
      return new Promise(() => {});
    });

    await expect(never).rejects.toMatchObject({ name: "TookTooLong" });
    expect(heard?.aborted).toBe(true);
  });
});
