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

it("with pauses all times move by one step, without them each is as if it had just been written", () => {
  const seconds = NOW.getTime() / 1000;
  const times = (timing: Timing) => {
    const clock = createReplayClock(timing, POSTS);
    return POSTS.map(({ json }) => Number(objectOf(parsed(clock.bytesOf(json))).timestamp) - seconds);
  };

  expect(times("original")).toEqual([-7, 0]);
  expect(times("none")).toEqual([0, 0]);
});
