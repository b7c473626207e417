/** What Meta's usage headers say of budgets that are nearly spent, and the silence that follows. */
import { ChannelError } from "../../plugin/errors.ts";
import type { SpentBudget } from "../../plugin/ports.ts";
import { type Json, readJson } from "./read-answer.ts";

export type UsageHeaders = { readonly app: string | null; readonly business: string | null };

/** Percent of a budget from which nothing more is asked for a while: it is counted over a sliding hour. */
const NEARLY_SPENT = 95;
const WHILE_MS = 60_000;
const LONGEST_MS = 86_400_000;

/** How long to ask for nothing, in milliseconds: of the app, and of accounts by their id. */
export type Spent = { readonly appMs: number; readonly accounts: ReadonlyMap<string, number> };

/**
 * `X-App-Usage` and `X-Business-Use-Case-Usage`; the estimate in the latter is in minutes.
 * @see https://developers.facebook.com/docs/graph-api/overview/rate-limiting
 */
export function readUsage({ app, business }: UsageHeaders): Spent {
  const accounts = new Map<string, number>();
  for (const [id, list] of Object.entries((business === null ? null : readJson(business)) ?? {})) {
    const ms = Math.max(0, ...(Array.isArray(list) ? list.map(forMsOf) : []));
    if (ms > 0) accounts.set(id, ms);
  }
  return { appMs: forMsOf(app === null ? null : readJson(app)), accounts };
}

/** What the answer to a message says: its account is the only one it can speak of. */
export function spentBudgets(headers: UsageHeaders): readonly SpentBudget[] {
  const { appMs, accounts } = readUsage(headers);
  return [
    ...(appMs > 0 ? [{ scope: "app" as const, forMs: appMs }] : []),
    ...[...accounts.values()].map((forMs) => ({ scope: "account" as const, forMs })),
  ];
}

export type UsageGate = {
  /** @throws ChannelError GRAPH_REJECTED while the budget of the app, or of the account that the path begins with, is spent. */
  pass(path: string): void;
  note(headers: UsageHeaders): void;
};

/** For calls that are not messages: one gate for all of the process. @param clock milliseconds, only forward. */
export function createUsageGate(clock: () => number = () => performance.now()): UsageGate {
  const quietUntil = new Map<string, number>();
  return {
    pass(path) {
      const account = path.split("/", 1)[0] as string;
      const left = Math.max(...["app", account].map((id) => (quietUntil.get(id) ?? 0) - clock()));
      if (left > 0)
        throw new ChannelError(
          "GRAPH_REJECTED",
          "Meta's budget of calls for this account or app is spent: try again later.",
          {
            retry: "after",
            retryAfterMs: Math.ceil(left),
          },
        );
    },
    note(headers) {
      const { appMs, accounts } = readUsage(headers);
      if (appMs > 0) quietUntil.set("app", clock() + appMs);
      for (const [id, ms] of accounts) quietUntil.set(id, clock() + ms);
    },
  };
}

function forMsOf(usage: Json | null): number {
  if (typeof usage !== "object" || usage === null) return 0;
  const minutes = numberOf(usage.estimated_time_to_regain_access);
  if (minutes > 0) return Math.min(minutes * 60_000, LONGEST_MS);
  const percent = Math.max(numberOf(usage.call_count), numberOf(usage.total_time), numberOf(usage.total_cputime));
  return percent >= NEARLY_SPENT ? WHILE_MS : 0;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
