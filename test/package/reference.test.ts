/** The pages of docs/reference/ say what the code says: those that are written from it are current, and leave nothing out. */
import { readFileSync } from "node:fs";
import { manifest } from "@omniops/whatsapp";
import { migrate, planMigrations } from "@omniops/whatsapp/migrations";
import { describe, expect, it } from "vitest";
import { readMediaBytes, readMediaTimes } from "../../plugin/media/media-limits.ts";
import { readQuota } from "../../plugin/media/quota.ts";
import { readAlarmLimits } from "../../plugin/operations/alarms.ts";
import { readAmbiguityPolicy } from "../../plugin/pipeline/ambiguity-policy.ts";
import { META_LIMITS } from "../../plugin/pipeline/meta-limits.ts";
import { DEFAULT_RULES } from "../../plugin/pipeline/plan-effects.ts";
import { readRetention } from "../../plugin/pipeline/retention.ts";
import { DEFAULT_RETRY } from "../../plugin/pipeline/retry-schedule.ts";
import { optionsPage, readOptionSheets } from "../../scripts/reference-options.ts";
import { tablesPage } from "../../scripts/reference-tables.ts";
import { createTestDatabase } from "../support/postgres.ts";

const read = (path: string) => readFileSync(path, "utf8");
const source = read("plugin/create-whatsapp-plugin.ts");
const optional = readOptionSheets().filter(({ isRequired }) => !isRequired);

describe("docs/reference/options.md", () => {
  it("is what the docstrings say: npm run reference writes it", () => {
    expect(read("docs/reference/options.md")).toBe(optionsPage());
  });

  it("explains each option, with its default and, for a number, its unit", () => {
    expect(readOptionSheets().length).toBeGreaterThan(20);
    for (const { name, text } of readOptionSheets())
      expect([name, text]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    for (const { name, defaultValue } of optional)
      expect([name, defaultValue]).toEqual([name, expect.stringMatching(/\S/)]);
    for (const { name, text } of optional.filter(({ type }) => type === "number"))
      expect([name, text]).toEqual([name, expect.stringMatching(/in milliseconds|bytes|days|seconds/)]);
  });

  /** What the code takes where nothing is given, by the functions and constants that it takes it from. */
  const { waitMs, ...mediaTimeouts } = readMediaTimes(undefined);
  const TAKEN: Readonly<Record<string, unknown>> = {
    alarms: readAlarmLimits(),
    retention: readRetention(),
    retry: DEFAULT_RETRY,
    wakeOn: DEFAULT_RULES.wakeOn,
    pauseAfterStaffMs: DEFAULT_RULES.pauseMs,
    onAmbiguous: readAmbiguityPolicy(),
    metaLimits: META_LIMITS,
    mediaWaitMs: waitMs,
    mediaTimeouts,
    mediaMaxBytes: readMediaBytes(),
    mediaQuotaBytes: readQuota(undefined),
    schema: literalAfter("schema: options.schema"),
    hostSchema: literalAfter("hostSchema: options.hostSchema"),
    pollMs: literalAfter("pollMs: options.pollMs"),
    replyTimeoutMs: literalAfter("replyTimeoutMs: options.replyTimeoutMs"),
    eventTimeoutMs: literalAfter("eventTimeoutMs: options.eventTimeoutMs"),
    upkeepMs: Number(/const UPKEEP_MS = ([\d_]+)/.exec(source)?.[1]?.replaceAll("_", "")),
  };

  function literalAfter(words: string): unknown {
    const [, literal = ""] = source.split(`${words} ?? `);
    return JSON.parse((/^("\w+"|[\d_]+)/.exec(literal)?.[0] ?? "null").replaceAll("_", ""));
  }

  it.each(optional.filter(({ defaultValue }) => defaultValue?.startsWith("`")))(
    "has the default of $name that the code takes",
    ({ name, defaultValue }) => {
      expect(TAKEN).toHaveProperty([name]);
      // A literal of TypeScript, which is ours.
      expect(new Function(`return (${defaultValue?.replaceAll("`", "")})`)()).toEqual(TAKEN[name]);
    },
  );
});

describe("docs/reference/manifest.md", () => {
  it("explains every member of the manifest, and no other", () => {
    const rows = read("docs/reference/manifest.md").matchAll(/^\| ((?:`\w+`(?:, )?)+) +\|/gm);
    const explained = [...rows].flatMap(([, cell = ""]) => cell.match(/\w+/g) ?? []);

    expect(explained.sort()).toEqual(Object.keys(manifest).sort());
  });
});

describe("docs/reference/tables.md", () => {
  it("is what a migrated database holds: npm run reference writes it", async () => {
    const { knex, drop } = await createTestDatabase();

    expect(read("docs/reference/tables.md")).toBe(await tablesPage(knex));
    await drop();
  });

  it("says of each table of ours what it is for", () => {
    const sections = read("docs/reference/tables.md").split(/^## /m);
    for (const table of manifest.tables.owned)
      expect(sections.find((one) => one.startsWith(`${table}\n`))).toMatch(/^\w+\n\n[A-Z][^|]+\.\n/);
  });

  it("says which columns the host's tables must have, and which are added to them", async () => {
    const [, host = ""] = read("docs/reference/tables.md").split("# The host's tables\n");
    const names = (cell = "") => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? "");
    const rows = [...host.matchAll(/^\| `(\w+)` +\|([^|]+)\|([^|]+)\|[^|]+\|$/gm)]
      .map(([, table = "", own, added]) => ({ table, own: names(own), added: names(added) }))
      .filter(({ own, added }) => own.length > 0 && added.length > 0);
    const types: Readonly<Record<string, string>> = { id: "uuid", conversation_id: "uuid", created_at: "timestamptz" };
    const { knex, drop } = await createTestDatabase({ empty: true });
    const create = (table: string, columns: readonly string[]) =>
      knex.raw(`create table ${table} (${columns.map((column) => `${column} ${types[column] ?? "text"}`).join(", ")})`);

    expect(rows.map(({ table }) => table).sort()).toEqual([...manifest.tables.extended].sort());
    for (const { table, own } of rows)
      for (const column of own) {
        // A table without any column would count as none.
        await create(table, ["other", ...own.filter((one) => one !== column)]);
        await expect(planMigrations(knex)).rejects.toThrow(`has no column "${column}"`);
        await knex.raw(`drop table ${table}`);
      }
    for (const { table, own } of rows) await create(table, own);
    await migrate(knex);
    for (const { table, own, added } of rows)
      expect(Object.keys(await knex(table).columnInfo()).sort()).toEqual([...own, ...added].sort());
    await drop();
  });
});
