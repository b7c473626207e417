/** Configuration, database and Meta's reach: what everything else stands on. */
import { type Asked, type DoctorFacts, judge } from "./facts.ts";
import { check, type Finding, ok, problem, type Verdict, warning } from "./finding.ts";
import { list } from "./say.ts";

export function judgeSetup(facts: DoctorFacts): readonly Finding[] {
  return [
    check("configuration", () => judgeConfiguration(facts)),
    check("database", () => judgeDatabase(facts)),
    check("migrations", () => judgeMigrations(facts)),
    check("host-tables", () => judgeHostTables(facts)),
    check("graph", () => judgeGraph(facts)),
  ];
}

function judgeConfiguration({ configuration: { problems, settings } }: DoctorFacts): Verdict {
  if (settings === null)
    return problem(problems.join(" "), "Set these variables where the host runs, and start it again.");
  const { appId, appUrl, hasLoginConfig, graphIsLocal } = settings;
  const missing = [appId === null ? "META_APP_ID" : null, appUrl === null ? "NEXT_PUBLIC_APP_URL" : null].filter(
    (name) => name !== null,
  );
  if (missing.length > 0)
    return warning(
      `Complete for numbers that are connected with a token; ${list(missing)} ${missing.length === 1 ? "is" : "are"} not set.`,
      `Set ${list(missing)}: the Connect button needs ${missing.length === 1 ? "it" : "them"}, and without ${missing.length === 1 ? "it" : "them"} not everything below can be looked at.`,
    );
  if (appUrl !== null && isOnlyHere(appUrl) && !graphIsLocal)
    return problem(
      `NEXT_PUBLIC_APP_URL is ${appUrl}, which Meta cannot reach.`,
      "Set NEXT_PUBLIC_APP_URL to the public https address of this app; in development, to that of a tunnel.",
    );
  const login = hasLoginConfig ? "" : " META_CONFIG_ID is not set, so people are asked for the classic scopes.";
  return ok(`Complete.${login}`);
}

function judgeDatabase({ database }: DoctorFacts): Verdict {
  if ("failed" in database || isLate(database))
    return problem(
      "failed" in database ? database.failed : "It does not answer in time.",
      "Check that Postgres runs, that DATABASE_URL is right, and that connections are free.",
    );
  return judge(database, () => ok("Answers."));
}

function judgeMigrations({ migrations }: DoctorFacts): Verdict {
  if ("failed" in migrations)
    return problem(
      `They cannot be read. ${migrations.failed}`,
      "Connect as the owner of our tables, or let the host's database user read whatsapp_migrations: by a grant, and by a policy, as row level security hides it from everybody else.",
    );
  return judge(migrations, ({ pending, unknown }) => {
    if (pending.length > 0)
      return problem(
        `Not applied: ${list(pending)}.`,
        "Run: npx whatsapp-channel migrate (with --schema if our tables have one of their own).",
      );
    if (unknown.length > 0)
      return warning(
        `All applied, and ${list(unknown)} by a newer version.`,
        "Bring this process up to the newer version of @omniops/whatsapp too.",
      );
    return ok("All applied.");
  });
}

function judgeHostTables({ hostTables }: DoctorFacts): Verdict {
  return judge(hostTables, (troubles) => {
    if (troubles.length === 0) return ok("Ours to read and write.");
    const seen = troubles.map((trouble) => trouble.seen).join(" ");
    const fix = troubles.map((trouble) => trouble.fix).join(" ");
    return troubles.some(({ isCertain }) => isCertain) ? problem(seen, fix) : warning(seen, fix);
  });
}

function judgeGraph({ graph }: DoctorFacts): Verdict {
  if ("failed" in graph || isLate(graph))
    return problem(
      "failed" in graph ? graph.failed : "It does not answer in time.",
      "Let this machine reach META_GRAPH_URL (https://graph.facebook.com, port 443): a firewall, proxy or DNS is in the way.",
    );
  return judge(graph, () => ok("Answers."));
}

function isOnlyHere(appUrl: string): boolean {
  const { protocol, hostname } = new URL(appUrl);
  return protocol === "http:" || /^localhost$|^127\.|^\[::1\]$|\.(?:local|localhost|internal|test)$/.test(hostname);
}

function isLate(asked: Asked<unknown>): boolean {
  return "skipped" in asked && asked.skipped === "late";
}
