/** Which messages may be sent twice when nobody knows whether they arrived. */
import { describe, expect, it } from "vitest";
import { classOf, readAmbiguityPolicy } from "../../../plugin/pipeline/ambiguity-policy.ts";

describe("the policy", () => {
  it("sends free-form messages once more, and templates never, unless the host says otherwise", () => {
    const usual = { session: "resend", template: "hold", marketing: "hold", authentication: "hold" };

    expect(readAmbiguityPolicy()).toEqual(usual);
    expect(readAmbiguityPolicy({ session: "hold" })).toEqual({ ...usual, session: "hold" });
    expect(readAmbiguityPolicy({ template: "resend", marketing: undefined } as never)).toEqual({
      ...usual,
      template: "resend",
    });
  });

  it.each([{ session: "never" }, { otp: "hold" }, { session: true }])(
    "refuses %o, rather than fall back to what may send twice",
    (given) => {
      expect(() => readAmbiguityPolicy(given as never)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    },
  );
});

describe("the class of a template", () => {
  it.each([
    ["MARKETING", undefined, "marketing"],
    ["AUTHENTICATION", undefined, "authentication"],
    ["UTILITY", undefined, "template"],
    [null, undefined, "template"],
    // The Marketing Messages API takes nothing else.
    [null, "marketing", "marketing"],
  ] as const)("of category %s, sent by %s, is %s", (category, endpoint, itsClass) => {
    expect(classOf(category, endpoint)).toBe(itsClass);
  });
});
