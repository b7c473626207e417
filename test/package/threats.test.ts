/** docs/threats.md against the files: a row for every threat, a test for every row. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const rows = readFileSync(`${root}docs/threats.md`, "utf8")
  .split("\n")
  .filter((line) => /^\| T\d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, row = "", , control = "", test = ""]) => ({ row, control, test }));

describe("the table of threats", () => {
  it("has every row once, in order, with a control", () => {
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 77 }, (_, n) => `T${n + 1}`));
    expect(rows.filter(({ control }) => control === "")).toEqual([]);
  });

  it("names for each a test that exists", () => {
    const named = rows.map(({ row, test }) => ({
      row,
      paths: [...test.matchAll(/`([^`]+)`/g)].map(([, path = ""]) =>
        path.includes("/") ? path : `test/integration/security/${path}`,
      ),
    }));

    expect(named.filter(({ paths }) => paths.length === 0).map(({ row }) => row)).toEqual([]);
    expect(named.flatMap(({ paths }) => paths).filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
  });
});
