/** docs/reference/options.md, from the docstrings of the options and the sheet of the variables: it cannot say anything else. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { OPTIONS } from "../plugin/config.ts";
import { markdownTable } from "./markdown-table.ts";

const SOURCE = fileURLToPath(new URL("../plugin/wiring/whatsapp-plugin.ts", import.meta.url));

export type OptionSheet = {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly text: string;
  /** As the docstring has it; null for what is required. */
  readonly defaultValue: string | null;
  readonly sources: readonly string[];
};

/** Every option of `createWhatsAppPlugin`, in the order of its type. */
export function readOptionSheets(): readonly OptionSheet[] {
  const file = ts.createSourceFile(SOURCE, readFileSync(SOURCE, "utf8"), ts.ScriptTarget.Latest, true);
  const type = file.statements.find(
    (one): one is ts.TypeAliasDeclaration =>
      ts.isTypeAliasDeclaration(one) && one.name.text === "WhatsAppPluginOptions",
  )?.type;
  if (type === undefined || !ts.isTypeLiteralNode(type)) throw new Error("WhatsAppPluginOptions is no object type");
  return type.members.filter(ts.isPropertySignature).map((member) => {
    const [doc] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const tags = (name: string) =>
      (doc?.tags ?? []).filter((tag) => tag.tagName.text === name).map((tag) => textOf(tag));
    return {
      name: member.name.getText(),
      type: oneLine(member.type?.getText() ?? ""),
      isRequired: member.questionToken === undefined,
      text: oneLine(ts.getTextOfJSDocComment(doc?.comment) ?? ""),
      defaultValue: tags("defaultValue")[0] ?? null,
      sources: tags("see"),
    };
  });
}

export function optionsPage(): string {
  const options = readOptionSheets();
  const rows = options
    .filter(({ isRequired }) => !isRequired)
    .map(({ name, type, defaultValue, text, sources }) => {
      const source = sources.map((url) => ` ([source](${url}))`).join("");
      return `### ${name}\n\n${text}${source}\n\n- Type: \`${type}\`\n- Default: ${defaultValue}\n`;
    });
  const needed = options
    .filter(({ isRequired }) => isRequired)
    .map(({ name, type, text }) => `### ${name}\n\n${text}\n\n- Type: \`${type}\`\n`);
  const variables = Object.entries(OPTIONS).map(([name, { env, schema, description, ...rest }]) => {
    const absent = schema.safeParse(undefined);
    const value = !absent.success ? "required" : absent.data === undefined ? "not set" : `\`${String(absent.data)}\``;
    return [`\`${env}\``, `\`${name}\``, value, `${description}${"secret" in rest ? " A secret." : ""}`];
  });
  return `# Options

Written by \`npm run reference\` from the docstrings of \`plugin/wiring/whatsapp-plugin.ts\` and from \`plugin/config.ts\`; tests compare this page with them, and the defaults with the code. A wrong
value is \`CONFIG_INVALID\`, with every problem in one message.

## Needed

${needed.join("\n")}
## Optional

${rows.join("\n")}
## Configuration

\`config\` is what \`whatsappConfigFromEnv(process.env)\` reads, or a plain object with these names. An empty or blank value counts as not set.

${markdownTable(["variable", "name", "default", ""], variables)}
`;
}

function textOf(tag: ts.JSDocTag): string {
  const text = ts.getTextOfJSDocComment(tag.comment) ?? "";
  // TypeScript takes the scheme of an address for a name.
  const whole = tag.getText().replace(/^@\w+\s+/, "");
  return oneLine(tag.tagName.text === "see" ? whole : text);
}

function oneLine(text: string): string {
  return text
    .replaceAll(/\s*\n\s*\*?\s*/g, " ")
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .trim();
}
