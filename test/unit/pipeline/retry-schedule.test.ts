/** How long to wait before trying again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_RETRY, retryDelayMs } from "../../../plugin/pipeline/retry-schedule.ts";

const middle = () => 0.5;

describe("the delay", () => {
  it("doubles from the base up to the cap", () => {
    const delays = [1, 2, 3, 4, 5, 9, 10, 50].map((failures) => retryDelayMs(DEFAULT_RETRY, failures, middle));

    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 256_000, 300_000, 300_000]);
  });

  it("is spread by a quarter to either side, so that failures do not come back in step", () => {
    expect(retryDelayMs(DEFAULT_RETRY, 4, () => 0)).toBe(6_000);
    expect(retryDelayMs(DEFAULT_RETRY, 4, () => 0.999_999)).toBe(10_000);
  });

  it("is a whole, finite number of milliseconds for any number of failures", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const delay = retryDelayMs(DEFAULT_RETRY, failures, () => random);
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(750);
          expect(delay).toBeLessThanOrEqual(375_000);
        },
      ),
    );
  });

  it("outlasts a quarter of an hour without the AI by default, whatever the dice say, and not half an hour", () => {
    const waits = (random: () => number) =>
      Array.from({ length: DEFAULT_RETRY.maxAttempts - 1 }, (_, n) => retryDelayMs(DEFAULT_RETRY, n + 1, random));
    const total = (random: () => number) => waits(random).reduce((a, b) => a + b) / 60_000;

    expect(total(() => 0)).toBeGreaterThan(15);
    expect(total(() => 0.999_999)).toBeLessThan(30);
  });
});
