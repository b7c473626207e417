/** The options of a script; whoever mistypes one is told how it is used, and not where in the code it was noticed. */
import { parseArgs } from "node:util";

/**
 * @param defaults each option's value when it is not given; null for none.
 * @param usage one line per example. Printed to stderr, with status 2, for an option that is not there; with `--help` to stdout.
 */
export function readArguments<T extends Readonly<Record<string, string | null>>>(
  defaults: T,
  usage: string,
): { readonly [Name in keyof T]: string | (null extends T[Name] ? null : never) } {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }]));
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean" as const } } });
    if (values.help === true) {
      console.log(usage);
      process.exit(0);
    }
    return { ...defaults, ...values } as never;
  } catch (error) {
    return misused((error as Error).message, usage);
  }
}

export function misused(what: string, usage: string): never {
  console.error(`${what}\n\n${usage}`);
  process.exit(2);
}
