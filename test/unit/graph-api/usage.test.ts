/** Meta's usage headers: budgets that are nearly spent. */
import { describe, expect, it } from "vitest";
import { createUsageGate, readUsage, spentBudgets } from "../../../adapters/graph-api/usage.ts";

const business = (over: object) =>
  JSON.stringify({ "201555000111222": [{ type: "whatsapp", call_count: 12, ...over }] });

describe("usage headers", () => {
  it.each([
    ["nothing", { app: null, business: null }, []],
    ["room left", { app: '{"call_count":94,"total_time":15,"total_cputime":10}', business: business({}) }, []],
    [
      "the app nearly spent",
      { app: '{"call_count":28,"total_cputime":95}', business: null },
      [{ scope: "app", forMs: 60_000 }],
    ],
    [
      "the account nearly spent",
      { app: null, business: business({ total_time: 100 }) },
      [{ scope: "account", forMs: 60_000 }],
    ],
    [
      "Meta's own estimate, in minutes",
      { app: null, business: business({ call_count: 100, estimated_time_to_regain_access: 7 }) },
      [{ scope: "account", forMs: 420_000 }],
    ],
    [
      "no more than a day",
      { app: null, business: business({ estimated_time_to_regain_access: 1e12 }) },
      [{ scope: "account", forMs: 86_400_000 }],
    ],
    ["no JSON", { app: "{", business: "[1]" }, []],
    ["other JSON", { app: "7", business: '{"1":[null,7,{"call_count":"99"}],"2":null}' }, []],
  ])("say %s", (_, headers, expected) => {
    expect(spentBudgets(headers)).toEqual(expected);
  });

  it("name the account", () => {
    expect([...readUsage({ app: null, business: business({ call_count: 99 }) }).accounts.keys()]).toEqual([
      "201555000111222",
    ]);
  });
});

describe("calls that are not messages", () => {
  it("rest while the budget of their account or of the app is spent", () => {
    let now = 0;
    const gate = createUsageGate(() => now);
    gate.note({ app: null, business: business({ call_count: 99 }) });

    expect(() => gate.pass("201555000111222/message_templates")).toThrow(
      expect.objectContaining({ code: "GRAPH_REJECTED", retry: "after", retryAfterMs: 60_000 }),
    );
    gate.pass("201555000111333/message_templates");
    now = 60_000;
    gate.pass("201555000111222/message_templates");

    gate.note({ app: '{"call_count":100}', business: null });
    expect(() => gate.pass("201555000111333")).toThrow("budget");
  });
});
