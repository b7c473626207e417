/** GET /debug_token: what a token is and what it may, told to the app. */
import { type GraphAnswer, refuse } from "../graph-error.ts";
import type { GraphCall } from "../graph-plan.ts";
import { ok } from "../node.ts";
import { type Access, messageOf, type Tokens } from "../tokens.ts";
import type { WireObject } from "../wire.ts";

/** What a user who does not come back for this long has to allow again. */
const DATA_ACCESS_MS = 90 * 24 * 60 * 60 * 1000;

export function inspectToken(
  { query, access }: GraphCall,
  { tokens, appId, appName }: { readonly tokens: Tokens; readonly appId: string; readonly appName: string },
): GraphAnswer {
  // A system user of the app's own business may ask too: those are the tokens that the options name.
  if (access.isIssued || access.appId !== appId)
    return refuse({
      code: 100,
      message:
        "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app",
    });
  const inputToken = query.get("input_token");
  if (inputToken === null) return refuse({ code: 100, message: "(#100) The parameter input_token is required" });
  const found = tokens.inspect(inputToken);
  if (!found)
    return ok({
      data: { is_valid: false, scopes: [], error: { code: 190, message: "Invalid OAuth access token" } },
    });
  const about = {
    app_id: found.access.appId,
    type: found.access.type,
    application: found.access.appId === appId ? appName : "Another app",
  };
  if (found.access.isApp) return ok({ data: { ...about, is_valid: true, scopes: [] } });
  if (!found.revocation) return ok({ data: { ...about, is_valid: true, ...detailsOf(found.access) } });
  const { subcode } = found.revocation;
  return ok({
    data: {
      ...about,
      is_valid: false,
      ...detailsOf(found.access),
      error: { code: 190, message: messageOf(found.revocation), subcode },
    },
  });
}

function detailsOf(access: Access): WireObject {
  const { issuedAt, expiresAt, type, userId } = access;
  const scopes = [...access.scopes];
  return {
    issued_at: secondsOf(issuedAt),
    expires_at: expiresAt === null ? 0 : secondsOf(expiresAt),
    data_access_expires_at: type === "USER" ? secondsOf(new Date(issuedAt.getTime() + DATA_ACCESS_MS)) : 0,
    scopes,
    granular_scopes: scopes.map((scope) => ({
      scope,
      ...(!access.omitsTargetIds && scope.startsWith("whatsapp_") && { target_ids: [...access.wabaIds] }),
    })),
    user_id: userId,
  };
}

function secondsOf(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
