/** `npm run test:faults -- --seeds 20 --only F4 --from 7`: the experiments of docs/faults.md, each with many seeds, in full size. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    only: { type: "string" },
    from: { type: "string", default: "1" },
    size: { type: "string", default: "full" },
  },
});
// A trailing space: F4 is not F4b.
const only = values.only === undefined ? [] : ["-t", `^${values.only} `];
const { status } = spawnSync("npx", ["vitest", "run", "--project", "postgres", "test/faults", ...only], {
  stdio: "inherit",
  env: {
    ...process.env,
    NODE_OPTIONS: "--unhandled-rejections=strict",
    FAULT_SIZE: values.size,
    FAULT_SEEDS: values.seeds,
    FAULT_SEED: values.from,
  },
});
process.exit(status ?? 1);
