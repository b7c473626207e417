/** Gathers the facts: database, Meta and our own webhook, side by side; each answer may be missing. Changes nothing. */
import { ChannelError } from "../errors.ts";
import type { CallWebhook, Examination, ExaminedNumber, MetaHealth, SecretBox } from "../ports.ts";
import { type Ask, startAsking } from "./ask.ts";
import type { Asked, DoctorFacts, NumberFacts, Settings } from "./facts.ts";
import type { CheckId } from "./finding.ts";

export type GatherDeps = {
  readonly examination: Examination;
  readonly migrations: () => Promise<{ readonly pending: readonly string[]; readonly unknown: readonly string[] }>;
  /** Null where the configuration does not allow it: then `problems` says why. */
  readonly configured: {
    readonly settings: Settings;
    readonly verifyToken: string;
    readonly secretBox: SecretBox;
    readonly metaHealth: MetaHealth;
    readonly callWebhook: CallWebhook;
  } | null;
  readonly problems: readonly string[];
  readonly now: () => Date;
  readonly newChallenge: () => string;
};

export type GatherRequest = {
  /** Null: every tenant's numbers. */
  readonly customerConfigId: string | null;
  /** Ask nothing over the network but the database. */
  readonly offline: boolean;
};

const TIMEOUT_MS = 15_000;
const META_AT_ONCE = 6;

export async function gather(deps: GatherDeps, { customerConfigId, offline }: GatherRequest): Promise<DoctorFacts> {
  const asking = startAsking(TIMEOUT_MS);
  // One connection of the host's pool is enough.
  const askDatabase = asking.line(1);
  const askMeta = asking.line(META_AT_ONCE);
  const askWebhook = asking.line(1);
  try {
    const { examination, configured } = deps;
    const skip = (because: CheckId | "offline" | "late") => async (): Promise<{ skipped: typeof because }> => ({
      skipped: because,
    });
    const outside = <T>(ask: Ask, question: (() => Promise<T>) | null, instead: CheckId): Promise<Asked<T>> => {
      if (configured === null) return skip("configuration")();
      if (offline) return skip("offline")();
      return question === null ? skip(instead)() : ask(question);
    };
    const settings = configured?.settings ?? null;
    const url = settings?.webhookUrl ?? null;

    const network = (async () => {
      const [clock, callback] = await Promise.all([
        outside(askMeta, configured && (() => aheadOf(deps.now, () => configured.metaHealth.clock())), "configuration"),
        outside(
          askWebhook,
          configured === null || url === null
            ? null
            : () =>
                configured.callWebhook({ url, verifyToken: configured.verifyToken, challenge: deps.newChallenge() }),
          "configuration",
        ),
      ]);
      const graph: Asked<null> = "known" in clock ? { known: null } : clock;
      const meta = configured === null || !("known" in clock) ? null : configured.metaHealth;
      const app = meta === null || settings?.appId == null ? null : meta;
      const instead = settings?.appId == null ? "configuration" : "graph";
      const [about, subscription] = await Promise.all([
        outside(askMeta, app && (() => app.app()), instead),
        outside(askMeta, app && (() => app.appSubscription()), instead),
      ]);
      // Both are refused for one reason, which is said once.
      const refused = "failed" in about && about.code !== undefined;
      return {
        ahead: "known" in clock ? clock.known : null,
        graph,
        callback,
        app: about,
        appSubscription: refused ? ({ skipped: "app" } as const) : subscription,
        meta,
      };
    })();

    const ahead = await askDatabase(() => aheadOf(deps.now, () => examination.clock()));
    const database: Asked<null> = "known" in ahead ? { known: null } : ahead;
    const stored = <T>(question: () => Promise<T>): Promise<Asked<T>> =>
      "known" in database ? askDatabase(question) : skip("database")();
    const migrations = await stored(deps.migrations);
    const found = await stored(() => examination.numbers(customerConfigId));
    const numbers = "known" in found ? found.known.numbers : [];
    const ours = customerConfigId === null ? null : numbers;

    const outlook = await network;
    const [looked, arrivals, unrouted, sends, templates, work] = await Promise.all([
      Promise.all(numbers.map((number) => lookAt(number, outlook))),
      stored(() => examination.arrivals(numbers)),
      stored(() => examination.unrouted(ours?.map(({ wabaId }) => wabaId) ?? null)),
      stored(() => examination.sends(numbers)),
      stored(() => examination.templates(numbers)),
      stored(() => examination.work(ours)),
    ]);

    /** The token is opened for these calls and kept nowhere. */
    async function lookAt(
      { accessTokenEnc, ...number }: ExaminedNumber,
      { meta, app }: { readonly meta: MetaHealth | null; readonly app: DoctorFacts["app"] },
    ): Promise<NumberFacts> {
      const opened = open(accessTokenEnc, number);
      const accessToken = opened.token;
      const instead = accessToken === null && configured !== null ? "token" : "graph";
      const { wabaId, phoneNumberId } = number;
      const withToken = <T>(question: (meta: MetaHealth, token: string) => Promise<T>): Promise<Asked<T>> =>
        outside(askMeta, meta === null || accessToken === null ? null : () => question(meta, accessToken), instead);
      const inspectable = settings?.appId != null && !("failed" in app);
      const [token, subscriptions, health, account] = await Promise.all([
        inspectable
          ? withToken((meta, accessToken) => meta.inspectToken(accessToken))
          : skip(settings?.appId == null ? "configuration" : "app")(),
        withToken((meta, accessToken) => meta.accountSubscriptions({ wabaId, accessToken })),
        withToken((meta, accessToken) => meta.number({ phoneNumberId, accessToken })),
        withToken((meta, accessToken) => meta.account({ wabaId, accessToken })),
      ]);
      return { number, sealed: opened.sealed, token, subscriptions, health, account };
    }

    function open(
      sealed: string | null,
      { customerConfigId, connectionId }: { readonly customerConfigId: string; readonly connectionId: string },
    ): { readonly token: string | null; readonly sealed: NumberFacts["sealed"] } {
      if (sealed === null) return { token: null, sealed: { state: "missing" } };
      if (configured === null) return { token: null, sealed: { state: "opens" } };
      try {
        const context = { customerConfigId, rowId: connectionId, field: "access_token" };
        return { token: configured.secretBox.open(sealed, context), sealed: { state: "opens" } };
      } catch (error) {
        const why = error instanceof ChannelError ? error.message : "It cannot be opened.";
        return { token: null, sealed: { state: "shut", why } };
      }
    }

    return {
      at: deps.now(),
      scope: customerConfigId === null ? "everybody" : "tenant",
      configuration: { problems: deps.problems, settings },
      database,
      migrations,
      graph: outlook.graph,
      app: outlook.app,
      appSubscription: outlook.appSubscription,
      callback: outlook.callback,
      numbers: "known" in found ? { known: { numbers: looked, more: found.known.more } } : found,
      arrivals,
      unrouted,
      sends,
      templates,
      work,
      clocks: { database: "known" in ahead ? ahead.known : null, graph: outlook.ahead },
    };
  } finally {
    asking.end();
  }
}

/** How far another clock is ahead of ours, had it answered half-way; null when it does not tell. */
async function aheadOf(now: () => Date, theirs: () => Promise<Date | null>): Promise<number | null> {
  const before = now().getTime();
  const at = await theirs();
  return at === null ? null : at.getTime() - (before + now().getTime()) / 2;
}
