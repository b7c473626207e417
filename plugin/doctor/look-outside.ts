/** Asks Meta and our own webhook what can be asked; what cannot be asked names what stands in the way. */
import { ChannelError } from "../errors.ts";
import type { CallWebhook, ExaminedNumber, MetaHealth, SecretBox } from "../ports.ts";
import type { Asking } from "./ask.ts";
import { aheadOf } from "./clocks.ts";
import { type Asked, type DoctorFacts, isRefused, type NumberFacts, type Settings } from "./facts.ts";
import type { CheckId } from "./finding.ts";

export type Outside = {
  readonly settings: Settings;
  readonly verifyToken: string;
  readonly secretBox: SecretBox;
  readonly metaHealth: MetaHealth;
  readonly callWebhook: CallWebhook;
  readonly newChallenge: () => string;
};

type AppFacts = Pick<DoctorFacts, "graph" | "app" | "appSubscription" | "callback"> & {
  /** How far Meta's clock is ahead; null where unknown. */
  readonly clock: number | null;
};

type LookOutside = {
  atApp(): Promise<AppFacts>;
  atNumber(number: ExaminedNumber, app: AppFacts): Promise<NumberFacts>;
};

const AT_ONCE = 6;

export function createLookOutside(
  outside: Outside | null,
  asking: Asking,
  { offline, now }: { readonly offline: boolean; readonly now: () => Date },
): LookOutside {
  const askMeta = asking.line(AT_ONCE);
  const askWebhook = asking.line(1);
  /** Stands in the way of everything out there. */
  const inTheWay = outside === null ? "configuration" : offline ? "offline" : null;

  return {
    async atApp() {
      if (outside === null || inTheWay !== null) return nothing(inTheWay ?? "configuration");
      const { metaHealth, settings, verifyToken, newChallenge } = outside;
      const { webhookUrl: url, appId } = settings;
      const callback =
        url === null
          ? notAsked("configuration")
          : askWebhook(() => outside.callWebhook({ url, verifyToken, challenge: newChallenge() }));
      const clock = await askMeta(() => aheadOf(now, () => metaHealth.clock()));
      const isThere = "known" in clock;
      const unable = appId === null ? "configuration" : isThere ? null : "graph";
      const [app, appSubscription] = await Promise.all([
        unable === null ? askMeta(() => metaHealth.app()) : notAsked(unable),
        unable === null ? askMeta(() => metaHealth.appSubscription()) : notAsked(unable),
      ]);
      return {
        clock: isThere ? clock.known : null,
        graph: isThere ? { known: null } : clock,
        callback: await callback,
        app,
        // Both are refused for one reason, which is said once.
        appSubscription: isRefused(app) ? notAsked("app") : appSubscription,
      };
    },

    async atNumber({ accessTokenEnc, ...number }, { graph, app }) {
      if (outside === null || inTheWay !== null) {
        const none = notAsked(inTheWay ?? "configuration");
        const sealed = outside === null ? { state: "opens" as const } : open(outside, accessTokenEnc, number).sealed;
        return { number, sealed, token: none, subscriptions: none, health: none, account: none };
      }
      // Opened for these calls, and kept nowhere.
      const { sealed, accessToken } = open(outside, accessTokenEnc, number);
      const { wabaId, phoneNumberId } = number;
      const { metaHealth, settings } = outside;
      const ask = async <T>(question: (accessToken: string) => Promise<T>): Promise<Asked<T>> => {
        if (accessToken === null) return notAsked("token");
        return "known" in graph ? askMeta(() => question(accessToken)) : notAsked("graph");
      };
      const unable = settings.appId === null ? "configuration" : isRefused(app) ? "app" : null;
      const [token, subscriptions, health, account] = await Promise.all([
        unable === null ? ask((accessToken) => metaHealth.inspectToken(accessToken)) : notAsked(unable),
        ask((accessToken) => metaHealth.accountSubscriptions({ wabaId, accessToken })),
        ask((accessToken) => metaHealth.number({ phoneNumberId, accessToken })),
        ask((accessToken) => metaHealth.account({ wabaId, accessToken })),
      ]);
      return { number, sealed, token, subscriptions, health, account };
    },
  };
}

function open(
  { secretBox }: Outside,
  accessTokenEnc: string | null,
  { customerConfigId, connectionId }: NumberFacts["number"],
): { readonly accessToken: string | null; readonly sealed: NumberFacts["sealed"] } {
  if (accessTokenEnc === null) return { accessToken: null, sealed: { state: "missing" } };
  try {
    const context = { customerConfigId, rowId: connectionId, field: "access_token" };
    return { accessToken: secretBox.open(accessTokenEnc, context), sealed: { state: "opens" } };
  } catch (error) {
    const why = error instanceof ChannelError ? error.message : "It does not open.";
    return { accessToken: null, sealed: { state: "shut", why } };
  }
}

function notAsked(because: CheckId | "offline"): { readonly skipped: CheckId | "offline" } {
  return { skipped: because };
}

function nothing(because: CheckId | "offline"): AppFacts {
  const none = notAsked(because);
  return { clock: null, graph: none, app: none, appSubscription: none, callback: none };
}
