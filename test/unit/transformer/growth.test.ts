/**
 * X9: twice the text costs at most 2.3 times the work, for texts made to be slow.
 *
 * Work is counted, not timed: the engine's own coverage says how often each block of ours and of the parser ran, which
 * is the same on a busy machine. What it cannot see is work inside the engine (a regular expression, a copied string),
 * so the processor's time is compared too, with room for noise: four times the text in at most ten times of it, best of many runs.
 * Up to 18 KiB the parser does most of the work; at 64 KiB most of these texts have more marks than it is asked to read.
 */
import { Session } from "node:inspector/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";

const SIZES = [9 * 1024, 64 * 1024];
const MOST_WORK_PER_DOUBLING = 2.3;
const MOST_TIME_PER_QUADRUPLING = 10;
/** Below this the clock measures the garbage collector. */
const NEGLIGIBLE_MS = 10;

const session = new Session();

function filled(unit: string): (size: number) => string {
  return (size) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

const CASES: Readonly<Record<string, (size: number) => string>> = {
  ...Object.fromEntries(
    [
      "*",
      "_",
      "~",
      "[",
      "`",
      ">",
      "\\",
      "a*",
      "*a_",
      "**a** ",
      "![",
      "[a](",
      "*_~",
      "> ",
      "1. ",
      "- ",
      "<!-- ",
      "http://",
      "$",
      "$a ",
      "\\(",
      "$x=$ ",
      "<b>",
      "<b></i>",
      "```a b\n",
      "a: ```sh\n",
      "a: ```sh\nb\n",
      "```\n``` a\n",
      "a\n    ````\n",
      "- a ```\n  ```\n",
    ].map((unit) => [`a run of ${unit}`, filled(unit)]),
  ),
  "nested formulas": (size) => `$${"\\frac{".repeat(size / 12)}${"}".repeat(size / 12)}$ `.repeat(2),
  "white space": (size) => `a${" ".repeat(size)}b`,
  "nested parentheses": (size) => `[a](${"(".repeat(size / 2)}${")".repeat(size / 2)})`,
  "nested brackets": (size) => "[".repeat(size / 2) + "]".repeat(size / 2),
  "nested images": (size) => `${"![".repeat(size / 6)}a${"](b)".repeat(size / 6)}`,
  "nested emphasis": (size) => `${"*a ".repeat(size / 6)}${"b*".repeat(size / 6)}`,
  "emphasis over many lines": (size) => "**a\n".repeat(size / 8) + "b**\n".repeat(size / 8),
  "code spans of every length": (size) => {
    let text = "";
    for (let length = 1; text.length < size; length += 1) text += `${"`".repeat(length)} `;
    return text;
  },
  "nested lists": (size) => {
    let text = "";
    for (let depth = 0; text.length < size; depth += 1) text += `${"  ".repeat(depth)}- a\n`;
    return text;
  },
  "a deep quote with lazy lines": (size) => `${">".repeat(30)}a\n${"a\n".repeat(size / 2)}`,
  "a long table": (size) => `|a|b|\n|-|-|\n${"|x|y|\n".repeat(size / 6)}`,
  "a table with a row beyond its heading": (size) =>
    `|a|b|\n|-|-|\n${"|x".repeat(size / 4)}\n${"|`x|y`|\n".repeat(size / 16)}`,
  "a wide table": (size) => `${"|a".repeat(size / 4)}\n${"|-".repeat(size / 4)}`,
  "one word with endless accents": (size) => `e${"\u0301".repeat(size)}`,
};

async function workOf(text: string): Promise<number> {
  await session.post("Profiler.takePreciseCoverage");
  transformResponse(text);
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const scripts = result.filter(({ url }) => url.includes("plugin/transformer/") || url.includes("markdown-it"));
  const blocks = scripts.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges));
  return blocks.reduce((sum, { count }) => sum + count, 0);
}

/** The processor's time, in milliseconds: waiting for a processor that others have is not work. */
function timeOf(text: string): number {
  const start = process.cpuUsage();
  transformResponse(text);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function bestTimeGrowth(small: string, large: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 10 && best > MOST_TIME_PER_QUADRUPLING; attempt += 1) {
    const runs = [1, 2, 3].map(() => ({ small: timeOf(small), large: timeOf(large) }));
    const smallMs = Math.min(...runs.map((run) => run.small));
    const largeMs = Math.min(...runs.map((run) => run.large));
    best = Math.min(best, largeMs < NEGLIGIBLE_MS ? 1 : largeMs / smallMs);
  }
  return best;
}

describe("the work to transform", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  });
  afterAll(() => session.disconnect());

  describe.each(SIZES)("from %i to twice as many characters", (size) => {
    it.each(Object.entries(CASES))("X9 grows no faster than the text for %s", async (_name, make) => {
      const small = await workOf(make(size));
      const large = await workOf(make(2 * size));

      expect(small).toBeGreaterThan(0);
      expect(large / small).toBeLessThanOrEqual(MOST_WORK_PER_DOUBLING);
    });
  });
});

describe("the time to transform", { timeout: 60_000 }, () => {
  describe.each(SIZES)("from %i to four times as many characters", (size) => {
    it.each(Object.entries(CASES))("X9 does not explode for %s", (_name, make) => {
      expect(bestTimeGrowth(make(size), make(4 * size))).toBeLessThanOrEqual(MOST_TIME_PER_QUADRUPLING);
    });
  });
});
