/** Migrations as a script that a person reads and runs by hand: what they would run, written down instead. */
import type { Knex } from "knex";
import type { Sql } from "./names.ts";

/** What would be run, to be read by whoever runs it. */
export type MigrationPlan = {
  /** Those that the script applies or takes back, in its order. */
  readonly migrations: readonly string[];
  /** One transaction; empty where there is nothing to do. */
  readonly sql: string;
};

/** Runs what only reads, as the migrations decide by it, and writes down the rest. @param trx a read-only transaction. */
export async function writeDown(trx: Knex, walk: (sql: Sql) => Promise<void>): Promise<readonly string[]> {
  const statements: string[] = [];
  const raw = async (sql: string, bindings: readonly Knex.RawBinding[] = []) => {
    const statement = trx.raw(sql, bindings);
    if (/^\s*select\s/i.test(sql)) return statement;
    statements.push(statement.toQuery());
    return { rows: [] };
  };
  await walk({ raw: raw as unknown as Knex["raw"] });
  return statements;
}

/** @param about comment lines for whoever reads it. @param statements in their order, without semicolons at their ends. */
export function toScript(about: readonly string[], statements: readonly string[]): string {
  const lines = ["begin", ...statements, "commit"].map((statement) => `${flushLeft(statement)};`);
  return `${about.map((line) => `-- ${line}\n`).join("")}\n${lines.join("\n")}\n`;
}

/** Without the indentation that it has in the code. The body of a function stays as it is: Postgres keeps its text. */
function flushLeft(statement: string): string {
  const isOneLevelIn = /^\s*\n/.test(statement);
  const [first = "", ...rest] = statement.trim().replace(/;$/, "").split("\n");
  const indent = Math.min(...rest.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  let isBody = first.split("$$").length % 2 === 0;
  const lines = rest.map((line) => {
    const kept = isBody ? line : (isOneLevelIn ? "" : "  ") + line.slice(indent);
    if (line.split("$$").length % 2 === 0) isBody = !isBody;
    return kept;
  });
  return [first, ...lines].join("\n");
}
