/** The example dashboard, the example alerts and the table of the runbook speak of the metrics that there are, and of all of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ALARMS } from "../../plugin/operations/alarms.ts";
import { FAMILIES } from "../../plugin/operations/prometheus.ts";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../docs/${path}`, import.meta.url)), "utf8");
const names = FAMILIES.flatMap(({ name, type }) =>
  type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
);
const metricsIn = (text: string) => [...new Set(text.match(/\bwhatsapp_[a-z_]+/g) ?? [])];

type Panel = { readonly type: string; readonly title: string; readonly targets?: readonly { readonly expr: string }[] };
const dashboard = JSON.parse(read("grafana-dashboard.json")) as {
  readonly panels: readonly (Panel & { id: number })[];
};
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe("the dashboard", () => {
  it("shows every metric, and none that is not there", () => {
    expect(metricsIn(expressions.join("\n")).sort()).toEqual([...names].sort());
  });

  it("has a number of its own for each panel, and a question for each but the headings", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { type, title, targets = [] } of dashboard.panels)
      expect([title, targets.length > 0]).toEqual([title, type !== "row"]);
  });

  it("adds up counters over instances, and takes what the database says once", () => {
    const counters = FAMILIES.filter(({ type }) => type !== "gauge").map(({ name }) => name);
    for (const expr of expressions) {
      const isCounter = counters.some((name) => expr.includes(name));
      expect([expr, isCounter]).toEqual([expr, /\bsum\b.*rate\(/.test(expr)]);
    }
  });
});

describe("the alerts", () => {
  const alerts = read("alerts.yml").split("- alert: ").slice(1);

  it("speak of metrics that are there", () => {
    const used = alerts.flatMap((alert) => metricsIn((alert.split("labels:")[0] ?? "").split("expr:")[1] ?? ""));

    expect(used.length).toBeGreaterThan(alerts.length - 1);
    expect(used.filter((name) => !names.includes(name))).toEqual([]);
  });

  it("each say what is wrong and where to look, and lead to headings that exist", () => {
    for (const alert of alerts) {
      expect(alert).toMatch(/summary: .+\n +description: .+/);
      for (const [, anchor] of alert.matchAll(/operating\.md#([\w-]+)/g))
        expect(read("operating.md").toLowerCase().replaceAll(" ", "-")).toContain(`##-${anchor}`);
    }
  });
});

describe("the runbook", () => {
  it("has a row for every metric, and for none that is not there", () => {
    const table = read("operating.md").split("## Metrics")[1]?.split("\n## ")[0] ?? "";
    const rows = table
      .split("\n")
      .filter((line) => line.startsWith("| `whatsapp_"))
      .map((line) => line.split("|")[1] ?? "");
    const named = rows.flatMap(metricsIn);

    expect(named.sort()).toEqual(FAMILIES.map(({ name }) => name).sort());
    expect(named).toHaveLength(new Set(named).size);
  });

  it("has a row for every alarm", () => {
    for (const kind of Object.keys(ALARMS))
      expect(read("operating.md")).toMatch(new RegExp(`^\\| \`${kind}\` +\\|`, "m"));
  });
});
