/** What Meta thinks of a number: registered, named, trusted, paid for, allowed to send. */
import type { MessagingHealth, NumberHealth } from "../ports.ts";
import { isGone, judge, type NumberFacts } from "./facts.ts";
import { ok, problem, skipped, type Verdict, warning } from "./finding.ts";
import { isPayment, meaningOf } from "./meta-codes.ts";

const NUMBERS_PAGE = "In WhatsApp Manager (business.facebook.com/wa/manage), open Phone numbers";
/** Meta's sentences are short; a longer one would push everything else off the screen. */
const LONGEST_SENTENCE = 300;

export function judgeRegistration({ number, health, account }: NumberFacts): Verdict {
  if (isGone(health))
    return problem(
      `Meta does not show ${number.displayPhoneNumber} by its id any more: it was deleted or moved to another account, or the token may not see it.`,
      `${NUMBERS_PAGE} and look for it. Where it is gone, disconnect it; where it is there, press "Connect WhatsApp" again for it, as its id may be another now.`,
    );
  return judge(health, (number) => {
    const { status, platformType, isOnBusinessApp, codeVerificationStatus, accountMode } = number;
    const seen = `${number.displayPhoneNumber}: ${status ?? "no status"}, ${platformType ?? "no platform"}${isOnBusinessApp ? ", also used in the WhatsApp Business app" : ""}${accountMode === "SANDBOX" ? ", a test number" : ""}.`;
    if (platformType === "ON_PREMISE")
      return problem(seen, "It is still with the On-Premises API of a provider: migrate it to the Cloud API first.");
    if (platformType !== null && platformType !== "CLOUD_API")
      return problem(
        `${seen} It is not registered with the Cloud API, so it can neither send nor receive.`,
        codeVerificationStatus === "VERIFIED"
          ? 'Press "Connect WhatsApp" again; it registers the number.'
          : `${NUMBERS_PAGE} and verify the number by SMS or call; then press "Connect WhatsApp" again.`,
      );
    if (status === "BANNED" || status === "RESTRICTED" || status === "FLAGGED")
      return problem(seen, "In WhatsApp Manager, open Account quality: it says why, and takes a request for review.");
    if (status !== null && status !== "CONNECTED")
      return problem(
        seen,
        isOnBusinessApp
          ? 'Open the WhatsApp Business app on the phone, Settings, Business Platform, and connect it again; then press "Connect WhatsApp" again.'
          : 'Press "Connect WhatsApp" again; it registers the number.',
      );
    const review = "known" in account ? account.known.reviewStatus : null;
    if (review === "REJECTED" || review === "PENDING")
      return warning(
        `${seen} Its account's review: ${review}.`,
        review === "PENDING"
          ? "Nothing: Meta reviews the account."
          : "In WhatsApp Manager, open Account quality and ask for a review.",
      );
    return ok(seen);
  });
}

export function judgeName({ health }: NumberFacts): Verdict {
  return judge(health, ({ verifiedName, nameStatus, codeVerificationStatus }) => {
    const seen = `${verifiedName ?? "No name"}: ${nameStatus ?? "no state"}${codeVerificationStatus === null ? "" : `, number ${codeVerificationStatus}`}.`;
    if (nameStatus === "DECLINED" || nameStatus === "EXPIRED")
      return warning(seen, `${NUMBERS_PAGE} and ask for another display name: without one fewer messages may be sent.`);
    if (nameStatus === "PENDING_REVIEW")
      return warning(seen, "Nothing: Meta looks at the display name, which takes a day or two.");
    return ok(seen);
  });
}

export function judgeQuality({ health }: NumberFacts): Verdict {
  return judge(health, ({ qualityRating, messagingLimit }) => {
    const seen = `Quality ${qualityRating ?? "unknown"}${messagingLimit === null ? "" : `, limit ${messagingLimit}`}.`;
    const fix =
      "People block or report messages of this number: send fewer that nobody asked for, and better templates.";
    if (qualityRating === "RED") return problem(seen, `${fix} If it stays so, Meta lowers the limit.`);
    if (qualityRating === "YELLOW") return warning(seen, fix);
    return ok(seen);
  });
}

export function judgeHealth(facts: NumberFacts): Verdict {
  return judge(facts.health, (number) => {
    const health = number.canSend;
    if (health === null) return skipped("Meta does not tell it for this number.");
    const errors = errorsOf(facts, number).filter(({ code }) => !isPayment(code));
    const notes = health.entities.flatMap(({ type, notes }) =>
      notes.map((note) => `${ENTITIES[type] ?? type}: ${cut(note)}`),
    );
    if (health.state === "AVAILABLE") return ok("Meta lets it send.");
    const [first] = errors;
    if (first === undefined && errorsOf(facts, number).length > 0) return ok(`${health.state}, for payment only.`);
    const seen = [`${health.state}.`, ...errors.map(say), ...notes].join(" ");
    const fix =
      (first === undefined ? null : (meaningOf(first.code ?? -1)?.fix ?? cut(first.solution))) ??
      "In WhatsApp Manager, open Account quality and Business settings, which say what is missing.";
    return health.state === "BLOCKED" ? problem(seen, fix) : warning(seen, fix);
  });
}

export function judgePayment(facts: NumberFacts): Verdict {
  return judge(facts.health, (number) => {
    if (number.canSend === null) return skipped("Meta does not tell it for this number.");
    const [error] = errorsOf(facts, number).filter(({ code }) => isPayment(code));
    if (error === undefined) return ok("Meta reports no trouble; more it does not tell.");
    return problem(say(error), meaningOf(error.code ?? -1)?.fix ?? cut(error.solution) ?? "");
  });
}

type HealthError = MessagingHealth["entities"][number]["errors"][number] & { readonly entity: string };

/** The number's, and what only its account knows. */
function errorsOf({ account }: NumberFacts, number: NumberHealth): readonly HealthError[] {
  const ofAccount = "known" in account ? account.known.canSend : null;
  const all = [...(number.canSend?.entities ?? []), ...(ofAccount?.entities ?? [])].flatMap(({ type, errors }) =>
    errors.map((error) => ({ ...error, entity: type })),
  );
  return all.filter(
    (error, i) => all.findIndex(({ entity, code }) => entity === error.entity && code === error.code) === i,
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  PHONE_NUMBER: "Number",
  WABA: "Account",
  BUSINESS: "Business",
  APP: "App",
  MESSAGE_TEMPLATE: "Template",
};

function say({ entity, code, description }: HealthError): string {
  const words = meaningOf(code ?? -1)?.says ?? cut(description) ?? "Meta does not say why";
  return `${ENTITIES[entity] ?? entity}: ${words.replace(/\.$/, "")}${code === null ? "" : ` (code ${code})`}.`;
}

function cut(sentence: string | null): string | null {
  return sentence === null || sentence.length <= LONGEST_SENTENCE
    ? sentence
    : `${sentence.slice(0, LONGEST_SENTENCE - 1)}…`;
}
