/** Catching up with a number: at once, until nothing waits, and again later when it fails. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createCatchUp } from "../../../plugin/pipeline/catch-up.ts";

const EVERY_MS = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param found what each step finds, one after the other: a number, none, or a database that is away. */
function setUp(...found: readonly (boolean | Error)[]) {
  const did: string[] = [];
  const left = [...found];
  const catchUp = createCatchUp({
    inbox: {
      async catchUp() {
        did.push("step");
        const next = left.shift() ?? false;
        if (next instanceof Error) throw next;
        return next;
      },
    },
    log: { warn: (_fields: object, message: string) => void did.push(message) },
    everyMs: EVERY_MS,
    onQueued: () => void did.push("queued"),
  });
  return { catchUp, did };
}

describe("catching up", () => {
  it("begins when a number is connected, goes on until nothing waits, and wakes the worker after each step", async () => {
    const { catchUp, did } = setUp(true, true, false);
    catchUp.start();

    catchUp.kick();
    catchUp.kick();
    await vi.advanceTimersByTimeAsync(0);

    expect(did).toEqual(["step", "queued", "step", "queued", "step"]);
    await catchUp.stop(1_000);
  });

  it("is gone on with at the next poll where it failed, or somebody else began it", async () => {
    const { catchUp, did } = setUp(new TypeError("away"), true);
    catchUp.start();
    catchUp.kick();
    await vi.advanceTimersByTimeAsync(0);
    expect(did).toEqual(["step", expect.stringMatching(/trying again$/)]);

    await vi.advanceTimersByTimeAsync(EVERY_MS);

    expect(did.slice(2)).toEqual(["step", "queued", "step"]);
    await catchUp.stop(1_000);
  });

  it("takes no further step once it is stopped, and none by itself where it was never started", async () => {
    const { catchUp, did } = setUp(true, true);
    catchUp.kick();
    await catchUp.step();
    expect(did).toEqual(["step", "queued"]);

    catchUp.start();
    catchUp.kick();
    await catchUp.stop(1_000);
    await vi.advanceTimersByTimeAsync(EVERY_MS);

    expect(did).toEqual(["step", "queued", "step", "queued"]);
  });
});
