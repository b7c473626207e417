/** F24: the disk of Postgres is full for a while. */
import { expect } from "vitest";
import { experiment } from "./support/experiment.ts";
import { message } from "./support/messages.ts";
import type { Random } from "./support/random.ts";
import { startOnSmallDisk } from "./support/small-disk.ts";
import { startStage } from "./support/stage.ts";

/** Twenty long texts that cannot be compressed. */
function delivery(n: number, random: Random): { readonly wamids: readonly string[]; readonly payload: object } {
  const texts = Array.from({ length: 20 }, (_, i) => ({
    person: 4,
    wamid: `wamid.P4N${n}.${i}`,
    text: Array.from({ length: 400 }, () => random().toString(36).slice(2, 12)).join(""),
  }));
  return { wamids: texts.map(({ wamid }) => wamid), payload: message(...texts) };
}

// It fills and frees a disk for minutes: by hand only.
experiment(
  "F24",
  "while the disk is full webhooks are answered 503 and nobody ends; afterwards everything goes on by itself",
  { timeoutMs: 180_000, alone: true, seeds: 0 },
  async (random, onFinished, skip) => {
    const disk = await startOnSmallDisk(onFinished);
    if (disk === null) return skip("this user may not mount a disk of its own");
    const stage = await startStage(random, onFinished, { postgres: disk, workers: 2 });
    for (const person of [1, 2, 3]) await stage.write(person);
    await stage.settle();

    await disk.fill();
    const answers = new Set<number | null>();
    const stored: string[] = [];
    // What is free inside of pages is used up first.
    for (let n = 1; n <= 300 && stage.refusals.length < 20; n++) {
      const { wamids, payload } = delivery(n, random);
      const answer = await stage.post(payload);
      answers.add(answer);
      if (answer === 200) stored.push(...wamids);
    }
    expect([...answers].filter((answer) => answer !== 200)).toEqual([503]);

    await disk.empty();
    stage.acknowledged.push(...stored.map((wamid) => ({ person: "4", wamid })));
    for (const person of [1, 2, 3]) await stage.write(person);
    await stage.check();
  },
);
