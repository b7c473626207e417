/** Matchers for `expect.extend`: what a replay has sent against what was promised, said in words. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { comparable } from "./comparable.ts";
import { changesIn } from "./diff.ts";
import { isObject } from "./lossless-json.ts";
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
    if (!isObject(result?.counts))
      return { pass: false, message: () => "expected what replayFixtures resolves to: await it first" };
    return {
      pass: result.ok,
      message: () =>
        result.ok
          ? "expected a difference, and all was sent as promised"
          : `expected everything to be sent as promised\n\n${describeDifferences(result)}`,
    };
  },

  toSendAs(got: WireObject | undefined, promised: WireObject): Verdict {
    const changes = changesIn(comparable(promised, "exact"), isObject(got) ? comparable(got, "exact") : undefined);
    return {
      pass: changes.length === 0,
      message: () =>
        changes.length === 0
          ? "expected another message"
          : changes
              .map(
                ({ path, promised: one = "nothing", got: other = "nothing" }) =>
                  `${path || "message"}: promised ${one}, got ${other}`,
              )
              .join("\n"),
    };
  },
};
