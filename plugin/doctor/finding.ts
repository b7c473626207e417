/** What the doctor says: one finding per check, in the order in which a message depends on them. */

export type CheckId =
  | "configuration"
  | "database"
  | "migrations"
  | "host-tables"
  | "graph"
  | "app"
  | "app-mode"
  | "callback"
  | "callback-at-meta"
  | "fields"
  | "numbers"
  | "connection"
  | "token"
  | "token-expiry"
  | "subscription"
  | "override"
  | "registration"
  | "name"
  | "quality"
  | "health"
  | "payment"
  | "templates"
  | "received"
  | "sent"
  | "webhooks"
  | "unrouted"
  | "queue"
  | "clock";

/** What each check is called, for people. */
export const TITLES: Readonly<Record<CheckId, string>> = {
  configuration: "Configuration",
  database: "Database",
  migrations: "Migrations",
  "host-tables": "Host's tables",
  graph: "Meta's Graph API",
  app: "App id and secret",
  "app-mode": "App mode",
  callback: "Webhook address",
  "callback-at-meta": "Webhook address at Meta",
  fields: "Webhook fields",
  numbers: "Connected numbers",
  connection: "Connection",
  token: "Access token",
  "token-expiry": "Access token's end",
  subscription: "Account's subscription",
  override: "Other webhook address",
  registration: "Registration",
  name: "Display name",
  quality: "Quality and limit",
  health: "May send",
  payment: "Payment",
  templates: "Templates",
  received: "Last received",
  sent: "Last sent",
  webhooks: "Webhooks",
  unrouted: "Webhooks for nobody",
  queue: "Work waiting",
  clock: "Clocks",
};

/** What one check saw, in sentences for whoever runs the host. `docs/doctor.md` has a heading for each check. */
export type Finding = {
  readonly id: CheckId;
  readonly title: string;
  /** `skipped`: could not be looked at; `seen` says why. */
  readonly state: "ok" | "warning" | "problem" | "skipped";
  readonly seen: string;
  /** Where to click or what to set; null where there is nothing to do. */
  readonly fix: string | null;
  /** Null for what concerns the whole app. */
  readonly phoneNumberId: string | null;
};

/** Every check, in the order in which a message meets them: mend from the top. */
export type Diagnosis = {
  /** No check has found a problem. */
  readonly healthy: boolean;
  readonly checks: readonly Finding[];
};

/** What a check makes of its facts. */
export type Verdict = Pick<Finding, "state" | "seen" | "fix">;

export const ok = (seen: string): Verdict => ({ state: "ok", seen, fix: null });
export const warning = (seen: string, fix: string | null): Verdict => ({ state: "warning", seen, fix });
export const problem = (seen: string, fix: string): Verdict => ({ state: "problem", seen, fix });
export const skipped = (seen: string): Verdict => ({ state: "skipped", seen, fix: null });

/** One check. One that fails itself says so, and takes no other with it. */
export function check(id: CheckId, look: () => Verdict, phoneNumberId: string | null = null): Finding {
  return { id, title: TITLES[id], ...safely(look), phoneNumberId };
}

export function safely(look: () => Verdict): Verdict {
  try {
    return look();
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return warning(
      `This check itself failed (${name}).`,
      "Report it to the package's authors, with what Meta answers.",
    );
  }
}
