/** Facts → findings, in the order in which a message depends on what they check. Pure. */
import { type Asked, type DoctorFacts, judge, type NumberFacts } from "./facts.ts";
import { type Diagnosis, type Finding, finding, ok, type Verdict, warning } from "./finding.ts";
import { judgeApp } from "./judge-app.ts";
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
    finding("numbers", judgeNumbers(facts)),
    ...numbers.flatMap((number) => judgeNumber(facts, number)),
    finding("webhooks", judgeWebhooks(facts)),
    finding("unrouted", judgeUnrouted(facts)),
    finding("queue", judgeQueue(facts)),
    finding("clock", judgeClocks(facts)),
  ];
  return { healthy: checks.every(({ state }) => state !== "problem"), checks };
}

function judgeNumbers({ numbers }: DoctorFacts): Verdict {
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
  const token = judgeToken(facts, gathered);
  const number = token.state === "problem" ? blameToken(gathered) : gathered;
  return [
    finding("connection", judgeConnection(number), id),
    finding("token", token, id),
    finding("token-expiry", judgeExpiry(facts, number), id),
    finding("subscription", judgeSubscription(facts, number), id),
    finding("override", judgeOverride(facts, number), id),
    finding("registration", judgeRegistration(number), id),
    finding("name", judgeName(number), id),
    finding("quality", judgeQuality(number), id),
    finding("health", judgeHealth(number), id),
    finding("payment", judgePayment(number), id),
    finding("templates", judgeTemplates(facts, number), id),
    finding("received", judgeReceived(facts, number), id),
    finding("sent", judgeSent(facts, number), id),
  ];
}

/** With a token that is no good, whatever could not be asked is the token's fault, which is said once. */
function blameToken({ subscriptions, health, account, ...number }: NumberFacts): NumberFacts {
  const blamed = <T>(asked: Asked<T>): Asked<T> => ("failed" in asked ? { skipped: "token" } : asked);
  return { ...number, subscriptions: blamed(subscriptions), health: blamed(health), account: blamed(account) };
}
