/** How long a host may take: what is given must be something that a timer can wait for. */
import { describe, expect, it } from "vitest";
import { requireTimeouts, withinTime } from "../../../plugin/pipeline/within-time.ts";

describe("the time that a host may take", () => {
  it.each([Number.POSITIVE_INFINITY, Number.NaN, 0, -1, 1.5, 2 ** 31])("is not %s milliseconds", (eventTimeoutMs) => {
    expect(() => requireTimeouts({ eventTimeoutMs })).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: "eventTimeoutMs must be whole milliseconds from 1 to 2147483647.",
      }),
    );
  });

  it("may be left out, and be as long as Node waits", () => {
    expect(() => requireTimeouts({ eventTimeoutMs: undefined, replyTimeoutMs: 2 ** 31 - 1 })).not.toThrow();
  });

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
