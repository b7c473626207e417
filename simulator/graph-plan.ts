/** What an endpoint makes of a call: a refusal, or something that may still be disturbed before it is carried out. */
import type { GraphEndpoint } from "./faults.ts";
import type { GraphAnswer } from "./graph-error.ts";
import type { Access } from "./tokens.ts";
import type { WireObject } from "./wire.ts";

/** A Graph call, read and authorized. */
export type GraphCall = {
  readonly method: string;
  /** The node, or `debug_token`. */
  readonly objectId: string;
  readonly edge: string | null;
  readonly query: URLSearchParams;
  /** The body; empty when there was none. */
  readonly body: WireObject;
  readonly access: Access;
};

export type GraphPlan = {
  readonly endpoint: GraphEndpoint;
  /** The addresses by which a fault may choose it; empty when it has no recipient. */
  readonly to: readonly string[];
  /** Carries it out. */
  readonly run: () => GraphAnswer | Promise<GraphAnswer>;
};

/** A refused call has no plan. */
export function isPlan(outcome: GraphPlan | GraphAnswer): outcome is GraphPlan {
  return "run" in outcome;
}
