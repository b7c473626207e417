/** What really came and went: the last of each, what went to nobody, what lies about. */
import { type DoctorFacts, judge, type NumberFacts, notAsked } from "./facts.ts";
import { ok, problem, skipped, type Verdict, warning } from "./finding.ts";
import { meaningOf } from "./meta-codes.ts";
import { ago, count, list, span, suffix } from "./say.ts";

const MOST_COUNTED = 10_000;
/** Work that nobody has taken for so long is not just busy. */
const LAG_MS = 60_000;
const CLOCK_MS = 60_000;

export function judgeConnection({ number }: NumberFacts): Verdict {
  const seen = `${number.displayPhoneNumber}${number.verifiedName === null ? "" : `, ${number.verifiedName}`}`;
  if (number.state === "reauth_required")
    return problem(
      `${seen}: needs a new token, and sends wait for it.${number.reason === null ? "" : ` ${number.reason}`}`,
      'Press "Connect WhatsApp" again for this number; what waits is then sent.',
    );
  if (number.reason !== null)
    return problem(
      `${seen}: connected, but paused. ${number.reason}`,
      number.reason.includes("META_APP_SECRET")
        ? "In the Meta app, Settings, Basic, copy App Secret once more; sends go on by themselves once Meta accepts one."
        : "Look at the number and its account in WhatsApp Manager; sends go on by themselves once Meta accepts one.",
    );
  return ok(`${seen}: connected.`);
}

export function judgeTemplates({ templates, at }: DoctorFacts, { number }: NumberFacts): Verdict {
  if (number.templatesSyncedAt === null) return ok("Not read from Meta yet; that happens when one is first sent.");
  const read = `Read ${ago(number.templatesSyncedAt, at)}`;
  return judge(templates, (accounts) => {
    const counts = accounts.find(({ wabaId }) => wabaId === number.wabaId)?.counts ?? {};
    const states = Object.entries(counts).map(([state, amount]) => `${amount} ${state.toLowerCase()}`);
    const seen = `${read}: ${states.length === 0 ? "none" : list(states)}.`;
    return (counts.APPROVED ?? 0) > 0
      ? ok(seen)
      : warning(
          `${seen} Without an approved one nothing can be sent once 24 hours have passed.`,
          "In WhatsApp Manager (business.facebook.com/wa/manage), open Message templates, create one and wait for its approval.",
        );
  });
}

export function judgeReceived({ arrivals, at }: DoctorFacts, { number }: NumberFacts): Verdict {
  return judge(arrivals, ({ numbers }) => {
    const mine = numbers.find(({ phoneNumberId }) => phoneNumberId === number.phoneNumberId);
    if (mine === undefined)
      return warning(
        "Nothing for this number among the last 50,000 webhooks.",
        "Write to the number from a phone. If nothing shows here after a minute, mend what else is found, from the top.",
      );
    const message =
      mine.lastMessageAt === null ? "no message among them" : `the last message ${ago(mine.lastMessageAt, at)}`;
    return ok(`${ago(mine.lastAt, at)}, ${message}; ${count(mine.lastDay, "webhook")} in the last day.`);
  });
}

export function judgeSent({ sends, at }: DoctorFacts, { number }: NumberFacts): Verdict {
  return judge(sends, (all) => {
    const mine = all.find(({ connectionId }) => connectionId === number.connectionId);
    const waiting = mine?.waiting ?? 0;
    if (waiting > 0 && number.state === "reauth_required")
      return problem(
        `${count(waiting, "message")} ${waiting === 1 ? "waits" : "wait"} for a new token.`,
        'Press "Connect WhatsApp" again for this number; they are then sent, in order.',
      );
    if (mine?.last == null) return ok(waiting === 0 ? "Nothing yet." : `Nothing yet; ${waiting} waiting.`);
    const seen = `${ago(mine.last.at, at)}: ${mine.last.state}${waiting === 0 ? "" : `; ${waiting} waiting`}.`;
    const { lastFailure: failure } = mine;
    if (failure === null) return ok(seen);
    const known = failure.metaCode === null ? null : meaningOf(failure.metaCode);
    const code = failure.metaCode === null ? (failure.code ?? "unknown") : `Meta's code ${failure.metaCode}`;
    const said = `${seen} Last failure ${ago(failure.at, at)}: ${known === null ? code : `${known.says} (${code})`}.`;
    // What failed before the last one left is over.
    if (mine.last.state !== "failed") return ok(said);
    const fix = known?.fix ?? "Look up the code in Meta's list of Cloud API error codes, or ours in docs/errors.md.";
    return known?.stopsNumber === true ? problem(said, fix) : warning(said, fix);
  });
}

