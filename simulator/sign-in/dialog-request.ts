/** Reads an authorization URL and checks it as Meta's dialog does before it asks anybody anything. */
import { WHATSAPP_SCOPES } from "../tokens.ts";
import type { LoginOptions } from "./login-options.ts";

/** What the app asks for. */
export type DialogRequest = {
  readonly appId: string;
  /** Null in the SDK's popup, which gives the code to its opener. */
  readonly redirectUri: string | null;
  readonly state: string | null;
  readonly configId: string | null;
  readonly scopes: readonly string[];
  readonly featureType: string;
  readonly challenge: Challenge | null;
  readonly showsGrantedScopes: boolean;
  /** The page that opened the popup, and how it calls its request. */
  readonly popup: { readonly origin: string; readonly callback: string } | null;
};

export type Challenge = { readonly value: string; readonly isHashed: boolean };

export type CheckedDialog =
  | { readonly kind: "ask"; readonly request: DialogRequest }
  /** Shown to the person; the app never hears of it. */
  | { readonly kind: "blocked"; readonly title: string; readonly message: string }
  /** Sent to the app, as `error_code` and `error_message`. */
  | { readonly kind: "refused"; readonly request: DialogRequest; readonly code: number; readonly message: string };

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|\?|$)/;

export function checkDialog(query: URLSearchParams, appId: string, options: LoginOptions): CheckedDialog {
  const request = readRequest(query);
  if (request.appId !== appId)
    return blocked("Invalid App ID", "The provided app ID does not look like a valid app ID.");
  if (request.redirectUri === null && !request.popup) return blocked("Error", "The parameter redirect_uri is required");
  if (request.redirectUri !== null && !isRegistered(request.redirectUri, options.redirectUris))
    return blocked(
      "URL Blocked",
      "This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings. Make sure that the client and web OAuth logins are on and add all your app domains as valid OAuth redirect URIs.",
    );
  const refused = (code: number, message: string) => ({ kind: "refused", request, code, message }) as const;
  const types = (query.get("response_type") ?? "").split(/[\s,]+/);
  if (!types.includes("code")) return refused(100, "The simulator knows response_type=code only.");
  if (request.configId === null) return { kind: "ask", request };
  if (options.configId !== undefined && request.configId !== options.configId)
    return refused(100, "Invalid parameter: config_id does not name a configuration of this app.");
  // Without it Meta goes by the configuration's own type, which for a business token is no code.
  if (options.tokenKind !== "user" && query.get("override_default_response_type") !== "true")
    return refused(100, "Invalid parameter: response_type=code needs override_default_response_type=true.");
  return { kind: "ask", request };
}

function readRequest(query: URLSearchParams): DialogRequest {
  const configId = query.get("config_id") || null;
  const redirectUri = query.get("redirect_uri") || null;
  const origin = query.get("origin");
  const isPopup = redirectUri === null && query.get("display") === "popup" && origin !== null && URL.canParse(origin);
  const challenge = query.get("code_challenge");
  return {
    appId: query.get("client_id") ?? "",
    redirectUri,
    state: query.get("state"),
    configId,
    scopes: configId === null ? scopesIn(query.get("scope")) : WHATSAPP_SCOPES,
    featureType: featureTypeIn(query.get("extras")),
    challenge: challenge ? { value: challenge, isHashed: query.get("code_challenge_method") === "S256" } : null,
    showsGrantedScopes: (query.get("response_type") ?? "").includes("granted_scopes"),
    popup: isPopup ? { origin: new URL(origin).origin, callback: query.get("cb") ?? "" } : null,
  };
}

function isRegistered(redirectUri: string, registered: readonly string[] | undefined): boolean {
  return registered ? registered.includes(redirectUri) : LOOPBACK.test(redirectUri) && !redirectUri.includes("#");
}

function scopesIn(scope: string | null): readonly string[] {
  const scopes = (scope ?? "").split(/[\s,]+/).filter((name) => name !== "");
  return scopes.length > 0 ? scopes : ["public_profile"];
}

function featureTypeIn(extras: string | null): string {
  try {
    const { featureType } = JSON.parse(extras ?? "{}") as { readonly featureType?: unknown };
    return typeof featureType === "string" ? featureType : "";
  } catch {
    return "";
  }
}

function blocked(title: string, message: string): CheckedDialog {
  return { kind: "blocked", title, message };
}
