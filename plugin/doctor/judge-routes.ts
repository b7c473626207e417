/** Whether an account's webhooks come to this app, and its messages to this address. */
import { type DoctorFacts, isGone, judge, type NumberFacts } from "./facts.ts";
import { ok, problem, skipped, type Verdict, warning } from "./finding.ts";
import { overrideOf } from "./override.ts";
import { isSameUrl, whose } from "./urls.ts";

export function judgeSubscription(
  { configuration }: DoctorFacts,
  { number, subscriptions, account }: NumberFacts,
): Verdict {
  const appId = configuration.settings?.appId ?? null;
  // A token that may see the account, and not this of it, is no reason why nothing should arrive.
  if (isGone(subscriptions) && isGone(account))
    return problem(
      `Meta does not show account ${number.wabaId}: it was deleted, or the token may not see it.`,
      'In Meta Business settings, look at the WhatsApp accounts. Where it is gone, disconnect its numbers; where it is there, press "Connect WhatsApp" again and share it in Meta\'s dialog.',
    );
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
