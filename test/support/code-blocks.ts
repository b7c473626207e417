/** The code blocks of the documents, and the one compiler run that all of their TypeScript and JavaScript goes through. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));

export type CodeBlock = {
  /** The document, from the root of the repository. */
  readonly page: string;
  readonly language: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly text: string;
};

/** Every document that shows code of ours. `docs/formatting.md` shows Markdown of others, and has a test of its own. */
export const PAGES: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true })
    .map((name) => `docs/${String(name).replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".md") && name !== "docs/formatting.md" && !name.startsWith("docs/reference/api/")),
];

/** A block in a list is as far in as its list: that is no part of its code. */
export function codeBlocksOf(page: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: {
    readonly fence: string;
    readonly indent: string;
    readonly language: string;
    readonly line: number;
  } | null = null;
  let lines: string[] = [];
  for (const [i, line] of readFileSync(join(root, page), "utf8").split("\n").entries()) {
    const [, indent = "", fence, language = ""] = /^( *)(`{3,})(\w*)/.exec(line) ?? [];
    if (open === null) {
      if (fence !== undefined) open = { fence, indent, language, line: i + 2 };
    } else if (fence === open.fence && language === "") {
      blocks.push({ page, language: open.language, line: open.line, text: lines.join("\n") });
      open = null;
      lines = [];
    } else lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
  }
  return blocks;
}

export function allCodeBlocks(...languages: readonly string[]): readonly CodeBlock[] {
  return PAGES.flatMap(codeBlocksOf).filter(({ language }) => languages.includes(language));
}

/** The first block after a line, mostly a heading, for a test that really runs it. */
export function codeBlockUnder(page: string, heading: string, language = "ts"): CodeBlock {
  const at = readFileSync(join(root, page), "utf8").split("\n").indexOf(heading);
  const block = codeBlocksOf(page).find((one) => one.language === language && one.line > at + 1);
  if (at < 0 || block === undefined) throw new Error(`${page} has no ${language} after "${heading}"`);
  return block;
}

/** A block that begins with `// lib/whatsapp.ts` is that file, which others import as `@/lib/whatsapp`. */
function fileNamed(text: string): string | undefined {
  return /^\/\/ ([\w./[\]-]+)\.[a-z]+\n/.exec(text)?.[1];
}

/**
 * Blocks of a page go on with each other; one that names a file or imports something begins anew. Each stands on the lines
 * that it has in its document, so that what the compiler says points there.
 * @param aliases gets the files that have names.
 */
function filesOf(blocks: readonly CodeBlock[], aliases: Record<string, string[]>): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  let current = "";
  for (const { page, language, line, text } of blocks) {
    const name = fileNamed(text);
    if (!current.startsWith(`${page}.`) || name !== undefined || /^import /m.test(text))
      current = `${page}.${line}.${language}`;
    if (name !== undefined) aliases[`@/${name}`] = [`./${current}`];
    const before = (files.get(current) ?? "export {};").split("\n");
    const gap = "\n".repeat(Math.max(0, line - before.length));
    files.set(current, `${before.join("\n")}${gap}${text}`);
  }
  return files;
}

/** @returns what the compiler has to say, as `docs/page.md:12 …`. @param ambient files of declarations, by name. */
export function complaintsAbout(blocks: readonly CodeBlock[], ambient: Readonly<Record<string, string>>): string[] {
  const languages = [...new Set(blocks.map(({ language }) => language))];
  const aliases: Record<string, string[]> = {};
  const files = new Map(
    languages.flatMap((name) => [
      ...filesOf(
        blocks.filter(({ language }) => language === name),
        aliases,
      ),
    ]),
  );
  const texts = new Map([...Object.entries(ambient), ...files].map(([name, text]) => [join(root, name), text]));
  const options = compilerOptions(aliases);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...texts.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((one) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(one.start ?? 0).line + 1;
      const page = path.slice(root.length).replace(/\.md\.\d+\.\w+$/, ".md");
      return `${page}:${line} ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`;
    });
  });
}

/** As the sources are compiled, with a browser and React; the package's names are what `package.json` gives out. */
function compilerOptions(aliases: Record<string, string[]>): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  return {
    ...options,
    lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    jsx: ts.JsxEmit.ReactJSX,
    checkJs: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: { ...publicPaths(), ...aliases },
  };
}

function publicPaths(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([entry, target]) => {
      if (typeof target === "string") return [];
      const source = target.default.replace("./dist/", "./");
      return [
        [`@omniops/whatsapp${entry.slice(1)}`, [source.startsWith("./ui/") ? source : source.replace(/js$/, "ts")]],
      ];
    }),
  );
}
