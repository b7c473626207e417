/** Every case in fixtures/doctor: what differs from a channel in which all is well, and what the doctor says of it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../plugin/doctor/diagnose.ts";
import type { DoctorFacts } from "../../plugin/doctor/facts.ts";
import { type Finding, TITLES } from "../../plugin/doctor/finding.ts";
import { BUSINESS_APP_FIELDS, RECOMMENDED_FIELDS } from "../../plugin/doctor/judge-app.ts";
import { manifest } from "../../plugin/manifest.ts";

const FOLDER = new URL("../../fixtures/doctor/", import.meta.url);
const WELL = "all-well";
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
const cases = [...new Set(files.map((file) => file.slice(0, file.indexOf("."))))];

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function read<Content>(name: string, half: string): Content {
  return JSON.parse(readFileSync(new URL(`${name}.${half}.json`, FOLDER), "utf8"), (_key, value) =>
    typeof value === "string" && TIME.test(value) ? new Date(value) : value,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Members of the patch take the place of those of the base; an answer that failed or was skipped has no known one. */
function patched(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return patch;
  if ([base, patch].some((one) => "failed" in one || "skipped" in one)) return patch;
  const members = Object.entries(patch).map(([name, value]) => [name, patched(base[name], value)]);
  return { ...base, ...Object.fromEntries(members) };
}

/** `number` in a case is about the one number that is looked at, `more` counts those that are not. */
function factsOf(name: string): DoctorFacts {
  const base = read<Record<string, unknown>>(WELL, "facts");
  const own = name === WELL ? {} : read<Record<string, unknown>>(name, "facts");
  const { number: theNumber, more = 0, ...facts } = patched(base, own) as Record<string, unknown>;
  const numbers = facts.numbers ?? { known: { numbers: [theNumber], more } };
  return { ...facts, numbers } as unknown as DoctorFacts;
}

describe("what the doctor says", () => {
  const well = diagnose(factsOf(WELL)).checks;

  it.each(cases)("%s", (name) => {
    const { healthy, checks } = diagnose(factsOf(name));

    const same = (one: Finding) => well.some((other) => JSON.stringify(other) === JSON.stringify(one));
    const said = name === WELL ? checks : checks.filter((check) => !same(check));
    expect(said).toEqual(read(name, "findings"));
    expect(healthy).toBe(checks.every(({ state }) => state !== "problem"));
  });
});

describe("a check that fails itself", () => {
  it("says so, and takes no other with it", () => {
    const facts = factsOf(WELL);
    const broken = { ...facts, templates: { known: null }, work: { known: null } } as unknown as DoctorFacts;

    const { checks, healthy } = diagnose(broken);

    const failed = checks.filter(({ seen }) => seen === "This check itself failed (TypeError).");
    expect(failed.map(({ id, state }) => `${id}: ${state}`)).toEqual(["templates: warning", "queue: warning"]);
    expect(checks).toHaveLength(diagnose(facts).checks.length);
    expect(healthy).toBe(true);
  });
});

describe("the recorded diagnoses", () => {
  const all = cases.flatMap((name) => read<readonly Finding[]>(name, "findings"));

  it("show no secret of an address", () => {
    expect(JSON.stringify(all)).not.toMatch(/s3cr3t|user:pw/);
  });

  it("come in pairs", () => {
    expect(files.toSorted()).toEqual(
      cases.flatMap((name) => [`${name}.facts.json`, `${name}.findings.json`]).toSorted(),
    );
  });

  it("show every check, and every check when it is not well", () => {
    const shown = new Set(all.map(({ id }) => id));
    const unwell = new Set(all.filter(({ state }) => state === "problem" || state === "warning").map(({ id }) => id));

    expect([...shown].toSorted()).toEqual(Object.keys(TITLES).toSorted());
    // Meta does not tell the mode, so nothing can be said against it.
    expect([...unwell, "app-mode"].toSorted()).toEqual(Object.keys(TITLES).toSorted());
  });

  it("are explained, check by check and in that order", () => {
    const page = readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
    const order = read<readonly Finding[]>(WELL, "findings").map(({ id }) => id);

    expect([...page.matchAll(/^### (\S+)\n\n\S/gm)].map(([, id]) => id)).toEqual(order);
  });

  it("recommend only fields that the channel reads", () => {
    expect(manifest.webhookFields).toEqual(
      expect.arrayContaining(["messages", ...RECOMMENDED_FIELDS, ...BUSINESS_APP_FIELDS]),
    );
  });

  it("say how to mend every problem, and claim nothing to be mended where all is well", () => {
    for (const { id, state, fix } of all) {
      if (state === "problem") expect([id, fix]).toEqual([id, expect.stringMatching(/\S.{10,}/)]);
      if (state === "ok" || state === "skipped") expect([id, fix]).toEqual([id, null]);
    }
  });
});
