/** The Meta app: whether id and secret belong together, where its webhooks go, and which it asked for. */
import type { AppSubscription, WebhookAnswer } from "../ports.ts";
import { type DoctorFacts, isRefused, isUnproven, judge } from "./facts.ts";
import { check, type Finding, ok, problem, skipped, type Verdict, warning } from "./finding.ts";
import { ago, list } from "./say.ts";
import { isSameUrl, place, whose } from "./urls.ts";

const WEBHOOKS_PAGE = "In the Meta app, WhatsApp, Configuration, Webhook";

/** Of the fields that the channel reads, those whose absence somebody would miss. */
export const RECOMMENDED_FIELDS: readonly string[] = [
  "message_template_status_update",
  "message_template_quality_update",
  "template_category_update",
  "phone_number_quality_update",
  "phone_number_name_update",
  "account_update",
  "account_review_update",
  "business_capability_update",
  "user_preferences",
  "security",
];

/** The same for numbers that are also used in the WhatsApp Business app. */
export const BUSINESS_APP_FIELDS: readonly string[] = ["history", "smb_message_echoes", "smb_app_state_sync"];

export function judgeApp(facts: DoctorFacts): readonly Finding[] {
  return [
    check("app", () => judgeSecret(facts)),
    check("app-mode", () => judgeMode(facts)),
    check("callback", () => judgeCallback(facts)),
    check("callback-at-meta", () => judge(facts.appSubscription, (known) => judgeCallbackAtMeta(facts, known))),
    check("fields", () => judge(facts.appSubscription, (known) => judgeFields(facts, known))),
  ];
}

/** A number's question was refused for its proof; where the app's own were answered, it is not the secret that is wrong. */
export function isSecretRefused({ app, numbers }: DoctorFacts): boolean {
  if ("known" in app || !("known" in numbers)) return false;
  return numbers.known.numbers.some(({ health, subscriptions, account }) =>
    [health, subscriptions, account].some(isUnproven),
  );
}

function judgeSecret(facts: DoctorFacts): Verdict {
  const { app, configuration } = facts;
  const variable = configuration.settings?.appSecretFrom ?? "META_APP_SECRET";
  const isRotating = (configuration.settings?.appSecrets ?? 1) > 1;
  if (isRefused(app))
    return problem(
      `META_APP_ID and ${isRotating ? `the first secret of ${variable}` : variable} do not belong together: Meta refuses them.`,
      isRotating
        ? "Put the secret that the Meta app shows now (Settings, Basic) first: the one that comes next goes behind it until it is the app's."
        : "In the Meta app, Settings, Basic, copy App ID and App Secret once more; then no signature and no sign-in fails.",
    );
  if (isSecretRefused(facts))
    return problem(
      `Meta refuses every call, as ${isRotating ? `the first secret of ${variable}` : variable} is not that of the app whose tokens the numbers have.`,
      "In the Meta app, Settings, Basic, copy App Secret once more; then sends leave, signatures fit, and no number has to be connected again.",
    );
  return judge(app, ({ name }) => ok(`Meta knows them${name === null ? "" : ` as "${name}"`}.`));
}

/** Graph has no field for it. */
function judgeMode({ arrivals, at }: DoctorFacts): Verdict {
  const last = "known" in arrivals ? newestMessage(arrivals.known.numbers) : null;
  if (last !== null) return ok(`Meta does not tell it. A message arrived ${ago(last, at)}, so it lets them through.`);
  if (!("known" in arrivals)) return skipped("Meta does not tell it.");
  return skipped(
    "Meta does not tell it, and no message has arrived that would show it. An app in development mode gets few webhooks: the switch at the top of the Meta app must say Live.",
  );
}

