/** /{waba}/subscribed_apps: whether an app hears of an account, and where. */
import { type GraphAnswer, refuse, unknownObject } from "../graph-error.ts";
import { type GraphCall, type GraphPlan, paramOf } from "../graph-plan.ts";
import { isWebAddress, performHandshake } from "../handshake.ts";
import { page, read, SUCCESS } from "../node.ts";
import type { AccountRecord } from "./account-book.ts";

const LONGEST_OVERRIDE = 200;

export function planSubscribedApps(
  account: AccountRecord,
  call: GraphCall,
  own: { readonly appId: string; readonly appName: string; readonly webhookTimeoutMs: number },
): GraphPlan | GraphAnswer {
  const { subscriptions, wabaId } = account;
  const { appId } = call.access;
  const planned = (run: () => GraphAnswer | Promise<GraphAnswer>) => read("subscribed_apps", run, [wabaId]);
  switch (call.method) {
    case "GET":
      return planned(() =>
        page(
          [...subscriptions].map(([id, override]) => ({
            whatsapp_business_api_data: {
              id,
              link: "https://example.test/app",
              name: id === own.appId ? own.appName : "Another app",
            },
            ...(override !== null && { override_callback_uri: override }),
          })),
          call,
        ),
      );
    case "POST":
      return planned(async () => {
        const override = paramOf(call, "override_callback_uri") || null;
        const refusal =
          override === null
            ? null
            : await refuseOverride(override, paramOf(call, "verify_token"), own.webhookTimeoutMs);
        if (refusal) return refusal;
        subscriptions.set(appId, override);
        return SUCCESS;
      });
    case "DELETE":
      return planned(() => {
        subscriptions.delete(appId);
        return SUCCESS;
      });
    default:
      return unknownObject(call.method, wabaId);
  }
}

/** Meta asks the new address the question it asks every address. Null: it answered. */
export async function refuseOverride(
  uri: string,
  verifyToken: string | null,
  timeoutMs: number,
): Promise<GraphAnswer | null> {
  if (!isWebAddress(uri) || uri.length > LONGEST_OVERRIDE)
    return refuse({
      code: 100,
      message: `(#100) Param override_callback_uri must be a valid URL of at most ${LONGEST_OVERRIDE} characters.`,
    });
  if (!verifyToken) return refuse({ code: 100, message: "(#100) The parameter verify_token is required." });
  return refuseCallback(uri, verifyToken, timeoutMs);
}

export async function refuseCallback(uri: string, verifyToken: string, timeoutMs: number): Promise<GraphAnswer | null> {
  if (await performHandshake(uri, verifyToken, timeoutMs)) return null;
  return refuse({
    code: 2200,
    message:
      "(#2200) Callback verification failed with the following errors: the URL couldn't be validated. The challenge did not come back with status 200.",
  });
}
