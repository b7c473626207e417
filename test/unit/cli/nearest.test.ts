/** "Did you mean": what a person meant who typed almost right, and silence where nobody could tell. */
import { expect, it } from "vitest";
import { didYouMean, nearest } from "../../../cli/nearest.ts";

const COMMANDS = ["migrate", "doctor", "dead-letters", "replay-unknown", "erase", "rotate-keys"];

it.each([
  ["migrat", "migrate"],
  ["mirgate", "migrate"],
  ["Doctor", "doctor"],
  ["deadletters", "dead-letters"],
  ["replay", "replay-unknown"],
  ["rotatekeys", "rotate-keys"],
  ["eras", "erase"],
])("%s is near to %s", (typed, word) => {
  expect(nearest(typed, COMMANDS)).toBe(word);
});

it.each(["install", "x", "", "toString", "start"])("%s is near to none", (typed) => {
  expect(nearest(typed, COMMANDS)).toBeNull();
  expect(didYouMean(typed, COMMANDS)).toBe("");
});

it("is asked as a question, with what comes before the word", () => {
  expect(didYouMean("shcema", ["schema", "json"], "--")).toBe(' Did you mean "--schema"?');
});
