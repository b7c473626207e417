/** Runs a block of a document as it stands, in this process, with the modules and the names that a host would have. */
import ts from "typescript";
import type { CodeBlock } from "./code-blocks.ts";

type World = {
  /** What it may import, by the name that it imports it by. */
  readonly modules: Readonly<Record<string, object>>;
  /** What is there without being imported. */
  readonly names?: Readonly<Record<string, unknown>>;
};

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...texts: readonly string[]
) => (...values: readonly unknown[]) => Promise<void>;

/** @returns what the block exports, once it has run to its end. */
export async function runCodeBlock(
  { page, line, text }: CodeBlock,
  { modules, names = {} }: World,
): Promise<Readonly<Record<string, unknown>>> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const exported = {};
  const load = (name: string) => {
    const found = modules[name];
    if (found === undefined) throw new Error(`${page}:${line} imports ${name}, which this test does not give it`);
    return { __esModule: true, ...found };
  };
  await new AsyncFunction("require", "exports", ...Object.keys(names), outputText)(
    load,
    exported,
    ...Object.values(names),
  );
  return exported;
}
