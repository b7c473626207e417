/** What the documents show is true: code compiles, commands exist, JSON parses, queries run on a migrated database. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { manifest } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { OPTIONS } from "../../plugin/config.ts";
import { bundleProgram } from "../support/bundled-program.ts";
import {
  allCodeBlocks,
  type CodeBlock,
  codeBlocksOf,
  codeBlockUnder,
  complaintsAbout,
  PAGES,
} from "../support/code-blocks.ts";
import { runNode } from "../support/node-process.ts";
import { createTestDatabase } from "../support/postgres.ts";

const run = promisify(execFile);
const CLI = bundleProgram("cli/main.ts");
const PRELUDE = codeBlockUnder("docs/README.md", "## What the examples take for granted");

/** The prelude's names are everywhere, as a host's own are. */
function preludeOf({ text }: CodeBlock): string {
  const types = "Alarm, AiResponse, HostEvent, Reply, Session, Turn, WhatsAppPlugin, WhatsAppPluginOptions";
  const everywhere = text.replaceAll(/^declare /gm, "");
  return `import type { ${types} } from "@omniops/whatsapp";\ndeclare global {\n${everywhere}\n}`;
}

/** What pages of a browser have that TypeScript cannot know from JavaScript. */
const BROWSER = `import type { WhatsAppConnect } from "@omniops/whatsapp/connect-element";
declare global {
  interface HTMLElementTagNameMap { "whatsapp-connect": WhatsAppConnect }
  interface DocumentEventMap { "whatsapp-connected": CustomEvent<{ numbers: readonly unknown[] }> }
}
`;

/** Of packages that a host may have and we do not: what the examples call, by their own documentation. */
const PACKAGES = `declare module "next" {
  type Handle = (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => Promise<void>;
  export default function next(options: { dev: boolean }): { prepare(): Promise<void>; getRequestHandler(): Handle };
}
declare module "next/server" {
  export function after(work: () => Promise<unknown>): void;
}
declare module "ai" {
  type TextStreamPart = { type: "text-delta"; text: string } | { type: "error"; error: unknown } | { type: "abort" } | { type: "finish" };
  export function streamText(options: {
    model: string;
    prompt: string;
    abortSignal?: AbortSignal;
    onError?: (event: { error: unknown }) => void;
  }): { readonly textStream: AsyncIterable<string>; readonly fullStream: AsyncIterable<TextStreamPart> };
}`;

const where = ({ page, line }: CodeBlock) => `${page}:${line}`;

describe("a block of TypeScript or JavaScript", () => {
  it("compiles", { timeout: 120_000 }, () => {
    const blocks = allCodeBlocks("ts", "tsx", "js", "jsx").filter((block) => where(block) !== where(PRELUDE));

    expect(blocks.length).toBeGreaterThan(15);
    expect(
      complaintsAbout(blocks, {
        "docs/prelude.d.ts": preludeOf(PRELUDE),
        "docs/browser.d.ts": BROWSER,
        "docs/packages.d.ts": PACKAGES,
      }),
    ).toEqual([]);
  });

  it("takes nothing for granted that no block uses", () => {
    const code = allCodeBlocks("ts", "tsx", "js", "jsx")
      .filter((block) => where(block) !== where(PRELUDE))
      .map(({ text }) => text)
      .join("\n");
    const names = [...PRELUDE.text.matchAll(/^declare (const|function) (.+)$/gm)].flatMap(([, kind, declared = ""]) =>
      [...declared.matchAll(kind === "const" ? /(?:^|, )(\w+)(?=:)/g : /^(\w+)/g)].map(([, name]) => name ?? ""),
    );

    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });
});

describe("a block of JSON", () => {
  it("parses", () => {
    for (const block of allCodeBlocks("json")) expect(() => JSON.parse(block.text), where(block)).not.toThrow();
  });
});

describe("a block of SQL", () => {
  it("runs on a migrated database", async () => {
    const { knex, drop } = await createTestDatabase();
    const blocks = allCodeBlocks("sql");

    expect(blocks.length).toBeGreaterThan(10);
    for (const block of blocks)
      for (const sql of block.text.split(";").filter((one) => one.trim() !== "")) {
        const trx = await knex.transaction();
        await expect(trx.raw(sql.replaceAll("?", "\\?")), `${where(block)} ${sql}`).resolves.toBeDefined();
        await trx.rollback();
      }
    await drop();
  });
});

