/** F24: the disk of Postgres is full for a while. */
import { expect, it } from "vitest";
import type { OnFinished } from "./support/experiment.ts";
import { message } from "./support/messages.ts";
import { createRandom } from "./support/random.ts";
import { startOnSmallDisk } from "./support/small-disk.ts";
import { startStage } from "./support/stage.ts";

/** What is stored of one takes some pages of its own. */
const LONG = "all work and no play ".repeat(190);

it("F24 while the disk is full webhooks are answered 503 and nobody ends; afterwards everything goes on by itself", {
  timeout: 180_000,
}, async ({ onTestFinished, skip }) => {
  const onFinished: OnFinished = (clean) =>
    onTestFinished(async () => {
      await clean();
    });
  const disk = await startOnSmallDisk(onFinished);
  if (disk === null) return skip("this user may not mount a disk of its own");
  const stage = await startStage(createRandom(1), onFinished, { postgres: disk, workers: 2 });
  for (const person of [1, 2, 3]) await stage.write(person);
  await stage.settle();

  await disk.fill();
  const answers = new Set<number | null>();
  const stored: string[] = [];
  // What is free inside of pages is used up first.
  for (let n = 1; n <= 500 && stage.answers.filter((answer) => answer === 503).length < 20; n++) {
    const wamid = `wamid.P4N${n}`;
    const answer = await stage.post(message({ person: 4, wamid, text: `${n} ${LONG}` }));
    answers.add(answer);
    if (answer === 200) stored.push(wamid);
  }
  expect([...answers].filter((answer) => answer !== 200)).toEqual([503]);

  await disk.empty();
  stage.acknowledged.push(...stored.map((wamid) => ({ person: "4", wamid })));
  for (const person of [1, 2, 3]) await stage.write(person);
  await stage.check();
});
