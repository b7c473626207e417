/** Whether an account's webhooks come to this app, and its messages to this address. */
import { type DoctorFacts, judge, type NumberFacts } from "./facts.ts";
import { ok, problem, skipped, type Verdict, warning } from "./finding.ts";
import { overrideOf } from "./override.ts";
import { isSameUrl, whose } from "./urls.ts";

export function judgeSubscription({ configuration }: DoctorFacts, { number, subscriptions }: NumberFacts): Verdict {
  const appId = configuration.settings?.appId ?? null;
  return judge(subscriptions, (apps) => {
    const fix = `Press "Connect WhatsApp" again, or subscribe this app to the account: POST /${number.wabaId}/subscribed_apps with the number's token.`;
    if (apps.length === 0)
      return problem(`Account ${number.wabaId} sends its webhooks to no app: nothing of it can arrive.`, fix);
    if (appId === null)
      return warning(
        `Account ${number.wabaId} sends its webhooks to ${apps.map((app) => app.appId ?? "an app").join(", ")}; whether this app is among them, only META_APP_ID could tell.`,
        "Set META_APP_ID (Meta app, Settings, Basic).",
      );
    if (!apps.some((app) => app.appId === appId))
      return problem(
        `Account ${number.wabaId} sends its webhooks to ${apps.map((app) => app.appId ?? "another app").join(", ")}, not to this app (${appId}).`,
        fix,
      );
    return ok(`Account ${number.wabaId} sends its webhooks to this app.`);
  });
}

export function judgeOverride({ configuration }: DoctorFacts, { number, subscriptions, health }: NumberFacts): Verdict {
  const settings = configuration.settings;
  const atNumber = "known" in health ? health.known.callbacks : null;
  const ofAccount = "known" in subscriptions ? subscriptions.known : null;
  if (atNumber === null && ofAccount === null) return judge(health, () => skipped("Not looked at."));
  const override = overrideOf(settings?.appId ?? null, atNumber, ofAccount);
  if (override === null) return ok("None: messages come to the app's own address.");
  const { url } = override;
  const [where, path, clear] =
    override.of === "number"
      ? ([
          "this number's messages",
          number.phoneNumberId,
          '{"webhook_configuration":{"override_callback_uri":""}}',
        ] as const)
      : (["this account's messages", `${number.wabaId}/subscribed_apps`, "an empty body"] as const);
  const ours = settings?.webhookUrl ?? null;
  if (ours === null)
    return warning(
      `Meta sends ${where} to ${whose(url)}; whether that is this host, only NEXT_PUBLIC_APP_URL could tell.`,
      "Set NEXT_PUBLIC_APP_URL to the public address of this app.",
    );
  if (isSameUrl(url, ours)) return ok("Set, and it is ours.");
  return problem(
    `Meta sends ${where} to ${whose(url)} instead of here.`,
    `Whoever set it up there still gets them. To bring them here: POST /${path} with ${clear} and the number's token.`,
  );
}
