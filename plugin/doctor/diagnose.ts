/** Facts → findings, in the order in which a message depends on what they check. Pure. */
import { type Asked, type DoctorFacts, isGone, isUnproven, judge, type NumberFacts } from "./facts.ts";
import {
  type CheckId,
  check,
  type Diagnosis,
  type Finding,
  ok,
  problem,
  safely,
  type Verdict,
  warning,
} from "./finding.ts";
import { isSecretRefused, judgeApp } from "./judge-app.ts";
import { judgeHealth, judgeName, judgePayment, judgeQuality, judgeRegistration } from "./judge-number.ts";
import { judgeOverride, judgeSubscription } from "./judge-routes.ts";
import { judgeSetup } from "./judge-setup.ts";
import { judgeExpiry, judgeToken } from "./judge-token.ts";
import {
  judgeClocks,
  judgeConnection,
  judgeQueue,
  judgeReceived,
  judgeSent,
  judgeTemplates,
  judgeUnrouted,
  judgeWebhooks,
} from "./judge-traffic.ts";
import { count } from "./say.ts";

export function diagnose(facts: DoctorFacts): Diagnosis {
  const numbers = "known" in facts.numbers ? facts.numbers.known.numbers : [];
  const checks = [
    ...judgeSetup(facts),
    ...judgeApp(facts),
    check("numbers", () => judgeNumbers(facts)),
    ...numbers.flatMap((number) => judgeNumber(facts, number)),
    check("webhooks", () => judgeWebhooks(facts)),
    check("unrouted", () => judgeUnrouted(facts)),
    check("queue", () => judgeQueue(facts)),
    check("clock", () => judgeClocks(facts)),
  ];
  return { healthy: checks.every(({ state }) => state !== "problem"), checks };
}

function judgeNumbers({ numbers }: DoctorFacts): Verdict {
  if ("failed" in numbers || ("skipped" in numbers && numbers.skipped === "late"))
    return problem(
      `They cannot be read. ${"failed" in numbers ? numbers.failed : "The database does not answer in time."}`,
      "Look for a lock or a long transaction on whatsapp_connections; the database user must be allowed to read it.",
    );
  return judge(numbers, ({ numbers: looked, more }) => {
    if (looked.length === 0)
      return warning("None is connected.", 'Press "Connect WhatsApp" on the integrations page, or call connect().');
    if (more > 0)
      return warning(
        `${count(looked.length + more, "number")}; the ${looked.length} eldest are looked at.`,
        "Ask for one tenant: whatsapp-channel doctor --tenant <id>.",
      );
    return ok(`${count(looked.length, "number")}.`);
  });
}

function judgeNumber(facts: DoctorFacts, gathered: NumberFacts): readonly Finding[] {
  const id = gathered.number.phoneNumberId;
  const proven = isSecretRefused(facts) ? blame(gathered, "app", isUnproven) : gathered;
  const token = safely(() => judgeToken(facts, proven));
  const seen = token.state === "problem" ? blame(proven, "token", isFailed) : proven;
  const registration = safely(() => judgeRegistration(seen));
  // What a number has that is not there is said once.
  const number = isGone(seen.health) ? { ...seen, health: { skipped: "registration" as const } } : seen;
  return [
    check("connection", () => judgeConnection(number), id),
    check("token", () => token, id),
    check("token-expiry", () => judgeExpiry(facts, number), id),
    check("subscription", () => judgeSubscription(facts, number), id),
    check("override", () => judgeOverride(facts, number), id),
    check("registration", () => registration, id),
    check("name", () => judgeName(number), id),
    check("quality", () => judgeQuality(number), id),
    check("health", () => judgeHealth(number), id),
    check("payment", () => judgePayment(number), id),
    check("templates", () => judgeTemplates(facts, number), id),
    check("received", () => judgeReceived(facts, number), id),
    check("sent", () => judgeSent(facts, number), id),
  ];
}

const isFailed = (asked: Asked<unknown>) => "failed" in asked;

/** With a secret or a token that is no good, whatever could not be asked is its fault, which is said once. */
function blame(number: NumberFacts, because: CheckId, is: (asked: Asked<unknown>) => boolean): NumberFacts {
  const blamed = <T>(asked: Asked<T>): Asked<T> => (is(asked) ? { skipped: because } : asked);
  const { token, subscriptions, health, account } = number;
  return {
    ...number,
    token: because === "app" ? { skipped: because } : token,
    subscriptions: blamed(subscriptions),
    health: blamed(health),
    account: blamed(account),
  };
}