function newestMessage(numbers: readonly { readonly lastMessageAt: Date | null }[]): Date | null {
  const times = numbers.flatMap(({ lastMessageAt }) => (lastMessageAt === null ? [] : [lastMessageAt.getTime()]));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

function judgeCallback({ callback, configuration }: DoctorFacts): Verdict {
  const url = configuration.settings?.webhookUrl ?? "";
  return judge<WebhookAnswer>(callback, (answer) => {
    if (answer.kind === "unreachable")
      return problem(
        `${url} cannot be reached from here (${answer.reason}).`,
        "Check that NEXT_PUBLIC_APP_URL and WHATSAPP_BASE_PATH name the place where the router is mounted, that the host runs, and that its certificate is valid. (If this machine merely cannot see its own public address, try it from outside.)",
      );
    const { status, echoed } = answer;
    if (status === 200 && echoed) return ok(`${url} answers Meta's handshake.`);
    if (status === 403)
      return problem(
        `${url} refuses the verify token (403).`,
        "The host that answers there runs with another WHATSAPP_VERIFY_TOKEN than this process: give both the same.",
      );
    if (status >= 300 && status < 400)
      return problem(
        `${url} redirects (${status}); Meta follows no redirect.`,
        "Set NEXT_PUBLIC_APP_URL to the address that it ends at, with or without www and a slash as it is there.",
      );
    if (status === 401 || status === 407)
      return problem(
        `${url} wants a login (${status}).`,
        "Let the webhook's path through without one: Meta proves itself by its signature.",
      );
    if (status === 404)
      return problem(
        `Nothing is mounted at ${url} (404).`,
        "Mount the router there, or set WHATSAPP_BASE_PATH to where it is.",
      );
    return problem(
      `${url} answers ${status}${status === 200 ? " with something else than the challenge" : ""}.`,
      "Something else answers there (a page of the host, a proxy, a firewall): let the path through to the router.",
    );
  });
}

function judgeCallbackAtMeta({ configuration, scope }: DoctorFacts, known: AppSubscription | null): Verdict {
  const ours = configuration.settings?.webhookUrl ?? null;
  const enter =
    ours === null
      ? `${WEBHOOKS_PAGE}, enter the public address of the router's /webhook and WHATSAPP_VERIFY_TOKEN.`
      : `${WEBHOOKS_PAGE}, enter ${ours} and the value of WHATSAPP_VERIFY_TOKEN, and save.`;
  if (known?.callbackUrl == null) return problem("The app has no webhook address for WhatsApp.", enter);
  // An address may be half a secret, and a tenant need not know more of it than whose it is.
  const theirs = scope === "tenant" ? whose(known.callbackUrl) : place(known.callbackUrl);
  if (!known.isActive) return problem(`Meta has switched off ${theirs}.`, enter);
  if (ours === null)
    return warning(
      `Meta calls ${theirs}; whether that is this host, only NEXT_PUBLIC_APP_URL could tell.`,
      "Set NEXT_PUBLIC_APP_URL to the public address of this app.",
    );
  return isSameUrl(known.callbackUrl, ours)
    ? ok(`Meta calls ${ours}.`)
    : problem(`Meta calls ${theirs}, which is not ${ours}.`, enter);
}

function judgeFields(facts: DoctorFacts, known: AppSubscription | null): Verdict {
  const fields = known?.fields ?? [];
  const subscribe = (missing: readonly string[]) => `${WEBHOOKS_PAGE} fields, subscribe to ${list(missing)}.`;
  if (!fields.includes("messages"))
    return problem(
      "The app is not subscribed to messages: neither what people write nor what became of answers arrives.",
      `${subscribe(["messages"])} (Statuses come with it; there is no field message_status.)`,
    );
  const wanted = [...RECOMMENDED_FIELDS, ...(isOnBusinessApp(facts) ? BUSINESS_APP_FIELDS : [])];
  const missing = wanted.filter((field) => !fields.includes(field));
  if (missing.length > 0) return warning(`Subscribed to messages, not to ${list(missing)}.`, subscribe(missing));
  return ok(`Subscribed to messages and ${fields.length - 1} more.`);
}

function isOnBusinessApp({ numbers }: DoctorFacts): boolean {
  return (
    "known" in numbers && numbers.known.numbers.some(({ health }) => "known" in health && health.known.isOnBusinessApp)
  );
}
