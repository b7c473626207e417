/** The rules of the house, read from the sources: who may import whom, no hidden clock, a sentence on top of every file. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = [
  "plugin",
  "adapters",
  "migrations",
  "simulator",
  "qa",
  "cli",
  "ui",
  "examples",
  "bench",
  "scripts",
  "test",
];
const COMPOSITION_ROOT = ["plugin/create-whatsapp-plugin.ts", "plugin/wiring/"];

type Source = { readonly path: string; readonly text: string; readonly imports: readonly string[] };

const sources: readonly Source[] = FOLDERS.flatMap((folder) =>
  readdirSync(root, { withFileTypes: true }).some((entry) => entry.name === folder)
    ? readdirSync(join(root, folder), { recursive: true })
        .map(String)
        .filter((name) => /\.(?:ts|js)$/.test(name) && !name.includes("node_modules"))
        .map((name) => toSource(`${folder}/${name.replaceAll("\\", "/")}`))
    : [],
);

function toSource(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const imports = ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith(".") ? posix.join(posix.dirname(path), fileName) : fileName,
    );
  return { path, text, imports };
}

const inside = (...folders: readonly string[]) =>
  sources.filter(({ path }) => folders.some((one) => path.startsWith(one)));

/** `path → import` for every import that breaks the rule. */
function breaches(files: readonly Source[], isForbidden: (imported: string, path: string) => boolean): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.filter((imported) => isForbidden(imported, path)).map((imported) => `${path} → ${imported}`),
  );
}