export function judgeWebhooks({ arrivals, at, scope }: DoctorFacts): Verdict {
  return judge(arrivals, ({ last, lastDay, quarantinedLastDay }) => {
    if (last === null)
      return warning(
        "None has ever arrived.",
        "Write to a connected number from a phone. If nothing shows here after a minute, mend what else is found, from the top; see whether deliveries are answered 401 (whatsapp_webhook_answers_total, or the host's access log): then the app secret is another app's.",
      );
    const when = `The last ${ago(last.at, at)}`;
    // How much the others receive is theirs.
    if (scope === "tenant") return ok(`${when}.`);
    const amount =
      lastDay > MOST_COUNTED ? `more than ${MOST_COUNTED.toLocaleString("en")}` : lastDay.toLocaleString("en");
    const seen = `${when}; ${amount} in the last day${last.secretIndex > 0 ? "; signed with the old app secret" : ""}.`;
    if (quarantinedLastDay > 0)
      return warning(
        `${seen} ${count(quarantinedLastDay, "delivery", "deliveries")} could not be read.`,
        "Their bytes are kept: select id, error from whatsapp_webhooks where error like 'quarantined:%'. Report them to the package's authors.",
      );
    return ok(seen);
  });
}

export function judgeUnrouted({ unrouted, at }: DoctorFacts): Verdict {
  return judge(unrouted, (all) => {
    if (all.length === 0) return ok("None in the last week.");
    const said = all.map(
      ({ phoneNumberId, count: amount, lastAt }) =>
        `${amount} for ${phoneNumberId === null ? "no number" : suffix(phoneNumberId)}, the last ${ago(lastAt, at)}`,
    );
    return warning(
      `In the last week, for numbers that nobody has connected: ${said.join("; ")}.`,
      "Connect the number whose id ends so: what has arrived is then taken up. If it is not yours, take this app off its account.",
    );
  });
}

export function judgeQueue({ work }: DoctorFacts): Verdict {
  return judge(work, ({ deadLetters, waitingMs }) => {
    if (waitingMs !== null && waitingMs > LAG_MS)
      return problem(
        `Work has been ready for ${span(waitingMs)}, and nobody takes it.`,
        "Call await whatsapp.start() in a process that stays up, or await whatsapp.tick() from a cron; if one does, look at its log: it is stuck or overloaded.",
      );
    const dead = [
      deadLetters.events > 0 ? count(deadLetters.events, "webhook") : null,
      deadLetters.turns > 0 ? count(deadLetters.turns, "turn") : null,
      deadLetters.hostEvents > 0 ? count(deadLetters.hostEvents, "host event") : null,
    ].filter((one) => one !== null);
    return dead.length === 0
      ? ok("Nothing is late, nothing was given up.")
      : warning(
          `Given up after every try: ${list(dead)}.`,
          "Column last_error of whatsapp_events, whatsapp_turns and whatsapp_host_events (state 2) names the error by its class and code: mostly reply or onEvent threw, and your own log has the rest.",
        );
  });
}

export function judgeClocks({ clocks, database, graph }: DoctorFacts): Verdict {
  const known = [
    { whose: "the database's", ms: clocks.database },
    { whose: "Meta's", ms: clocks.graph },
  ].filter((clock): clock is { readonly whose: string; readonly ms: number } => clock.ms !== null);
  if (known.length === 0) {
    const [because] = [database, graph].flatMap((asked) => ("skipped" in asked ? [asked.skipped] : []));
    return because === undefined ? skipped("No other clock could be read.") : notAsked(because);
  }
  const wrong = known.filter(({ ms }) => Math.abs(ms) > CLOCK_MS);
  if (wrong.length === 0) return ok(`This process and ${list(known.map(({ whose }) => whose))} agree.`);
  return warning(
    wrong
      .map(
        ({ whose, ms }) => `This process's clock is ${span(Math.abs(ms))} ${ms > 0 ? "behind" : "ahead of"} ${whose}.`,
      )
      .join(" "),
    "Set the clocks by NTP: the 24-hour window is told by them.",
  );
}
