/** One fault as tests, one per seed: `npm run test:faults -- --seeds 20 --only F4`. A failure names its seed. */
import { it } from "vitest";
import { createRandom, type Random } from "./random.ts";

/** Undefined in `npm test`. */
const asked = process.env.FAULT_SEEDS;
const first = Number(process.env.FAULT_SEED ?? 1);

/** By hand an experiment is as large as its pass line says; in `npm test` it has the same shape and less of everything. */
export const isFull = process.env.FAULT_SIZE === "full";

/** Called when the experiment is over, last one first. */
export type OnFinished = (clean: () => Promise<unknown> | unknown) => void;

export type ExperimentOptions = {
  readonly timeoutMs: number;
  /** Runs alone: it loads the machine. Others, which mostly wait, run beside each other. */
  readonly alone?: boolean;
  /** With how many seeds it is in `npm test`; default 3, 0: by hand only. All with three would take longer than a gate may. */
  readonly seeds?: number;
};

/**
 * @param passes the pass line, as a sentence.
 * @param run `skip` is for what this machine does not allow.
 */
export function experiment(
  fault: string,
  passes: string,
  { timeoutMs, alone = false, seeds: usual = 3 }: ExperimentOptions,
  run: (random: Random, onFinished: OnFinished, skip: (why: string) => never) => Promise<void>,
): void {
  const seeds = asked === undefined ? usual : Number(asked);
  if (seeds === 0) it.skip(`${fault} ${passes} (by hand)`);
  for (let seed = first; seed < first + seeds; seed++)
    (alone ? it : it.concurrent)(
      `${fault} ${passes} (FAULT_SEED=${seed} FAULT_SEEDS=1)`,
      { timeout: timeoutMs },
      ({ onTestFinished, skip }) =>
        run(
          createRandom(seed),
          (clean) =>
            onTestFinished(async () => {
              await clean();
            }),
          skip,
        ),
    );
}
