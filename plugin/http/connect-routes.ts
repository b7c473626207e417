/** Connecting over HTTP: to Meta and back, Meta's popup, and the steps until the numbers are connected. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { Onboard } from "../connect/onboard.ts";
import { withResult } from "../connect/return-path.ts";
import type { SignedInPerson, SignIn } from "../connect/sign-in.ts";
import type { HeldNumber, Logger, Onboarding, StepName } from "../ports.ts";
import { codeInUrl, goTo } from "./dashboard.ts";
import { sendJson, statusOfError } from "./error-response.ts";
import { invalid, readBody, readJsonBody } from "./json-body.ts";
import type { Session, TenantRoute } from "./session.ts";

export type ConnectDeps = {
  readonly signIn: SignIn;
  readonly onboard: Onboard;
  /** What a page needs to know for Meta's popup. */
  readonly login: Readonly<
    Record<"app_id" | "config_id" | "graph_version" | "sdk_url" | "dialog_origin", string | null>
  >;
  readonly returnPaths: readonly string[];
  /** Where our routes are, as the browser sees it. */
  readonly basePath: string;
  /** Whether browsers reach us by https. */
  readonly isSecure: boolean;
  readonly newToken: () => string;
};

const metaId = z.string().regex(/^\d{5,20}$/, "must be an id of Meta's: 5 to 20 digits");
const EMBEDDED_SIGNUP = z.strictObject({
  code: z.string().min(1).max(4096),
  waba_id: metaId.nullish(),
  phone_number_id: metaId.nullish(),
});
const ANSWER = z.strictObject({
  /** Which one is answered. */
  onboarding_id: z.guid().optional(),
  phone_number_ids: z.array(metaId).min(1).max(50).optional(),
  pins: z.record(metaId, z.string().regex(/^\d{6}$/, "must be six digits")).optional(),
  takeover: z.literal(true).optional(),
});

export const CONNECT_SCHEMAS = { embeddedSignup: EMBEDDED_SIGNUP, goOn: ANSWER };

/** Binds a browser where the host names no session. */
const COOKIE = "whatsapp_connect";
const COOKIE_LIFE_S = 600;
/** What a session that only our cookie names begins with; one of the host's begins otherwise. */
const OWN = "cookie:";

export function createConnectRoutes(deps: ConnectDeps, log: Logger) {
  const { signIn, onboard } = deps;

  const authorize: TenantRoute = async (request, response, session) => {
    const query = queryOf(request);
    const sessionId = sessionOf(request, session) ?? `${OWN}${deps.newToken()}`;
    if (sessionId.startsWith(OWN)) {
      // Each time: a browser that has it already keeps it as long as this state lives.
      const cookie = sessionId.slice(OWN.length);
      const attributes = `Path=${deps.basePath}/oauth; Max-Age=${COOKIE_LIFE_S}; HttpOnly; SameSite=Lax`;
      response.setHeader("set-cookie", `${COOKIE}=${cookie}; ${attributes}${deps.isSecure ? "; Secure" : ""}`);
    }
    // `domain`, which the guide's button sends, names nobody: the tenant is who is signed in.
    const url = await signIn.begin(personOf(session, sessionId), query.get("returnTo") ?? undefined);
    goTo(response, 302, url.href);
  };

  const callback: TenantRoute = async (request, response, session) => {
    const person = personOf(session, sessionOf(request, session) ?? "none");
    const { returnTo, outcome } = await signIn.finish(person, queryOf(request));
    if ("error" in outcome) {
      statusOfError(outcome.error, log);
      return goTo(response, 303, withResult(returnTo, { whatsapp_error: codeInUrl(outcome.error) }));
    }
    const { state, onboardingId } = outcome.onboarding;
    const result: Record<string, string> =
      state === "choice" ? { whatsapp_choice: onboardingId } : { whatsapp_connected: "true" };
    goTo(response, 303, withResult(returnTo, result));
  };

  const embeddedSignup: TenantRoute = async (request, response, session) => {
    const { code, waba_id: wabaId, phone_number_id: phoneNumberId } = await readBody(request, EMBEDDED_SIGNUP);
    const hints = { wabaId: wabaId ?? null, phoneNumberId: phoneNumberId ?? null };
    await signIn.finishPopup(personOf(session, sessionOf(request, session) ?? "none"), code, hints);
    await show(response, session);
  };

  const goOn: TenantRoute = async (request, response, session) => {
    const parsed = ANSWER.safeParse((await readJsonBody(request)) ?? {});
    if (!parsed.success) throw invalid(parsed.error);
    const { onboarding_id: onboardingId, phone_number_ids: phoneNumberIds, pins, takeover } = parsed.data;
    await onboard.goOn(session.customerConfigId, { onboardingId, phoneNumberIds, pins, takeover });
    await show(response, session);
  };

  async function show(response: ServerResponse, { customerConfigId }: Session): Promise<void> {
    const found = await onboard.current(customerConfigId);
    const onboarding = found === null ? null : shown(found.onboarding, found.held, customerConfigId);
    sendJson(response, 200, { onboarding, login: deps.login });
  }

  return {
    authorize,
    callback,
    embeddedSignup,
    onboarding: ((_request, response, session) => show(response, session)) satisfies TenantRoute as TenantRoute,
    goOn,
  };
}

/** The steps that every number takes, after those that come once. */
const ONCE: readonly StepName[] = ["exchange", "inspect", "accounts", "choice"];
const EACH: readonly StepName[] = ["subscribe", "register", "connect", "templates", "profile", "sync"];

/** Never the token, a PIN, or what Meta says of either. */
function shown(onboarding: Onboarding, held: readonly HeldNumber[], customerConfigId: string): object {
  const { onboardingId, state, progress, error } = onboarding;
  const wanted = [
    ...ONCE.map((step) => ({ step, phoneNumberId: null })),
    ...progress.chosen.flatMap((phoneNumberId) => EACH.map((step) => ({ step, phoneNumberId }))),
  ];
  return {
    id: onboardingId,
    state,
    steps: wanted.map(({ step, phoneNumberId }) => {
      const found = progress.steps.find((one) => one.step === step && one.phoneNumberId === phoneNumberId);
      return { step, phone_number_id: phoneNumberId, state: found?.state ?? "waiting", error: found?.error ?? null };
    }),
    numbers: (progress.numbers ?? []).map((number) => {
      const holder = held.find(({ phoneNumberId }) => phoneNumberId === number.phoneNumberId);
      return {
        phone_number_id: number.phoneNumberId,
        waba_id: number.wabaId,
        waba_name: number.wabaName,
        phone_number: number.displayPhoneNumber,
        verified_name: number.verifiedName,
        quality_rating: number.qualityRating,
        on_business_app: number.isOnBusinessApp,
        held: holder === undefined ? null : holder.customerConfigId === customerConfigId ? "here" : "elsewhere",
      };
    }),
    chosen: progress.chosen,
    error,
  };
}

function personOf({ customerConfigId, userId }: Session, sessionId: string): SignedInPerson {
  return { customerConfigId, userId: userId ?? null, sessionId };
}

/** Null where the host names no session and the browser has none of ours. */
function sessionOf(request: IncomingMessage, { sessionId }: Session): string | null {
  if (sessionId !== undefined) return `host:${sessionId}`;
  const cookie = new RegExp(`(?:^|; )${COOKIE}=([\\w-]{20,})`).exec(request.headers.cookie ?? "")?.[1];
  return cookie === undefined ? null : `${OWN}${cookie}`;
}

/** The URL's own query, because a host may have set another query parser. */
function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? "", "http://localhost").searchParams;
}
