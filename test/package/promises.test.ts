/** The README's promises against the tests: each is proved by tests that are there, and says what is not promised. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const rows = readFileSync(join(root, "README.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| P\d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, row = "", promise = "", not = "", proof = ""]) => ({ row, promise, not, proofs: proofsOf(proof) }));

/** `file`: “words of a test's name”; “and of another in the same file”. */
function proofsOf(cell: string): readonly { readonly file: string; readonly words: string }[] {
  let file = "";
  return [...cell.matchAll(/`([^`]+)`:|“([^”]+)”/g)].flatMap(([, path, words]) => {
    if (path !== undefined) file = path;
    return words === undefined ? [] : [{ file, words }];
  });
}

/** What tests and experiments are called: the strings that `it`, `it.each(…)`, `test` and `experiment` are called with. */
function titlesOf(file: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ["it", "test", "experiment"].includes(calledBy(node.expression)))
      for (const argument of node.arguments)
        if (ts.isStringLiteralLike(argument) || ts.isTemplateExpression(argument)) titles.push(argument.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true));
  return titles;
}

function calledBy(callee: ts.Expression): string {
  if (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) return calledBy(callee.expression);
  return callee.getText();
}

describe("the promises", () => {
  it("are all there, in order, each with what is not promised and a test", () => {
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 10 }, (_, n) => `P${n + 1}`));
    expect(rows.filter(({ promise, not, proofs }) => promise === "" || not === "" || proofs.length === 0)).toEqual([]);
  });

  it.each(rows.flatMap(({ row, proofs }) => proofs.map((proof) => ({ row, ...proof }))))(
    "$row is proved by “$words” in $file",
    ({ file, words }) => {
      expect(file).toMatch(/^test\/.*\.ts$/);
      expect(existsSync(join(root, file))).toBe(true);
      expect(titlesOf(file).filter((title) => title.includes(words))).not.toEqual([]);
    },
  );
});
