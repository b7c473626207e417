/** How long media may take, as a host says it: whole milliseconds, or an error that says so. */
import { expect, it } from "vitest";
import { readMediaTimes } from "../../../plugin/media/media-limits.ts";

it("is what the host says, and the defaults where it says nothing", () => {
  expect(readMediaTimes(undefined)).toEqual({ waitMs: 5_000, stallMs: 15_000, totalMs: 120_000 });
  expect(readMediaTimes(0, { totalMs: 9_000 })).toEqual({ waitMs: 0, stallMs: 15_000, totalMs: 9_000 });
});

it.each([1_500.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "5000" as never])(
  "is refused when it is %s, before anything is constructed",
  (given) => {
    const error = {
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^media\w+(\.\w+)? must be whole milliseconds/),
    };
    expect(() => readMediaTimes(given)).toThrow(expect.objectContaining(error));
    expect(() => readMediaTimes(0, { stallMs: given })).toThrow(expect.objectContaining(error));
    expect(() => readMediaTimes(0, { totalMs: given })).toThrow(expect.objectContaining(error));
  },
);
