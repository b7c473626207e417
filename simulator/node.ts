/** How Graph answers a question about an object: the fields asked for, or a page of a list. */
import type { GraphEndpoint } from "./faults.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { GraphCall, GraphPlan } from "./graph-plan.ts";
import type { WireObject } from "./wire.ts";

export function read(endpoint: GraphEndpoint, run: () => GraphAnswer): GraphPlan {
  return { endpoint, to: [], run };
}

export function ok(body: unknown): GraphAnswer {
  return { httpStatus: 200, body };
}

export function page(data: readonly unknown[]): GraphAnswer {
  return ok({ data, ...(data.length > 0 && { paging: { cursors: { before: "QVFIUbefore", after: "QVFIUafter" } } }) });
}

// One field that the node does not have fails the whole call, as it does live.
export function pick(
  node: WireObject,
  { query, objectId }: GraphCall,
  nodeType: string,
  defaults: readonly string[],
): GraphAnswer {
  const asked =
    query
      .get("fields")
      ?.split(",")
      .map((field) => field.trim()) ?? defaults;
  const unknown = asked.find((field) => !Object.hasOwn(node, field));
  if (unknown !== undefined) {
    return refuse({
      code: 100,
      message: `(#100) Tried accessing nonexisting field (${unknown}) on node type (${nodeType})`,
    });
  }
  return ok({ ...Object.fromEntries(asked.map((field) => [field, node[field]])), id: node.id ?? objectId });
}
