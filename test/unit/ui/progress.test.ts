/** "Step 3 of 8": which step an onboarding is at, and out of how many. */
import { describe, expect, it } from "vitest";
import { progressOf } from "../../../ui/progress.js";
import { TEXTS } from "../../../ui/texts.js";

const step = (
  name: string,
  state: "done" | "failed" | "skipped" | "waiting" = "done",
  phone_number_id: string | null = null,
) => ({
  step: name,
  state,
  phone_number_id,
  error: null,
});
const progress = (...steps: ReturnType<typeof step>[]) => progressOf(steps, TEXTS.steps);

describe("progress", () => {
  it("counts the steps that everybody goes through, before any is done", () => {
    expect(progress()).toMatchObject({ step: 1, steps: 8, name: "Sign in with Meta" });
  });

  it("counts a choice and a sync only where there is one, and leaves out what is skipped", () => {
    expect(progress(step("exchange"), step("choice", "waiting"), step("sync", "waiting")).steps).toBe(10);
    expect(progress(step("choice", "skipped"), step("register", "skipped", "1")).steps).toBe(7);
  });

  it("is at a step until every number has taken it", () => {
    const before = ["exchange", "inspect", "accounts", "subscribe"].map((name) => step(name));

    expect(progress(...before, step("register", "done", "1"), step("register", "waiting", "2"))).toMatchObject({
      step: 5,
      name: "Register the number",
    });
    expect(progress(...before, step("register", "done", "1"), step("register", "skipped", "2"))).toMatchObject({
      step: 6,
    });
  });

  it("names the state of each, once", () => {
    const { list } = progress(step("exchange"), step("inspect", "failed"), step("inspect", "done"));

    expect(list.map(({ state }) => state)).toEqual([
      "done",
      "failed",
      "later",
      "later",
      "later",
      "later",
      "later",
      "later",
    ]);
  });

  it("ends at the last one, and knows a step by its own name where it has no other", () => {
    const all = Object.keys(TEXTS.steps).map((name) => step(name));

    expect(progress(...all)).toMatchObject({ step: 10, steps: 10 });
    expect(progressOf([], {}).name).toBe("exchange");
  });
});
