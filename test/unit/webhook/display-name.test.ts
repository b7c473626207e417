/** T75, D1: a name cannot turn, hide or flood what a host shows beside it. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { displayName } from "../../../plugin/webhook/display-name.ts";

const numRuns = Number(process.env.FC_RUNS ?? 300);
vi.setConfig({ testTimeout: Math.max(30_000, numRuns * 20) });
const ODD = [
  "\u202e",
  "\u2066",
  "\u200b",
  "\u200d",
  "\ufeff",
  "\n",
  "\u0007",
  "\u2028",
  "\u00ad",
  " ",
  "a",
  "é",
  "👩🏽‍🚀",
  "\u0301",
];

describe("a name that is shown", () => {
  it.each<[string, string | null, string | null]>([
    ["is left alone where it is ordinary", "Ada Q. Übermut-O'Hara", "Ada Q. Übermut-O'Hara"],
    ["keeps its emoji and its joiners", "👩🏽‍🚀 می‌خواهم ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩🏽‍🚀 می‌خواهم ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
    ["cannot turn what follows", "Ada\u202e\u2066 txt.exe\u2069", "Ada txt.exe"],
    ["cannot begin a line of its own", "Ada\r\nSupport:\u2028 hello\tyou", "Ada Support: hello you"],
    ["cannot hide letters", "S\u200bup\u2060port\ufeff", "Support"],
    ["is nobody's when nothing of it can be seen", " \u200b\u200d\n\u202e", null],
    ["is none where there is none", null, null],
    ["ends after a hundred characters", "x".repeat(300), "x".repeat(100)],
    ["does not end in half a character", `${"x".repeat(99)}👍👍`, `${"x".repeat(99)}👍`],
  ])("%s", (_how, name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it("has no line break, no mark of direction and no flood in it, whatever it was, and is stable", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 150 }),
      fc.string({ unit: fc.constantFrom(...ODD), maxLength: 150 }),
    );
    fc.assert(
      fc.property(name, (given) => {
        const shown = displayName(given);
        if (shown === null) return;
        expect([...shown].length).toBeLessThanOrEqual(100);
        expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u);
        expect(displayName(shown)).toBe(shown);
      }),
      { numRuns },
    );
  });
});
