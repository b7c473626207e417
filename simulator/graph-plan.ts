/** What an endpoint makes of a call: a refusal, or something that may still be disturbed before it is carried out. */
import type { GraphEndpoint } from "./faults.ts";
import type { GraphAnswer } from "./graph-error.ts";
import type { Access } from "./tokens.ts";
import type { WireObject } from "./wire.ts";

/** A request that needs no token: the dialog, the SDK, the exchange of a code. */
export type OpenCall = {
  readonly method: string;
  readonly version: string;
  /** The node, or `debug_token`. */
  readonly objectId: string;
  readonly edge: string | null;
  /** What follows the edge, as in `/me/permissions/email`. */
  readonly item: string | null;
  /** Scheme, host and port by which we were called. */
  readonly origin: string;
  readonly query: URLSearchParams;
  /** The body; empty when there was none. */
  readonly body: WireObject;
};

/** Why Meta does not deliver a message that it has taken. */
export type LaterFailure = { readonly code: number; readonly details: string };

/** A Graph call, read and authorized. */
export type GraphCall = OpenCall & { readonly access: Access };

export type GraphPlan = {
  readonly endpoint: GraphEndpoint;
  /** The addresses by which a fault may choose it; empty when it has no recipient. */
  readonly to: readonly string[];
  /** Carries it out; `later`: a message is taken, and fails afterwards. */
  readonly run: (later?: LaterFailure) => GraphAnswer | Promise<GraphAnswer>;
};

/** A refused call has no plan. */
export function isPlan(outcome: GraphPlan | GraphAnswer): outcome is GraphPlan {
  return "run" in outcome;
}

/** A parameter, which Graph takes from the body and from the query alike. */
export function paramOf({ body, query }: OpenCall, name: string): string | null {
  const value = body[name];
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : query.get(name);
}
