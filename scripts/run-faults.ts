/** `npm run test:faults -- --seeds 20 --only F4 --from 7`: the experiments of docs/faults.md, each with many seeds, in full size. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

type Run = { readonly title: string; readonly status: "passed" | "failed" | "pending" | "skipped" };
type Report = {
  readonly testResults: readonly { readonly assertionResults: readonly Run[]; readonly message: string }[];
};

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    only: { type: "string" },
    from: { type: "string", default: "1" },
    size: { type: "string", default: "full" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "omniops-faults-"));
const outputFile = join(folder, "report.json");
// A trailing space: F4 is not F4b.
const only = values.only === undefined ? "^F[0-9]" : `^${values.only} `;
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${outputFile}`];
const { status } = spawnSync(
  "npx",
  ["vitest", "run", "--project", "postgres", "test/faults", "-t", only, ...reporters],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      NODE_OPTIONS: "--unhandled-rejections=strict",
      FAULT_SIZE: values.size,
      FAULT_SEEDS: values.seeds,
      FAULT_SEED: values.from,
    },
  },
);
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
    const asked = values.only === undefined || name.startsWith(`${values.only} `);
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
