/** How Graph answers a question about an object: the fields asked for, or a page of a list. */
import type { GraphEndpoint } from "./faults.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { GraphCall, GraphPlan } from "./graph-plan.ts";
import type { WireObject } from "./wire.ts";

/** `to`: the object that a fault may choose it by. */
export function read(
  endpoint: GraphEndpoint,
  run: () => GraphAnswer | Promise<GraphAnswer>,
  to: readonly string[] = [],
): GraphPlan {
  return { endpoint, to, run };
}

export const SUCCESS: GraphAnswer = { httpStatus: 200, body: { success: true } };

export function ok(body: unknown): GraphAnswer {
  return { httpStatus: 200, body };
}

/** One page of a list, with Graph's cursors and the address of the next page. */
export function page(data: readonly unknown[], call: GraphCall): GraphAnswer {
  const { query } = call;
  const limit = Number(query.get("limit") ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1)
    return refuse({ code: 100, message: "(#100) Param limit must be a positive integer." });
  const after = query.get("after");
  const index = after === null ? "0" : Buffer.from(after, "base64url").toString("utf8");
  if (!/^\d+$/.test(index)) return refuse({ code: 100, message: "(#100) Invalid cursor." });
  const start = Number(index);
  const items = data.slice(start, start + limit);
  if (items.length === 0) return ok({ data: [] });
  const end = start + items.length;
  const cursors = { before: cursorAt(start), after: cursorAt(end) };
  return ok({ data: items, paging: { cursors, ...(end < data.length && { next: nextOf(call, cursors.after) }) } });
}

/** The same for nodes, each with the fields asked for; a field that one does not have fails the whole call. */
export function pageOf(
  nodes: readonly WireObject[],
  call: GraphCall,
  nodeType: string,
  defaults: readonly string[],
): GraphAnswer {
  const picked = nodes.map((node) => pick(node, call, nodeType, defaults));
  return (
    picked.find(({ httpStatus }) => httpStatus !== 200) ??
    page(
      picked.map(({ body }) => body),
      call,
    )
  );
}

const DEFAULT_PAGE = 25;

function cursorAt(index: number): string {
  return Buffer.from(String(index)).toString("base64url");
}

/** As Meta does, with the token in it and without the proof. */
export function nextOf({ origin, version, objectId, edge, query, access }: GraphCall, after: string): string {
  const next = new URL(`${origin}/${version}/${objectId}/${edge ?? ""}`);
  for (const [name, value] of query) if (name !== "appsecret_proof") next.searchParams.set(name, value);
  next.searchParams.set("access_token", access.accessToken);
  next.searchParams.set("after", after);
  return next.href;
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
