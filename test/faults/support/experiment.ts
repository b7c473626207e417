/** One fault as tests, one per seed: `npm run test:faults -- --seeds 20 --only F4`. A failure names its seed. */
import { it } from "vitest";
import { createRandom, type Random } from "./random.ts";

const seeds = Number(process.env.FAULT_SEEDS ?? 1);
const first = Number(process.env.FAULT_SEED ?? 1);

/** Called when the experiment is over, last one first. */
export type OnFinished = (clean: () => Promise<unknown> | unknown) => void;

/**
 * @param passes the pass line, as a sentence.
 */
export function experiment(
  fault: string,
  passes: string,
  timeout: number,
  run: (random: Random, onFinished: OnFinished) => Promise<void>,
): void {
  for (let seed = first; seed < first + seeds; seed++)
    it(`${fault} ${passes} (FAULT_SEED=${seed} FAULT_SEEDS=1)`, { timeout }, ({ onTestFinished }) =>
      run(createRandom(seed), (clean) =>
        onTestFinished(async () => {
          await clean();
        }),
      ),
    );
}
