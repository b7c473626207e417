/** Everything around a number's coming and going: sign-in, onboarding, leaving, tokens, and Meta's callbacks. */
import { randomBytes, randomInt } from "node:crypto";
import { createMetaOauth } from "../../adapters/meta-oauth/meta-oauth.ts";
import type { WhatsAppConfig } from "../config.ts";
import { createConnect } from "../connect/connect-with-token.ts";
import { createDataDeletion, type DataDeletionDeps } from "../connect/data-deletion.ts";
import { createDisconnect } from "../connect/disconnect.ts";
import { createFinishLeaving } from "../connect/finish-leaving.ts";
import { createLookAtNumbers } from "../connect/look-at-numbers.ts";
import { createOnboard } from "../connect/onboard.ts";
import { createRenewTokens } from "../connect/renew-tokens.ts";
import { createSignIn } from "../connect/sign-in.ts";
import type { ChannelPlugin } from "../contract.ts";
import { settingsOf } from "../doctor/settings.ts";
import type { ConnectDeps } from "../http/connect-routes.ts";
import type { RouterDeps } from "../http/router.ts";
import type { UpkeepTasks } from "../pipeline/upkeep.ts";
import type { GraphApi, Logger, MetaAccounts, MetaHealth, SecretBox, Store } from "../ports.ts";

export type ConnectingDeps = {
  readonly config: WhatsAppConfig;
  readonly store: Store;
  readonly graphApi: GraphApi;
  readonly metaAccounts: MetaAccounts;
  readonly metaHealth: MetaHealth;
  readonly secretBox: SecretBox;
  readonly erase: DataDeletionDeps["erase"];
  readonly fetch: typeof globalThis.fetch;
  readonly log: Logger;
  /** Called after the commit: sends and events may have waited for this number. */
  readonly onConnected: () => void;
  /** The same: sends that waited end now. */
  readonly onClosed: () => void;
};

export type Connecting = {
  readonly connect: ChannelPlugin["connect"];
  readonly routes: Pick<RouterDeps, "connect" | "disconnect" | "callbacks">;
  /** What must be looked after while the plugin runs. */
  readonly upkeep: UpkeepTasks;
};

export function wireConnecting(deps: ConnectingDeps): Connecting {
  const { config, store, graphApi, metaAccounts, secretBox, log, onConnected } = deps;
  const { connections, leaving } = store;
  const metaOauth = createMetaOauth({ ...config, appSecret: config.appSecrets[0] as string, fetch: deps.fetch });
  const onboard = createOnboard({
    ...store,
    appId: config.appId,
    metaOauth,
    metaAccounts,
    graphApi,
    secretBox,
    newPin: () => String(randomInt(1_000_000)).padStart(6, "0"),
    now: () => new Date(),
    onConnected,
  });
  const signIn = createSignIn({
    ...store,
    appId: config.appId,
    redirectUri: config.appUrl === null ? null : `${config.appUrl}${config.basePath}/oauth/callback`,
    // The integrations page may always be come back to: it is ours.
    returnPaths: [...config.returnPaths, `${config.basePath}/ui/`],
    metaOauth,
    secretBox,
    onboard,
    newToken: newSecret,
  });
  const finishLeaving = createFinishLeaving({ leaving, metaAccounts, secretBox, log });

  return {
    connect: createConnect({
      graphApi,
      inspectToken: config.appId === null ? null : metaAccounts.inspectToken,
      subscribe: metaAccounts.subscribe,
      connections,
      secretBox,
      log,
      onConnected,
    }),
    routes: {
      connect: {
        signIn,
        onboard,
        login: loginOf(config),
        returnPaths: config.returnPaths,
        basePath: config.basePath,
        isSecure: config.appUrl?.startsWith("https:") ?? false,
        newToken: newSecret,
      },
      disconnect: createDisconnect({ leaving, finishLeaving, onClosed: deps.onClosed, log }),
      callbacks: {
        secrets: config.appSecrets,
        now: () => new Date(),
        ...createDataDeletion({ ...config, leaving, erase: deps.erase, newCode: newSecret }),
      },
    },
    upkeep: {
      "tell Meta of numbers that have left": () => finishLeaving(null),
      "renew tokens": createRenewTokens({ connections, metaOauth, metaAccounts, secretBox, log }),
      "look at numbers": createLookAtNumbers({
        connections,
        graphApi,
        metaHealth: deps.metaHealth,
        secretBox,
        log,
        ...settingsOf(config),
      }),
      "expire onboardings": store.onboardings.expire,
    },
  };
}

/** 256 random bits, safe in a URL. @see https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1 */
function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What a page needs for Meta's popup: nothing of it is secret. */
function loginOf({ appId, loginConfigId, graphVersion, dialogUrl }: WhatsAppConfig): ConnectDeps["login"] {
  const isMeta = new URL(dialogUrl).hostname.endsWith(".facebook.com");
  return {
    app_id: appId,
    config_id: loginConfigId,
    graph_version: graphVersion,
    sdk_url: new URL("/en_US/sdk.js", isMeta ? "https://connect.facebook.net" : dialogUrl).href,
    dialog_origin: new URL(dialogUrl).origin,
  };
}
