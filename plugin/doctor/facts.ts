/** What the doctor has gathered before it judges: plain values, nothing secret, so that a case can be a file. */
import type {
  AccountHealth,
  AccountSubscription,
  AccountTemplates,
  AppSubscription,
  Arrivals,
  ExaminedNumber,
  HostTrouble,
  NumberHealth,
  NumberSends,
  TokenFacts,
  Unrouted,
  WebhookAnswer,
  Work,
} from "../ports.ts";
import { type CheckId, skipped, TITLES, type Verdict, warning } from "./finding.ts";

/** An answer, why there is none, or what stood in the way of asking. */
export type Asked<T> =
  | { readonly known: T }
  | {
      readonly failed: string;
      /** Meta's, where Meta has refused. */
      readonly code?: number;
      readonly subcode?: number | null;
      /** Meta refuses the token itself. */
      readonly reauth?: boolean;
      /** Meta does not take the app's secret. */
      readonly app?: boolean;
    }
  | { readonly skipped: CheckId | "offline" | "late" };

export type Settings = {
  readonly appId: string | null;
  readonly hasLoginConfig: boolean;
  readonly appUrl: string | null;
  readonly webhookUrl: string | null;
  /** Graph is a simulator on this machine. */
  readonly graphIsLocal: boolean;
  /** The variable with the secret that calls are made with, and how many it holds. */
  readonly appSecretFrom: string;
  readonly appSecrets: number;
  readonly tokenKeyIds: readonly string[];
};

export type NumberFacts = {
  readonly number: Omit<ExaminedNumber, "accessTokenEnc" | "templatesSyncedAt"> & {
    readonly templatesSyncedAt: Date | null;
  };
  /** Whether its token can be used at all: there is none, it does not open (and why), or it does. */
  readonly sealed: { readonly state: "missing" | "opens" } | { readonly state: "shut"; readonly why: string };
  readonly token: Asked<TokenFacts>;
  readonly subscriptions: Asked<readonly AccountSubscription[]>;
  readonly health: Asked<NumberHealth>;
  readonly account: Asked<AccountHealth>;
};

export type DoctorFacts = {
  readonly at: Date;
  /** A tenant hears nothing of what others receive. */
  readonly scope: "everybody" | "tenant";
  readonly configuration: { readonly problems: readonly string[]; readonly settings: Settings | null };
  readonly database: Asked<null>;
  readonly migrations: Asked<{ readonly pending: readonly string[]; readonly unknown: readonly string[] }>;
  readonly hostTables: Asked<readonly HostTrouble[]>;
  readonly graph: Asked<null>;
  readonly app: Asked<{ readonly name: string | null }>;
  readonly appSubscription: Asked<AppSubscription | null>;
  readonly callback: Asked<WebhookAnswer>;
  readonly numbers: Asked<{ readonly numbers: readonly NumberFacts[]; readonly more: number }>;
  readonly arrivals: Asked<Arrivals>;
  readonly unrouted: Asked<readonly Unrouted[]>;
  readonly sends: Asked<readonly NumberSends[]>;
  readonly templates: Asked<readonly AccountTemplates[]>;
  readonly work: Asked<Work>;
  /** How far the others' clocks are ahead of this process's, in milliseconds; null where unknown. */
  readonly clocks: { readonly database: number | null; readonly graph: number | null };
};

/** Of the app's own token, so that anything but being busy means that it is none. */
const REFUSALS: ReadonlySet<number> = new Set([33, 100, 101, 104, 190, 803]);

/** Meta itself has said no: the question was understood, and whoever asked is not who they should be. */
export function isRefused(asked: Asked<unknown>): boolean {
  return "failed" in asked && (asked.reauth === true || REFUSALS.has(asked.code ?? 0));
}

/** The secret that the question was proven with is not that of the token's app. */
export function isUnproven(asked: Asked<unknown>): boolean {
  return "failed" in asked && asked.app === true;
}

/** What was asked about does not exist, or the token may not see it. */
export function isGone(asked: Asked<unknown>): boolean {
  if (!("failed" in asked)) return false;
  return asked.code === 33 || asked.code === 803 || (asked.code === 100 && asked.subcode === 33);
}

/** Judges an answer; says why there is none where there is none. */
export function judge<T>(asked: Asked<T>, verdict: (known: T) => Verdict): Verdict {
  if ("known" in asked) return verdict(asked.known);
  if ("failed" in asked) return warning(`Could not be looked at. ${asked.failed}`, null);
  return notAsked(asked.skipped);
}

export function notAsked(because: CheckId | "offline" | "late"): Verdict {
  if (because === "offline") return skipped("Not looked at: nothing is asked over the network when offline.");
  if (because === "late") return skipped("Not looked at: the time for all checks was over.");
  return skipped(`Not looked at, because of what "${TITLES[because]}" shows.`);
}
