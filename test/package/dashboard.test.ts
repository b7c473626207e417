/** The example dashboard, the example alerts and the table of the runbook speak of the metrics that there are, and of all of them. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ALARMS } from "../../plugin/operations/alarms.ts";
import { createCounters } from "../../plugin/operations/counters.ts";
import { FAMILIES, type Sample, toFamilies, toPrometheus } from "../../plugin/operations/prometheus.ts";
import { metricsOf } from "../support/sample-metrics.ts";

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

const alerts = read("alerts.yml").split("- alert: ").slice(1);
const conditions = alerts.map((alert) => (alert.split(/\n +(?:for|labels):/)[0] ?? "").split("expr:")[1] ?? "");

/** One sample at least in every family, those included that begin empty. */
async function busyMetrics() {
  const counters = createCounters();
  counters.applied("message");
  counters.refused("131047");
  return metricsOf(counters);
}

/** The labels that an expression speaks of, for the metrics in it: those it filters by, with their values, and those it groups by. */
function labelsIn(expr: string) {
  const filters = [...expr.matchAll(/(whatsapp_[a-z_]+)\{([^}]*)\}/g)].flatMap(([, metric = "", pairs = ""]) =>
    [...pairs.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, label = "", how = "", value = ""]) => ({
      metric,
      label,
      values: how.endsWith("~") ? value.split("|") : [value],
    })),
  );
  const groups = [...expr.matchAll(/by \(([\w, ]+)\)/g)].flatMap(([, labels = ""]) =>
    metricsIn(expr).flatMap((metric) => labels.split(", ").map((label) => ({ metric, label, values: [] }))),
  );
  return [...filters, ...groups];
}

describe("the dashboard and the alerts", () => {
  it("filter and group by labels and values that these metrics have", async () => {
    const metrics = await busyMetrics();
    const samples = new Map<string, Sample[]>();
    for (const { name, samples: some } of toFamilies(metrics))
      for (const sample of some) {
        const metric = name + (sample.suffix ?? "");
        samples.set(metric, [...(samples.get(metric) ?? []), sample]);
      }
    const wrong = [...expressions, ...conditions].flatMap(labelsIn).filter(({ metric, label, values }) => {
      // That one is Prometheus' own, and so is what a host is asked for.
      if (label === "instance") return false;
      const known = (samples.get(metric) ?? []).map(({ labels }) => String(labels[label]));
      return !known.some((value) => value !== "undefined") || !values.every((value) => isKnown(value, known));
    });

    expect(wrong).toEqual([]);
    expect([...expressions, ...conditions].flatMap(labelsIn).length).toBeGreaterThan(30);
  });

  it("are understood by Prometheus, where promtool is at hand; so is what GET /metrics answers", async () => {
    const promtool = process.env.PROMTOOL ?? "promtool";
    if (spawnSync(promtool, ["--version"]).error !== undefined) return;
    const file = fileURLToPath(new URL("alerts.promtool.yml", import.meta.url));
    const parts = ["check", "metrics"];

    expect(spawnSync(promtool, ["test", "rules", file], { encoding: "utf8" })).toMatchObject({ status: 0 });
    expect(execFileSync(promtool, parts, { input: toPrometheus(await busyMetrics()), encoding: "utf8" })).toBe("");
  });
});

/** A code of HTTP is a number of three digits, or a class of them. */
function isKnown(value: string, known: readonly string[]): boolean {
  return known.some((one) => new RegExp(`^(?:${value})$`).test(one));
}

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
      expect([expr, isCounter]).toEqual([expr, /\bsum\b/.test(expr)]);
      expect([expr, isCounter]).toEqual([expr, /\brate\(/.test(expr)]);
    }
  });
});

describe("the alerts", () => {
  it("speak of metrics that are there", () => {
    const used = conditions.flatMap(metricsIn);

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
