/** Takes out of the build what no import of a host can reach: declarations of inner files, and modules of types only. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../", import.meta.url));

type Entry = { readonly types: string; readonly default: string };
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, Entry | string>>;
};
const entries = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry]));

const declarations = new Set<string>();
for (const { types } of entries) visit(join(root, types));

function visit(file: string): void {
  if (declarations.has(file)) return;
  declarations.add(file);
  for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles)
    if (fileName.startsWith(".")) visit(join(dirname(file), fileName.replace(/\.[jt]s$/, ".d.ts")));
}

const built = readdirSync(join(root, "dist"), { recursive: true }).map((name) => join(root, "dist", String(name)));
for (const file of built) {
  if (file.endsWith(".d.ts") && !declarations.has(file)) rmSync(file);
  if (file.endsWith(".js") && isEmpty(file) && !entries.some((entry) => join(root, entry.default) === file))
    rmSync(file);
}

/** Nothing imports it: tsc has left out the imports of types. */
function isEmpty(file: string): boolean {
  const code = ts.transpileModule(readFileSync(file, "utf8"), {
    compilerOptions: { removeComments: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext },
  });
  return code.outputText.trim() === "export {};";
}

/** An import that is not marked as one of types stays in the code, as an import of nothing. */
for (const file of built.filter((name) => name.endsWith(".js") && existsSync(name)))
  for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles)
    if (fileName.startsWith(".") && !existsSync(join(dirname(file), fileName)))
      throw new Error(`${file} imports ${fileName}, which holds types only: write "import type".`);
