/** `npm run test:faults -- --seeds 20 --only F4 --from 7`: the experiments of docs/faults.md, each with many seeds, in full size. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { misused, readArguments } from "./read-arguments.ts";

type Run = { readonly title: string; readonly status: "passed" | "failed" | "pending" | "skipped" };
type Report = {
  readonly testResults: readonly { readonly assertionResults: readonly Run[]; readonly message: string }[];
};

const USAGE = `npm run test:faults -- --seeds 20                    every experiment, full size
npm run test:faults -- --seeds 20 --only F4 --from 7  seeds 7 to 26 of F4 (docs/faults.md names them all)
npm run test:faults -- --speed 0.5                    on a machine of half the speed (\`npm run bench turns\` says it)
npm run test:faults -- --size small                   as small as \`npm test\` runs them`;
const values = readArguments({ seeds: "3", only: null, from: "1", size: "full", speed: "1" }, USAGE);
for (const name of ["seeds", "from"] as const)
  if (!/^[1-9]\d*$/.test(values[name])) misused(`--${name} ${values[name]}: a whole number, 1 or more.`, USAGE);
if (values.size !== "full" && values.size !== "small") misused(`--size ${values.size}: full or small.`, USAGE);
if (!(Number(values.speed) > 0)) misused(`--speed ${values.speed}: a number above 0, 1 for the usual speed.`, USAGE);
const folder = mkdtempSync(join(tmpdir(), "omniops-faults-"));
const outputFile = join(folder, "report.json");
// A trailing space: F4 is not F4b.
const only = values.only === null ? "^F[0-9]" : `^${values.only} `;
const files = readdirSync("test/faults")
  .map((name) => `test/faults/${name}`)
  .filter((path) => path.endsWith(".test.ts"))
  .filter((path) => values.only === null || readFileSync(path, "utf8").includes(`"${values.only}"`));
if (files.length === 0) misused(`No experiment is named ${values.only}: docs/faults.md has them all.`, USAGE);
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${outputFile}`];
const { status } = spawnSync("npx", ["vitest", "run", "--project", "postgres", ...files, "-t", only, ...reporters], {
  stdio: "inherit",
  env: {
    ...process.env,
    NODE_OPTIONS: "--unhandled-rejections=strict",
    FAULT_SIZE: values.size,
    FAULT_SPEED: values.speed,
    FAULT_SEEDS: values.seeds,
    FAULT_SEED: values.from,
  },
});
const report = JSON.parse(readFileSync(outputFile, "utf8")) as Report;
rmSync(folder, { recursive: true });
console.log(summarize(report.testResults.flatMap(({ assertionResults }) => assertionResults)).join("\n"));
process.exit(status ?? 1);

/** One line per experiment: how many seeds have passed, and which have not. */
function summarize(runs: readonly Run[]): readonly string[] {
  const experiments = new Map<string, { readonly seed: string; readonly status: Run["status"] }[]>();
  for (const { title, status } of runs) {
    const [, name, seed] = title.match(/^(F\d.*) \(FAULT_SEED=(\d+)/) ?? [];
    if (name === undefined || seed === undefined) continue;
    const asked = values.only === null || name.startsWith(`${values.only} `);
    if (asked) experiments.set(name, [...(experiments.get(name) ?? []), { seed, status }]);
  }
  return [...experiments].sort(byNumber).map(([name, seeds]) => {
    const of = (...wanted: readonly Run["status"][]) => seeds.filter(({ status }) => wanted.includes(status));
    const failed = of("failed").map(({ seed }) => seed);
    const skipped = of("pending", "skipped").length;
    return [
      `${failed.length === 0 ? "ok  " : "FAIL"} ${String(of("passed").length).padStart(3)} of ${seeds.length}  ${name}`,
      ...(failed.length > 0 ? [`; failed with ${failed.join(", ")}`] : []),
      ...(skipped > 0 ? [`; ${skipped} not run here`] : []),
    ].join("");
  });
}

function byNumber([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10) || a.localeCompare(b);
}
