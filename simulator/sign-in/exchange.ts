/** GET and POST /oauth/access_token: a code for a token, or a token for one that lives longer. */
import { type GraphAnswer, refuse } from "../graph-error.ts";
import { type GraphPlan, type OpenCall, paramOf } from "../graph-plan.ts";
import { ok, read } from "../node.ts";
import type { Access, Tokens } from "../tokens.ts";
import type { Codes } from "./codes.ts";

const SIXTY_DAYS = 60 * 24 * 60 * 60;

export function createExchange(deps: {
  readonly appId: string;
  readonly appSecret: string;
  readonly codes: Codes;
  readonly tokens: Tokens;
}): (call: OpenCall) => GraphPlan {
  const { appId, appSecret, codes, tokens } = deps;

  function run(call: OpenCall): GraphAnswer {
    const clientId = paramOf(call, "client_id");
    if (!clientId) return refuse({ code: 101, message: "Missing client_id parameter." });
    if (clientId !== appId) return refuse({ code: 101 });
    if (paramOf(call, "client_secret") !== appSecret)
      return refuse({ code: 1, httpStatus: 400, message: "Error validating client secret." });
    switch (paramOf(call, "grant_type")) {
      case null:
      case "authorization_code":
        return redeem(call);
      case "fb_exchange_token":
        return extend(call);
      default:
        return refuse({ code: 100, message: "(#100) Param grant_type is not valid." });
    }
  }

  function redeem(call: OpenCall): GraphAnswer {
    const code = paramOf(call, "code");
    if (!code) return refuse({ code: 100, message: "Missing authorization code" });
    const redeemed = codes.redeem({
      code,
      appId,
      redirectUri: paramOf(call, "redirect_uri") || null,
      verifier: paramOf(call, "code_verifier"),
    });
    return "httpStatus" in redeemed
      ? redeemed
      : answerOf(tokens.issue(redeemed.token), redeemed.token.expiresInSeconds);
  }

  function extend(call: OpenCall): GraphAnswer {
    const given = paramOf(call, "fb_exchange_token");
    if (!given) return refuse({ code: 100, message: "(#100) The parameter fb_exchange_token is required." });
    const found = tokens.inspect(given);
    if (!found || found.access.isApp || found.access.appId !== appId) return refuse({ code: 190 });
    const { access, revocation } = found;
    if (revocation)
      return refuse({ code: 190, subcode: revocation.subcode, message: "Error validating access token." });
    const isSystemUser = access.type === "SYSTEM_USER";
    if (isSystemUser && access.expiresAt === null)
      return refuse({ code: 100, message: "(#100) This access token never expires and cannot be exchanged." });
    if (isSystemUser && paramOf(call, "set_token_expires_in_60_days") !== "true")
      return refuse({ code: 100, message: "(#100) The parameter set_token_expires_in_60_days is required." });
    const { type, ...rest } = access;
    return answerOf(
      tokens.issue({ ...rest, type: type === "USER" ? "USER" : "SYSTEM_USER", expiresInSeconds: SIXTY_DAYS }),
      SIXTY_DAYS,
    );
  }

  return (call) => read("oauth_access_token", () => run(call), [paramOf(call, "client_id") ?? ""]);
}

function answerOf({ accessToken }: Access, expiresInSeconds: number | null): GraphAnswer {
  return ok({
    access_token: accessToken,
    token_type: "bearer",
    ...(expiresInSeconds !== null && { expires_in: expiresInSeconds }),
  });
}
