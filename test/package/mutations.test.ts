/** The list of rules to break stays in step with the code: `npm run test:mutations` breaks them. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MUTATIONS } from "../mutations/mutations.ts";

describe("what breaks the rule", () => {
  it.each(MUTATIONS)("of $rule finds its place", ({ file, find, tests }) => {
    const source = readFileSync(file, "utf8");

    expect(source.split(find)).toHaveLength(2);
    expect(tests.filter((path) => !existsSync(path))).toEqual([]);
  });
});
