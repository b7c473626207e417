/** `npm run test:mutations -- --only "at most one"`: breaks each rule in a copy of the checkout, and sees the suite notice. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { MUTATIONS, type Mutation } from "../test/mutations/mutations.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const chosen = MUTATIONS.filter(({ rule }) => rule.includes(values.only));
if (chosen.length === 0) {
  console.error(`No rule holds "${values.only}". The rules:\n${MUTATIONS.map(({ rule }) => `  ${rule}`).join("\n")}`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), "mutations-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const file of execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0").filter(Boolean)) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  cpSync(file, join(copy, file));
}
symlinkSync(join(process.cwd(), "node_modules"), join(copy, "node_modules"));

const whole = run([...new Set(chosen.flatMap(({ tests }) => tests))]);
if (whole.failed > 0 || whole.passed === 0) {
  console.error("The tests fail before anything is broken: mend that first.");
  process.exit(1);
}
let unnoticed = 0;
for (const mutation of chosen) {
  const { failed } = runBroken(mutation);
  // A file that does not load has no test that failed: that notices nothing.
  const isNoticed = failed > 0;
  if (!isNoticed) unnoticed += 1;
  console.log(`${isNoticed ? "noticed" : "NOT NOTICED"}: ${mutation.rule}`);
}
console.log(`\n${chosen.length - unnoticed} of ${chosen.length} noticed`);
process.exit(unnoticed === 0 ? 0 : 1);

function runBroken({ file, find, replace, tests }: Mutation) {
  const path = join(copy, file);
  const sound = readFileSync(path, "utf8");
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  );
  try {
    return run(tests);
  } finally {
    writeFileSync(path, sound);
  }
}

function run(tests: readonly string[]): { readonly failed: number; readonly passed: number } {
  const results = join(copy, "results.json");
  rmSync(results, { force: true });
  spawnSync("npx", ["vitest", "run", "--bail=1", "--reporter=json", `--outputFile=${results}`, ...tests], {
    cwd: copy,
    stdio: "ignore",
  });
  const { numFailedTests: failed, numPassedTests: passed } = JSON.parse(readFileSync(results, "utf8")) as {
    readonly numFailedTests: number;
    readonly numPassedTests: number;
  };
  return { failed, passed };
}
