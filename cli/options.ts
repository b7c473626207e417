/** The options that every command on the host's database takes. */
import { parseArgs } from "node:util";
import type { Wrong } from "./command.ts";
import { didYouMean } from "./nearest.ts";

/** @param own lines for the options that only this command has. @param exits what its exit codes mean. */
export function optionsHelp(own: readonly string[] = [], exits = usualExits(own)): string {
  const lines = [
    "--database-url <url>    Default: DATABASE_URL, which other users of this machine cannot see",
    "--schema <name>         Schema of our tables. Default: public",
    "--host-schema <name>    Schema of customer_configs, conversations and messages. Default: public",
    "--json                  One JSON value on stdout; a failure is one on stderr",
    ...own,
    "--help                  This text",
  ];
  return `Options:\n${lines.map((line) => `  ${line}`).join("\n")}\n\n${exits}`;
}

function usualExits(own: readonly string[]): string {
  return `Exit codes: 0 done, 1 failed, 2 used wrongly${own.length > 0 ? " or not confirmed" : ""}`;
}

const COMMON = {
  "database-url": { type: "string" },
  schema: { type: "string" },
  "host-schema": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export type Values = {
  readonly "database-url"?: string | undefined;
  readonly schema?: string | undefined;
  readonly "host-schema"?: string | undefined;
  readonly json?: boolean | undefined;
  readonly help?: boolean | undefined;
};
export type Parsed<Own> = { readonly values: Values & Own; readonly positionals: readonly string[] };

type OwnOptions<Flag extends string, Valued extends string> = { readonly [Name in Flag]?: boolean } & {
  readonly [Name in Valued]?: string;
};

/** @param flags and options with a value that only this command has. @throws what is `wrong` with them. */
export function parsed<Flag extends string = never, Valued extends string = never>(
  args: readonly string[],
  wrong: Wrong,
  flags: readonly Flag[] = [],
  valued: readonly Valued[] = [],
): Parsed<OwnOptions<Flag, Valued>> {
  const own = Object.fromEntries([
    ...flags.map((name) => [name, { type: "boolean" as const }] as const),
    ...valued.map((name) => [name, { type: "string" as const }] as const),
  ]);
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...COMMON, ...own },
    });
    return { values: values as Values & OwnOptions<Flag, Valued>, positionals };
  } catch (error) {
    // Node adds advice about positionals after the first sentence.
    const [sentence = ""] = (error as Error).message.split(/\.(\s|$)/);
    const [, typed] = /^Unknown option '--([\w-]+)/.exec(sentence) ?? [];
    const hint = typed === undefined ? "" : didYouMean(typed, Object.keys({ ...COMMON, ...own }), "--");
    throw wrong(`${sentence.replaceAll("\n", " ")}.${hint}`);
  }
}

export type Schemas = { readonly schema?: string; readonly hostSchema?: string };

export function schemas(values: Values, wrong: Wrong): Schemas {
  for (const name of ["schema", "host-schema"] as const) if (values[name] === "") throw wrong(`--${name} is empty.`);
  return {
    ...(values.schema === undefined ? {} : { schema: values.schema }),
    ...(values["host-schema"] === undefined ? {} : { hostSchema: values["host-schema"] }),
  };
}
