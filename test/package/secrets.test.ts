/** T4 and T18, read from the sources: no secret is compared by `===`, and no regular expression is made of what somebody says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the last name of an operand calls a secret, or something made of one. */
const SECRET =
  /secret|signature|hmac|digest|verifyToken|accessToken|password|^pin$|tokenHash|^(claimed|expected|verifier|stateHash)$/i;

/** Where equality gives nothing away: said with its reason. */
const HARMLESS: readonly string[] = [];

/** What goes into a pattern that is put together, where it is none of a caller's: constants of ours. */
const OWN_PATTERNS = [
  "plugin/http/connect-routes.ts: COOKIE",
  "plugin/messages/text-rules.ts: mostSpaces + 1",
  "plugin/transformer/read-inline.ts: name",
];

const EQUALITIES: readonly ts.SyntaxKind[] = [
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
];

type Found = { readonly comparisons: string[]; readonly patterns: string[] };

function look(path: string, text: string): Found {
  const found: Found = { comparisons: [], patterns: [] };
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && EQUALITIES.includes(node.operatorToken.kind)) {
      const sides = [node.left, node.right];
      if (sides.some(isSecret) && !sides.some(isNothing)) found.comparisons.push(`${path}: ${node.getText()}`);
    }
    // a.equals(secret), list.includes(secret), Object.is(secret, …): the same in other words.
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      if (["equals", "includes", "is", "localeCompare", "startsWith"].includes(name.text))
        if ([expression, ...node.arguments].some(isSecret)) found.comparisons.push(`${path}: ${node.getText()}`);
    }
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp") {
      const [pattern] = node.arguments ?? [];
      if (pattern !== undefined && !ts.isStringLiteralLike(pattern))
        found.patterns.push(`${path}: ${ingredientsOf(pattern)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function ingredientsOf(pattern: ts.Expression): string {
  if (!ts.isTemplateExpression(pattern)) return pattern.getText();
  return pattern.templateSpans.map(({ expression }) => expression.getText()).join(", ");
}

function isSecret(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node) || ts.isAwaitExpression(node))
    return isSecret(node.expression);
  if (ts.isIdentifier(node)) return SECRET.test(node.text) && !/(Index|Ms|At)$/.test(node.text);
  if (ts.isPropertyAccessExpression(node)) return node.name.text !== "length" && SECRET.test(node.name.text);
  if (ts.isElementAccessExpression(node)) return SECRET.test(node.getText());
  // createHmac(…).digest("hex"), secret.toString(): still it.
  if (ts.isCallExpression(node))
    return /\.digest$|(^|\.)(createHmac|hash)$/.test(node.expression.getText()) || isSecretsText(node);
  return false;
}

function isSecretsText({ expression }: ts.CallExpression): boolean {
  return (
    ts.isPropertyAccessExpression(expression) && expression.name.text === "toString" && isSecret(expression.expression)
  );
}

/** Whether it is there at all is no secret. */
function isNothing(node: ts.Expression): boolean {
  return (
    ts.isStringLiteralLike(node) ||
    ts.isNumericLiteral(node) ||
    ts.isTypeOfExpression(node) ||
    ["null", "undefined", "true", "false"].includes(node.getText())
  );
}

const found = ["plugin", "adapters", "cli", "migrations"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => `${folder}/${String(name).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"))
    .map((path) => look(path, readFileSync(join(root, path), "utf8"))),
);

describe("the sources", () => {
  it("compare no secret by equality, which takes as long as much of it is right", () => {
    expect(found.flatMap(({ comparisons }) => comparisons)).toEqual(HARMLESS);
  });

  it("make no regular expression of what they are given", () => {
    expect(found.flatMap(({ patterns }) => patterns).sort()).toEqual(OWN_PATTERNS);
  });

  it.each([
    "if (signature === expected) go();",
    'if (createHmac("sha256", key).update(body).digest("hex") !== given) stop();',
    "const ok = config.verifyToken == query.token;",
    "return claimed.equals(mine);",
    "return secrets.appSecret.toString() === given;",
  ])("would be found out by %s", (text) => {
    expect(look("x.ts", text).comparisons).toHaveLength(1);
  });

  it.each([
    "if (secret === undefined) stop();",
    "if (secret.length === 0) stop();",
    'if (typeof pin !== "string") stop();',
  ])("may say %s", (text) => {
    expect(look("x.ts", text).comparisons).toEqual([]);
  });
});
