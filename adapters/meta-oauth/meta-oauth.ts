/** Meta's login, by openid-client: where a browser goes, and what its code is exchanged for. */
import * as oauth from "openid-client";
import { ChannelError } from "../../plugin/errors.ts";
import type { GrantedToken, MetaOauth } from "../../plugin/ports.ts";
import { readMetaAnswers } from "./meta-answers.ts";
import { dialogRefusal, tokenRefusal } from "./refusals.ts";

export type MetaOauthOptions = {
  readonly appId: string | null;
  readonly appSecret: string;
  /** Of Facebook Login for Business; null for the classic scopes. */
  readonly loginConfigId: string | null;
  readonly dialogUrl: string;
  readonly graphUrl: string;
  readonly graphVersion: string;
  readonly usesPkce: boolean;
  readonly fetch: typeof globalThis.fetch;
};

/**
 * What the classic login asks for; a configuration of Login for Business brings its own. `business_management` lists the
 * accounts of somebody who shares all that they have.
 * @see https://developers.facebook.com/docs/permissions
 */
const SCOPES = ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"];

/** Codes of the popup live 30 seconds: an exchange that takes longer has failed. */
const TIMEOUT_S = 20;

/** @throws ChannelError LOGIN_NOT_CONFIGURED from every method when there is no app id. */
export function createMetaOauth(options: MetaOauthOptions): MetaOauth {
  const { dialogUrl, graphUrl, graphVersion, loginConfigId, usesPkce } = options;
  let configured: oauth.Configuration | undefined;

  function configuration(): oauth.Configuration {
    configured ??= configure();
    return configured;
  }

  function configure(): oauth.Configuration {
    if (options.appId === null)
      throw new ChannelError("LOGIN_NOT_CONFIGURED", "Connecting by button needs META_APP_ID: set it.", {
        retry: "fix",
      });
    const config = new oauth.Configuration(
      {
        issuer: dialogUrl,
        authorization_endpoint: new URL(`/${graphVersion}/dialog/oauth`, dialogUrl).href,
        token_endpoint: new URL(`/${graphVersion}/oauth/access_token`, graphUrl).href,
        ...(usesPkce ? { code_challenge_methods_supported: ["S256"] } : {}),
      },
      options.appId,
      { client_secret: options.appSecret },
      oauth.ClientSecretPost(options.appSecret),
    );
    config.timeout = TIMEOUT_S;
    config[oauth.customFetch] = readMetaAnswers(options.fetch);
    // The configuration allows plain http on loopback only.
    if (new URL(graphUrl).protocol === "http:") oauth.allowInsecureRequests(config);
    return config;
  }

  async function grant(
    ask: (config: oauth.Configuration) => Promise<oauth.TokenEndpointResponse>,
  ): Promise<GrantedToken> {
    const config = configuration();
    try {
      const { access_token: accessToken, expires_in: lifeSeconds } = await ask(config);
      return { accessToken, lifeSeconds: lifeSeconds ?? null };
    } catch (error) {
      throw tokenRefusal(error);
    }
  }

  return {
    usesPkce,

    async authorizationUrl({ state, redirectUri, pkceVerifier }) {
      const config = configuration();
      return oauth.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        state,
        ...(loginConfigId === null
          ? { scope: SCOPES.join(",") }
          : {
              config_id: loginConfigId,
              // Both together give the business's own token and not the person's.
              override_default_response_type: "true",
              extras: JSON.stringify({ setup: {} }),
            }),
        ...(pkceVerifier === null
          ? {}
          : { code_challenge: await oauth.calculatePKCECodeChallenge(pkceVerifier), code_challenge_method: "S256" }),
      });
    },

    async redeem({ redirectUri, query, state, pkceVerifier }) {
      const refusal = dialogRefusal(query);
      if (refusal !== null) throw refusal;
      // Never what the request says of itself: behind a proxy, or for whoever forges a Host, that is another address.
      const current = new URL(redirectUri);
      for (const [key, value] of query) current.searchParams.append(key, value);
      return grant((config) =>
        oauth.authorizationCodeGrant(config, current, {
          expectedState: state,
          ...(pkceVerifier === null ? {} : { pkceCodeVerifier: pkceVerifier }),
        }),
      );
    },

    // Meta's own page has issued it, so there is no address to repeat.
    redeemPopupCode: (code) => grant((config) => oauth.genericGrantRequest(config, "authorization_code", { code })),

    extend: (accessToken, type) =>
      grant((config) =>
        oauth.genericGrantRequest(config, "fb_exchange_token", {
          fb_exchange_token: accessToken,
          ...(type === "SYSTEM_USER" ? { set_token_expires_in_60_days: "true" } : {}),
        }),
      ),
  };
}
