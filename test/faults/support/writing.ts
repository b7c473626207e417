/** Load for as long as a fault lasts. */
import { setTimeout as pause } from "node:timers/promises";
import type { Stage } from "./stage.ts";

/** Meta lets so many answers to one person leave at once, and then one every so often: who writes more waits for minutes. */
const AT_ONCE = 30;
const THEN_EVERY_MS = 6_000;

/** Everybody writes, each the next message once the one before was acknowledged, until it is enough. */
export function startWriting(
  stage: Stage,
  people: readonly number[],
  between: () => Promise<unknown>,
): { stop(): Promise<unknown> } {
  let goesOn = true;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const everybody = Promise.all(
    people.map(async (person) => {
      for (let written = 1; goesOn; written++) {
        await stage.write(person);
        await between();
        if (written >= AT_ONCE) await Promise.race([ended, pause(THEN_EVERY_MS)]);
      }
    }),
  );
  return {
    stop() {
      goesOn = false;
      end();
      return everybody;
    },
  };
}

export function peopleFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}
