/** The command line as a person or a script meets it: a process with arguments, two streams and an exit code. */
import { expect } from "vitest";
import { bundleProgram, ROOT } from "./bundled-program.ts";
import { type Run, runNode } from "./node-process.ts";

type Cli = (
  args: readonly string[],
  options?: {
    /** `DATABASE_URL` */
    readonly url?: string;
    /** A package that is not installed; `broken:` one that lacks a file of its own. */
    readonly without?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
) => Promise<Run>;

/** To be called at the top of a test file. */
export function openCli(): Cli {
  const file = bundleProgram("cli/main.ts");
  return (args, { url, without, env } = {}) => {
    const { DATABASE_URL: _, ...inherited } = process.env;
    const imports = without === undefined ? [] : ["--import", hiding(without)];
    return runNode([...imports, file, ...args], {
      cwd: ROOT,
      env: { ...inherited, ...env, ...(url === undefined ? {} : { DATABASE_URL: url }) },
    });
  };
}

/** Makes Node answer as it does when a package is not installed. */
function hiding(without: string): string {
  const [, broken = "", name = ""] = /^(broken:)?(.*)$/.exec(without) ?? [];
  const [message, code] =
    broken === ""
      ? [`Cannot find package '${name}' imported from cli`, "ERR_MODULE_NOT_FOUND"]
      : ["Cannot find module './dialects'\nRequire stack:\n- /app/node_modules", "MODULE_NOT_FOUND"];
  const hook = `export async function resolve(specifier, context, next) {
    if (specifier !== "${name}") return next(specifier, context);
    throw Object.assign(new Error(${JSON.stringify(message)}), { code: "${code}" });
  }`;
  const register = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}")`;
  return `data:text/javascript,${encodeURIComponent(register)}`;
}

/** What was said on stderr, which must be one line that holds neither a stack nor a password. */
export function oneLine({ err, out }: Run): string {
  expect(out).toBe("");
  expect(err.trimEnd().split("\n")).toHaveLength(1);
  expect(err).not.toMatch(/s3cr|\n\s+at /);
  return err.trimEnd();
}
