/** The SQL that docs/operating.md tells people to run works on a database of ours. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createTestDatabase } from "../support/postgres.ts";

const document = readFileSync(fileURLToPath(new URL("../../docs/operating.md", import.meta.url)), "utf8");
const blocks = [...document.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql ?? "");
const statements = blocks.flatMap((sql) => sql.split(";").map((one) => one.trim())).filter((one) => one !== "");

it("every statement of the runbook runs", async () => {
  const { knex, drop } = await createTestDatabase();

  expect(statements.length).toBeGreaterThan(8);
  for (const sql of statements) {
    expect(sql).toMatch(/^select /);
    await expect(knex.raw(sql.replaceAll("?", "\\?")), sql).resolves.toBeDefined();
  }
  await drop();
});
