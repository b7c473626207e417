/** Whether a message that may have arrived already is sent once more, by what kind of message it is. */
import type { AmbiguityPolicy, MessageClass, OnAmbiguous } from "../contract.ts";
import { ChannelError } from "../errors.ts";

/** An answer that is read twice is a nuisance; a bill, an advertisement or a one-time code that comes twice is a complaint. */
const DEFAULT_POLICY: AmbiguityPolicy = {
  session: "resend",
  template: "hold",
  marketing: "hold",
  authentication: "hold",
};

/** @throws ChannelError CONFIG_INVALID: a word that is misspelled must not fall back to sending twice. */
export function readAmbiguityPolicy(given: Partial<AmbiguityPolicy> = {}): AmbiguityPolicy {
  for (const [name, wish] of Object.entries(given)) {
    if (!(name in DEFAULT_POLICY))
      throw invalid(`onAmbiguous.${name} is no class of messages: ${Object.keys(DEFAULT_POLICY).join(", ")}.`);
    if (wish !== undefined && !isOnAmbiguous(wish)) throw invalid(`onAmbiguous.${name} must be "resend" or "hold".`);
  }
  return {
    session: given.session ?? DEFAULT_POLICY.session,
    template: given.template ?? DEFAULT_POLICY.template,
    marketing: given.marketing ?? DEFAULT_POLICY.marketing,
    authentication: given.authentication ?? DEFAULT_POLICY.authentication,
  };
}

export function isOnAmbiguous(wish: unknown): wish is OnAmbiguous {
  return wish === "resend" || wish === "hold";
}

/** @param category as Meta lists the template; null when it could not be read. */
export function classOf(category: string | null, endpoint: "messages" | "marketing" | undefined): MessageClass {
  if (category === "MARKETING" || endpoint === "marketing") return "marketing";
  return category === "AUTHENTICATION" ? "authentication" : "template";
}

function invalid(message: string): ChannelError {
  return new ChannelError("CONFIG_INVALID", message);
}