describe("the direction of imports", () => {
  it("is read from all sources", () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(inside("plugin/http/router.ts")[0]!.imports).toEqual(
      expect.arrayContaining(["express", "plugin/http/route-table.ts"]),
    );
  });

  it("lets only the composition root see adapters and migrations", () => {
    const found = breaches(inside("plugin/"), (imported) =>
      /^(adapters|migrations|simulator|cli|examples|test)\//.test(imported),
    );

    // The public names may hand an adapter on.
    expect(found.filter((breach) => !COMPOSITION_ROOT.some((one) => breach.startsWith(one)))).toEqual([
      "plugin/index.ts → adapters/chat-api/chat-api.ts",
    ]);
    expect(found.every((breach) => !/→ (simulator|cli|examples|test)\//.test(breach))).toBe(true);
  });

  it("lets adapters know the contract, the ports and the errors, and nothing else of ours", () => {
    const known = ["plugin/contract.ts", "plugin/ports.ts", "plugin/errors.ts"];
    const found = breaches(inside("adapters/"), (imported, path) => {
      const own = path.split("/").slice(0, 2).join("/");
      return (
        /^(plugin|adapters|migrations|simulator|cli|examples)\//.test(imported) &&
        !known.includes(imported) &&
        !imported.startsWith(`${own}/`)
      );
    });

    expect(found).toEqual([]);
  });

  it.each<[string, readonly string[]]>([
    ["express", ["plugin/http/"]],
    ["knex", ["adapters/postgres/", "migrations/", ...COMPOSITION_ROOT]],
    ["pg", ["adapters/postgres/", "migrations/"]],
    ["tweetnacl", ["adapters/secret-box/"]],
    ["pino", COMPOSITION_ROOT],
  ])("keeps %s where it belongs", (name, places) => {
    const found = breaches(
      inside("plugin/", "adapters/", "migrations/"),
      (imported, path) => imported === name && !places.some((place) => path.startsWith(place)),
    );

    expect(found).toEqual([]);
  });

  it("keeps reading and writing apart, and the contract free of everything", () => {
    expect(
      breaches(inside("plugin/webhook/"), (imported) =>
        /^plugin\/(transformer|messages|templates|pipeline|http|connect)\//.test(imported),
      ),
    ).toEqual([]);
    expect(
      breaches(inside("plugin/transformer/"), (imported) =>
        /^plugin\/(webhook|pipeline|http|connect)\//.test(imported),
      ),
    ).toEqual([]);
    expect(
      breaches(inside("plugin/messages/"), (imported) =>
        /^plugin\/(webhook|transformer|templates|pipeline|http|connect)\//.test(imported),
      ),
    ).toEqual([]);
    expect(
      breaches(
        inside(
          "plugin/contract.ts",
          "plugin/channel-event.ts",
          "plugin/outbound-message.ts",
          "plugin/ports.ts",
          "plugin/ports/",
          "plugin/errors.ts",
        ),
        // The sentences are data that import nothing.
        (imported) =>
          !/^(plugin\/(contract|channel-event|outbound-message|ports|ports\/[\w-]+|errors)\.ts|ui\/sentences\.js)$/.test(
            imported,
          ),
      ),
    ).toEqual([]);
  });

  it("leaves migrations alone: they import nothing of ours", () => {
    expect(
      breaches(
        inside("migrations/"),
        (imported) => imported !== "knex" && !imported.startsWith("node:") && !imported.startsWith("migrations/"),
      ),
    ).toEqual([]);
  });

  it("keeps the browser's code to itself, and gives the plugin nothing of it but the sentences", () => {
    expect(inside("ui/").length).toBeGreaterThan(5);
    // The one file that names the page's library.
    const own = inside("ui/").filter(({ path }) => path !== "ui/page/lit.js");
    expect(breaches(own, (imported) => !imported.startsWith("ui/"))).toEqual([]);
    expect(
      breaches(
        sources.filter(({ path }) => !/^(ui|test)\//.test(path)),
        (imported) => imported.startsWith("ui/") && imported !== "ui/sentences.js",
      ),
    ).toEqual([]);
  });

  it("keeps nock, which changes Node's own modules, to the tests that have a process each", () => {
    const isolated = ["test/unit/graph-api/", "test/unit/chat-api/"];
    const config = readFileSync(join(root, "vitest.config.ts"), "utf8");
    const others = sources.filter(({ path }) => !isolated.some((folder) => path.startsWith(folder)));

    for (const folder of isolated) expect(config).toContain(`"${folder}**/*.test.ts"`);
    expect(breaches(others, (imported) => imported === "nock")).toEqual([]);
  });

  it("makes simulator, command and examples use the public names, as a host does", () => {
    expect(
      breaches(inside("simulator/", "qa/", "cli/", "examples/", "bench/"), (imported) =>
        /^(plugin|adapters|migrations)\//.test(imported),
      ),
    ).toEqual([]);
  });
});

describe("a source file", () => {
  it("of the plugin has no clock, chance, environment or console of its own", () => {
    const found = inside("plugin/", "adapters/").filter(({ path, text }) => {
      return !COMPOSITION_ROOT.some((one) => path.startsWith(one)) && hiddenEffectsOf(text).length > 0;
    });

    expect(found.map(({ path }) => path)).toEqual([]);
    expect(hiddenEffectsOf('new Date(text); "console.log()"; // Date.now()')).toEqual([]);
    expect(
      hiddenEffectsOf("Date.now(); new Date(); new Date; Math.random(); process.env.A; console.log(1)"),
    ).toHaveLength(6);
  });

  it("begins with one sentence that says what it is for", () => {
    const onLineOne = /^(#!.*\n)?\/\*\* \S[^\n]*[^\s*]( \*\/)?\n/;
    const found = sources.filter(({ path, text }) => {
      // A test may need a longer story: then its first sentence stands alone on line two.
      return !onLineOne.test(path.startsWith("test/") ? text.replace(/^\/\*\*\n \* /, "/** ") : text);
    });

    expect(found.map(({ path }) => path)).toEqual([]);
  });
});

function hiddenEffectsOf(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isNow = ts.isNewExpression(node) && node.getText(file).match(/^new Date(\(\))?$/);
    const isGlobal =
      ts.isPropertyAccessExpression(node) &&
      /^(Date\.now|Math\.random|process\.env|console\.\w+)$/.test(node.getText(file));
    if (isNow || isGlobal) found.push(node.getText(file));
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile("source.ts", text, ts.ScriptTarget.ES2022);
  visit(file);
  return found;
}

/** One breach of each kind, and what the linter says to it. */
const PLANTED: Readonly<Record<string, { readonly source: string; readonly said: string | RegExp }>> = {
  "plugin/planted-adapter.ts": {
    source: 'export { createStore } from "../adapters/postgres/store.ts";',
    said: "Only create-whatsapp-plugin.ts and wiring/ wire adapters",
  },
  "plugin/planted-knex.ts": { source: 'export type { Knex } from "knex";', said: "SQL belongs in adapters/postgres/" },
  "plugin/planted-express.ts": {
    source: 'import express from "express";\nexport const app = express();',
    said: "HTTP belongs in plugin/http/",
  },
  "plugin/http/planted-pino.ts": {
    source: 'import { pino } from "pino";\nexport const log = pino();',
    said: "chooses the default logger",
  },
  "plugin/webhook/planted-transformer.ts": {
    source: 'export { LIMITS } from "../messages/limits.ts";',
    said: "knows nothing of what comes after",
  },
  "plugin/transformer/planted-webhook.ts": {
    source: 'export { parseWebhook } from "../webhook/parse-webhook.ts";',
    said: "transformer/ is pure",
  },
  "plugin/messages/planted-transformer.ts": {
    source: 'export { transformResponse } from "../transformer/transform-response.ts";',
    said: "messages/ knows one message at a time",
  },
  "adapters/graph-api/planted-core.ts": {
    source: 'export { planSend } from "../../plugin/pipeline/plan-send.ts";',
    said: "An adapter knows contract.ts",
  },
  "migrations/planted-code.ts": {
    source: 'export { isPending } from "../plugin/pipeline/part-state.ts";',
    said: "A migration is frozen",
  },
  "ui/planted-inside.js": {
    source: 'export { parseConfig } from "../plugin/config.ts";',
    said: "runs in a browser",
  },
  "plugin/planted-view.ts": {
    source: 'export { cardBody } from "../ui/views.js";',
    said: "belongs to the browser",
  },
  "examples/host/planted-inside.ts": {
    source: 'export { parseConfig } from "../../plugin/config.ts";',
    said: "by its public names",
  },
  "plugin/planted-environment.ts": { source: "export const home = process.env.HOME;", said: "noProcessEnv" },
  "plugin/planted-console.ts": { source: 'console.log("hello");', said: "noConsole" },
  "plugin/planted-any.ts": { source: "export const value: any = 1;", said: "noExplicitAny" },
  "plugin/planted-promise.ts": { source: "async function work() {}\nwork();", said: "noFloatingPromises" },
  "plugin/plantedName.ts": { source: "export const one = 1;", said: "useFilenamingConvention" },
  "plugin/planted-cycle.ts": {
    source: 'export { two } from "./planted-cycle-two.ts";\nexport const one = 1;',
    said: "noImportCycles",
  },
  "plugin/planted-cycle-two.ts": {
    source: 'export { one } from "./planted-cycle.ts";\nexport const two = 2;',
    said: "noImportCycles",
  },
};

describe("the linter", () => {
  it("reports a breach of each kind, with our own sentence", { timeout: 30_000 }, async () => {
    const copy = mkdtempSync(join(tmpdir(), "whatsapp-planted-"));
    try {
      for (const name of ["plugin", "adapters", "migrations", "ui", "biome.json", ".gitignore"])
        cpSync(join(root, name), join(copy, name), { recursive: true });
      for (const [path, { source }] of Object.entries(PLANTED)) {
        mkdirSync(join(copy, dirname(path)), { recursive: true });
        writeFileSync(join(copy, path), `/** Planted. */\n${source}\n`);
      }

      const biome = join(root, "node_modules/.bin/biome");
      const args = ["lint", "--reporter=json", "--max-diagnostics=none", ...Object.keys(PLANTED)];
      const { stdout } = await run(biome, args, { cwd: copy, maxBuffer: 64 * 1024 * 1024 }).catch(
        (error: { stdout: string }) => error,
      );

      const { diagnostics } = JSON.parse(stdout) as {
        diagnostics: readonly { readonly location: { readonly path: unknown } }[];
      };
      for (const [path, { said }] of Object.entries(PLANTED)) {
        const about = diagnostics.filter(({ location }) => JSON.stringify(location.path).includes(`${path}"`));
        expect([path, JSON.stringify(about)]).toEqual([path, expect.stringContaining(String(said))]);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
