/** "Step 3 of 8": which step an onboarding is at, and out of how many. */
import { describe, expect, it } from "vitest";
import { progressOf } from "../../../ui/progress.js";
import { TEXTS } from "../../../ui/texts.js";
import { offered } from "../../support/onboardings.ts";

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
const progress = (...steps: ReturnType<typeof step>[]) => progressOf({ steps, numbers: [], chosen: [] }, TEXTS.steps);

describe("progress", () => {
  it("counts the steps that everybody goes through, before any is done", () => {
    expect(progress()).toMatchObject({ step: 1, steps: 9, name: "Sign in with Meta" });
    expect(progress(step("exchange"), step("inspect", "waiting"))).toMatchObject({ step: 2, steps: 9 });
  });

  it("leaves out what is skipped, and counts a sync only for a number of the WhatsApp Business app", () => {
    const steps = [step("register", "skipped", "1"), step("sync", "waiting", "1")];
    const onApp = offered(1, { phone_number_id: "1", on_business_app: true });

    expect(progress(...steps).steps).toBe(8);
    expect(progressOf({ steps, numbers: [onApp], chosen: ["1"] }, TEXTS.steps).steps).toBe(9);
    expect(progressOf({ steps, numbers: [onApp], chosen: [] }, TEXTS.steps).steps).toBe(8);
  });

  it("is at a step until every number has taken it", () => {
    const before = ["exchange", "inspect", "accounts", "choice", "subscribe"].map((name) => step(name));

    expect(progress(...before, step("register", "done", "1"), step("register", "waiting", "2"))).toMatchObject({
      step: 6,
      name: "Register the number",
    });
    expect(progress(...before, step("register", "done", "1"), step("register", "skipped", "2"))).toMatchObject({
      step: 7,
    });
  });

  it("names the state of each, once", () => {
    const { list } = progress(step("exchange"), step("inspect", "failed"), step("inspect", "done"));

    expect(list.map(({ state }) => state)).toEqual(["done", "failed", ...Array(7).fill("later")]);
  });

  it("ends at the last one, and knows a step by its own name where it has no other", () => {
    const all = Object.keys(TEXTS.steps).map((name) => step(name));

    expect(progress(...all)).toMatchObject({ step: 9, steps: 9 });
    expect(progressOf({ steps: [], numbers: [], chosen: [] }, {}).name).toBe("exchange");
  });
});