describe("a block for a shell", () => {
  const blocks = allCodeBlocks("bash", "sh");
  const { version, scripts, peerDependencies, peerDependenciesMeta, devDependencies } = JSON.parse(
    readFileSync("package.json", "utf8"),
  ) as {
    readonly version: string;
    readonly scripts: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
    readonly peerDependenciesMeta: object;
    readonly devDependencies: object;
  };
  /** Line by line, without what is said about it. */
  const commands = blocks.flatMap((block) =>
    block.text
      .replaceAll(/\\\n\s*/g, " ")
      .split("\n")
      .map((line, i) => ({ at: `${block.page}:${block.line + i}`, line: line.replace(/(^|\s)#.*$/, "") })),
  );

  it("is one that a shell can read", async () => {
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks)
      await expect(run("bash", ["-n", "-c", block.text]), where(block)).resolves.toBeDefined();
  });

  it("names scripts of package.json", () => {
    const named = commands.flatMap(({ at, line }) =>
      [...line.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, script]) => ({ at, script })),
    );

    expect(named.length).toBeGreaterThan(0);
    for (const { at, script } of named)
      expect([at, Object.keys(scripts)]).toEqual([at, expect.arrayContaining([script])]);
  });

  it("names commands, subcommands and options that the command line knows", { timeout: 60_000 }, async () => {
    const calls = commands.flatMap(({ at, line }) =>
      [...line.matchAll(/whatsapp-channel ([a-z-]+)([^|&;]*)/g)].map(([, name = "", rest = ""]) => ({
        at,
        name,
        rest,
      })),
    );
    const names = [...new Set(calls.map(({ name }) => name))];
    const helps = new Map(
      await Promise.all(
        names.map(async (name) => {
          const { code, out } = await runNode([CLI, name, "--help"]);
          return [name, code === 0 ? out : ""] as const;
        }),
      ),
    );

    expect(calls.length).toBeGreaterThan(5);
    for (const { at, name, rest } of calls) {
      const help = helps.get(name) ?? "";
      expect(help, `${at}: there is no ${name}`).not.toBe("");
      const words = rest.trim().split(/\s+/);
      const options = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
      for (const option of options) expect(help, `${at}: ${name} has no ${option}`).toContain(option);
      const [first = ""] = words;
      if (/^[a-z-]+$/.test(first) && !first.startsWith("--"))
        expect(help, `${at}: ${name} has no ${first}`).toContain(`${name} ${first}`);
    }
  });

  it("installs what a host has to have, and no other package", () => {
    const known = new Set([
      "@omniops/whatsapp",
      // What `npm pack` writes in a checkout, until it is published.
      `./omniops-whatsapp-${version}.tgz`,
      ...Object.keys(peerDependencies),
      ...Object.keys(peerDependenciesMeta),
    ]);
    const named = commands.flatMap(({ at, line }) =>
      [...line.matchAll(/npm (?:i|install) ((?:(?!&&| #).)+)/g)].flatMap(([, list = ""]) =>
        list
          .trim()
          .split(/\s+/)
          .filter((word) => !word.startsWith("-"))
          // What only writes and runs a host's TypeScript is what we write ours with.
          .filter((word) => !(list.includes("--save-dev") && word in devDependencies))
          .map((name) => ({ at, name })),
      ),
    );

    expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  it("sets variables that there are, and asks routes that there are", () => {
    const variables = new Set<string>([...Object.values(OPTIONS).map(({ env }) => env), ...HOSTS_OWN]);
    const routes = manifest.routes.map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, "[^/?]+")}$`));
    for (const { at, line } of commands) {
      for (const [, name = ""] of line.matchAll(/^\s*(?:export )?([A-Z][A-Z0-9_]+)=/g))
        expect(variables.has(name), `${at}: ${name}`).toBe(true);
      for (const [, path = ""] of line.matchAll(/https?:\/\/[^/\s"]+\/api\/whatsapp(\/[^?\s"']*)/g))
        expect(
          routes.some((route) => route.test(path)),
          `${at}: ${path}`,
        ).toBe(true);
    }
  });
});

/** Variables that our examples read and the channel does not. */
const HOSTS_OWN = ["DATABASE_URL", "PORT"];

describe("a page", () => {
  it("shows no code in a language that is not checked here, but for what a browser reads and what is printed", () => {
    const known = new Set(["ts", "tsx", "js", "jsx", "json", "sql", "bash", "sh", "html", "css", "text", ""]);

    expect(
      PAGES.flatMap(codeBlocksOf)
        .filter(({ language }) => !known.has(language))
        .map(where),
    ).toEqual([]);
  });
});
