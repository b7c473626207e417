/** Matchers for `expect.extend`: what a replay has sent against what was promised, said in words. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { comparable } from "./comparable.ts";
import { changesIn } from "./diff.ts";
import type { ReplayResult } from "./replay-result.ts";
import { describeDifferences } from "./report-text.ts";

type Verdict = { readonly pass: boolean; readonly message: () => string };

/** For typed matchers: `declare module "vitest" { interface Matchers<T> extends WhatsAppMatchers<T> {} }`. */
export type WhatsAppMatchers<R = unknown> = {
  /** On what {@link replayFixtures} resolves to: no message differs, none is missing or too many, and all was acknowledged. */
  toSendAsPromised(): R;
  /** On a Graph message: the same as this one for the person who gets it, whoever that is. */
  toSendAs(message: WireObject): R;
};

/** `expect.extend(whatsappMatchers)`, in vitest, jest and whatever takes the same. */
export const whatsappMatchers = {
  toSendAsPromised(result: ReplayResult): Verdict {
    return {
      pass: result.ok,
      message: () =>
        result.ok
          ? "expected a difference, and all was sent as promised"
          : `expected everything to be sent as promised\n\n${describeDifferences(result)}`,
    };
  },

  toSendAs(got: WireObject, promised: WireObject): Verdict {
    const changes = changesIn(comparable(promised, "exact"), comparable(got, "exact"));
    return {
      pass: changes.length === 0,
      message: () =>
        changes.length === 0
          ? "expected another message"
          : changes
              .map(
                ({ path, promised: one = "nothing", got: other = "nothing" }) =>
                  `${path}: promised ${one}, got ${other}`,
              )
              .join("\n"),
    };
  },
};
