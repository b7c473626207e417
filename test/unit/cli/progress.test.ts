/** What a person sees while long work goes on: how far it is, on a terminal only, and nothing of it afterwards. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { showingProgress } from "../../../cli/progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
}

it("says how far it is and for how long it has gone on, and takes the line away", async () => {
  const stream = terminal(true);
  let finish = () => {};
  const done = showingProgress(
    "Reading again",
    (tell) => {
      tell(3, 40);
      return new Promise<string>((resolve) => {
        finish = () => resolve("read");
      });
    },
    stream,
  );

  await vi.advanceTimersByTimeAsync(2_100);
  finish();

  expect(await done).toBe("read");
  expect(stream.written.at(-2)).toBe("\r\u001b[2KReading again… 3 of 40, 2 s");
  expect(stream.written.at(-1)).toBe("\r\u001b[2K");
  expect(vi.getTimerCount()).toBe(0);
});

it("is drawn by work that never waits, as often as is worth it", async () => {
  const stream = terminal(true);

  await showingProgress(
    "Checking",
    async (tell) => {
      for (let done = 1; done <= 10; done++) {
        vi.setSystemTime(Date.now() + 150);
        tell(done, 10);
      }
    },
    stream,
  );

  expect(stream.written).toEqual([
    "\r\u001b[2KChecking… 3 of 10, 0 s",
    "\r\u001b[2KChecking… 5 of 10, 0 s",
    "\r\u001b[2KChecking… 7 of 10, 1 s",
    "\r\u001b[2KChecking… 9 of 10, 1 s",
    "\r\u001b[2K",
  ]);
});

it("is silent where it is soon over, and in a pipe", async () => {
  const [soon, pipe] = [terminal(true), terminal(false)];

  await showingProgress("Looking", async () => {}, soon);
  const later = showingProgress("Looking", () => new Promise<void>((resolve) => setTimeout(resolve, 5_000)), pipe);
  await vi.advanceTimersByTimeAsync(6_000);
  await later;

  expect([soon.written, pipe.written]).toEqual([[], []]);
});

it("takes the line away when the work fails, and hands the failure on", async () => {
  const stream = terminal(true);
  const failing = showingProgress(
    "Looking",
    () => new Promise<void>((_, reject) => setTimeout(() => reject(new Error("away")), 1_000)),
    stream,
  ).catch((error: Error) => error.message);

  await vi.advanceTimersByTimeAsync(1_000);

  expect(await failing).toBe("away");
  expect(stream.written.at(-1)).toBe("\r\u001b[2K");
});
