/** Load for as long as a fault lasts. */
import type { Stage } from "./stage.ts";

/** Everybody writes, each the next message once the one before was acknowledged, until it is enough. */
export function startWriting(
  stage: Stage,
  people: readonly number[],
  between: () => Promise<unknown>,
): { stop(): Promise<unknown> } {
  let goesOn = true;
  const everybody = Promise.all(
    people.map(async (person) => {
      while (goesOn) {
        await stage.write(person);
        await between();
      }
    }),
  );
  return {
    stop() {
      goesOn = false;
      return everybody;
    },
  };
}

export function peopleFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}
