/** When a webhook of a replay is posted, and how old it is then. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { objectOf, parsed } from "../../../qa/lossless-json.ts";
import type { Post } from "../../../qa/plan-posts.ts";
import { createReplayClock, type Timing } from "../../../qa/replay-clock.ts";

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn(async () => undefined) }));

const NOW = new Date("2026-11-27T08:00:00Z");

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.mocked(sleep).mockClear();
});
afterEach(() => void vi.useRealTimers());

const post = (atMs: number, timestamp: number): Post => ({
  fixtures: [],
  atMs,
  json: { timestamp: String(timestamp) },
});
const POSTS = [post(5_000, 1_700_000_000), post(15_000, 1_700_000_007)];

it.each<[Timing, readonly number[]]>([
  ["original", [10_000]],
  [10, [1_000]],
  [0.5, [20_000]],
  ["none", []],
])("with the timing %s its pauses are the recording's, so many times shorter, or none", async (timing, pauses) => {
  const clock = createReplayClock(timing, POSTS);
  const { signal } = new AbortController();

  for (const one of POSTS) await clock.until(one, signal);

  expect(vi.mocked(sleep).mock.calls).toEqual(pauses.map((ms) => [ms, undefined, { signal }]));
});

/** How long after it was written each is posted, in seconds, while the clock goes on as it would. */
async function agesOf(timing: Timing, posts: readonly Post[]): Promise<readonly number[]> {
  vi.mocked(sleep).mockImplementation((async (ms: number) => vi.advanceTimersByTime(ms)) as typeof sleep);
  const clock = createReplayClock(timing, posts);
  const ages: number[] = [];
  for (const one of posts) {
    await clock.until(one, undefined);
    const { timestamp } = objectOf(parsed(clock.bytesOf(one, one.json)));
    ages.push(Math.floor(Date.now() / 1000) - Number(timestamp));
  }
  return ages;
}

const DAY = 86_400;
const DAYS = [0, 1, 2].map((day) => post(day * DAY * 1000, 1_700_000_000 + day * DAY));

it.each<[Timing]>([["original"], [10], [86_400]])(
  "with the timing %s what came at once comes at once, also after days",
  async (timing) => {
    expect(await agesOf(timing, DAYS)).toEqual([0, 0, 0]);
  },
);

it("what was late then is late now", async () => {
  const late = post(3 * DAY * 1000, 1_700_000_000 + DAY);

  expect(await agesOf(86_400, [...DAYS, late])).toEqual([0, 0, 0, 2 * DAY]);
});

it("without pauses each is as if it had just been written", async () => {
  expect(await agesOf("none", POSTS)).toEqual([0, 0]);
});
