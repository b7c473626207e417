/** The ladder of a part's states. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MessageStatus, PartState } from "../../../plugin/contract.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";

const STATUSES: MessageStatus[] = ["sent", "delivered", "read", "played", "failed"];
const RISING: MessageStatus[] = ["sent", "failed", "delivered", "read", "played"];
const STATES: PartState[] = ["queued", "held", "sending", "expired", "unknown", "accepted", ...STATUSES];

describe("a status", () => {
  it("ends at the highest, in every order and with every repetition", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 12 }), (statuses) => {
        const end = statuses.reduce<PartState>((state, status) => advance(state, status), "accepted");
        expect(end).toBe(RISING.findLast((status) => statuses.includes(status)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("changes nothing when it comes again", () => {
    for (const state of STATES)
      for (const status of STATUSES) expect(advance(advance(state, status), status)).toBe(advance(state, status));
  });

  it.each(["queued", "held", "sending", "expired", "unknown", "accepted"] as const)(
    "of Meta's stands above what we merely believed: %s",
    (believed) => {
      for (const status of STATUSES) expect(advance(believed, status)).toBe(status);
    },
  );

  it("of failure ends a part that was sent, and not one that somebody has seen", () => {
    expect(advance("sent", "failed")).toBe("failed");
    expect(advance("failed", "sent")).toBe("failed");
    expect(advance("delivered", "failed")).toBe("delivered");
    expect(advance("failed", "delivered")).toBe("delivered");
  });
});

describe("a part is pending", () => {
  it("exactly as long as it is in its lane", () => {
    expect(STATES.filter(isPending)).toEqual(["queued", "held", "sending"]);
  });
});
