/** `npm run test:mutations -- --only "at most one" --part 2/6 --jobs 3`: breaks each rule in a copy of the checkout, and sees the suite notice. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { MUTATIONS, type Mutation } from "../test/mutations/mutations.ts";
import { setup as keepTemporaryFilesInMemory } from "../test/support/scratch.ts";
import { misused, readArguments } from "./read-arguments.ts";

type Verdict = "noticed" | "NOT NOTICED" | "NOT FOUND" | "DID NOT RUN";

type Outcome = { readonly failed: number; readonly passed: number; readonly names: readonly string[] };
/** As Vitest writes them. */
type Results = {
  readonly numFailedTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};

const USAGE = `npm run test:mutations                          every rule
npm run test:mutations -- --only "at most one"  the rules that hold these words
npm run test:mutations -- --part 2/6            the second of six parts
npm run test:mutations -- --jobs 3              three rules at a time, each in a copy of its own
npm run test:mutations -- --baseline no         after a gate that passed: the tests are not run as they are first`;
const values = readArguments({ only: "", part: "1/1", jobs: "1", baseline: "yes" }, USAGE);
if (!/^[1-9]\d*$/.test(values.jobs)) misused(`--jobs ${values.jobs}: a whole number, 1 or more.`, USAGE);
if (!["yes", "no"].includes(values.baseline)) misused(`--baseline ${values.baseline}: yes or no.`, USAGE);
const chosen = choose(values.only, values.part);
keepTemporaryFilesInMemory();
const copies = Array.from({ length: Math.min(Number(values.jobs), chosen.length) }, copyCheckout);
// One for all runs: each would make a cluster of its own, which takes longer than most of them. It ends with this process.
const postgres = await startEmbeddedPostgres({ fsync: false, settings: ["max_connections=400"] });
process.on("exit", () => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

if (values.baseline === "yes") await seeThemPass(copies[0] ?? copyCheckout());
const verdicts: { readonly rule: string; readonly verdict: Verdict }[] = [];
// Shared by the copies: each takes the next rule when it has done one.
const left = chosen.values();
await Promise.all(copies.map(breakWhatIsLeft));
const bad = verdicts.filter(({ verdict }) => verdict !== "noticed");
console.log(`\n${verdicts.length - bad.length} of ${verdicts.length} noticed`);
for (const { rule, verdict } of bad) console.log(`  ${verdict}: ${rule}`);
await end(bad.length === 0 ? 0 : 1);

async function seeThemPass(copy: string): Promise<void> {
  const whole = await run(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
  if (whole.failed === 0 && whole.passed > 0) return;
  console.error(["The tests fail before anything is broken: mend that first.", ...whole.names].join("\n  "));
  await end(1);
}

async function breakWhatIsLeft(copy: string): Promise<void> {
  for (const mutation of left) {
    const { verdict, by } = await judge(copy, mutation);
    // Whoever reads it sees that it was the rule's own test, and none that failed by chance.
    console.log([`${verdict}: ${mutation.rule}`, ...by.map((name) => `  by: ${name}`)].join("\n"));
    verdicts.push({ rule: mutation.rule, verdict });
  }
}

/** Its folder goes with this process: Postgres must be gone by then. */
async function end(code: 0 | 1): Promise<never> {
  await postgres.stop();
  process.exit(code);
}

function choose(only: string, part: string): readonly Mutation[] {
  const [number = 0, parts = 0] = part.split("/").map(Number);
  if (!(number >= 1 && number <= parts)) misused(`--part ${part}: write it as 2/6, the second of six parts.`, USAGE);
  const found = MUTATIONS.filter(({ rule }) => rule.includes(only));
  if (found.length === 0)
    misused(`No rule holds "${only}". The rules:\n${MUTATIONS.map(({ rule }) => `  ${rule}`).join("\n")}`, USAGE);
  const size = Math.ceil(found.length / parts);
  const some = found.slice((number - 1) * size, number * size);
  // Without a file to run, vitest would run them all.
  if (some.length === 0) process.exit(0);
  return some;
}

function copyCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), "mutations-"));
  for (const file of execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(file, join(folder, file));
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  return folder;
}

type Judged = { readonly verdict: Verdict; readonly by: readonly string[] };

async function judge(copy: string, { file, find, replace, tests }: Mutation): Promise<Judged> {
  const path = join(copy, file);
  const sound = readFileSync(path, "utf8");
  // A rule that breaks nothing would be "not noticed" for the wrong reason.
  if (sound.split(find).length !== 2) return { verdict: "NOT FOUND", by: [] };
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  );
  try {
    const { failed, passed, names } = await run(copy, tests);
    // A file that does not load has no test that failed: that notices nothing.
    if (failed + passed === 0) return { verdict: "DID NOT RUN", by: [] };
    return { verdict: failed > 0 ? "noticed" : "NOT NOTICED", by: names };
  } finally {
    writeFileSync(path, sound);
  }
}

async function run(copy: string, tests: readonly string[]): Promise<Outcome> {
  const results = join(copy, "results.json");
  rmSync(results, { force: true });
  const child = spawn("npx", ["vitest", "run", "--bail=1", "--reporter=json", `--outputFile=${results}`, ...tests], {
    cwd: copy,
    env: { ...process.env, DATABASE_URL: postgres.url },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  await once(child, "close");
  if (!existsSync(results)) {
    console.error(Buffer.concat(said).toString());
    return { failed: 0, passed: 0, names: [] };
  }
  const { numFailedTests, numPassedTests, testResults } = JSON.parse(readFileSync(results, "utf8")) as Results;
  const names = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
    .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split("\n")[0] ?? ""}`);
  return { failed: numFailedTests, passed: numPassedTests, names };
}
