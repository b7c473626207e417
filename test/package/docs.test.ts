/** The documents against the sources: their TypeScript compiles, their links lead somewhere, their tables leave nothing out. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { manifest } from "@omniops/whatsapp";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { OPTIONS } from "../../plugin/config.ts";
import { ERROR_STATUS } from "../../plugin/errors.ts";
import { SENTENCES } from "../../ui/sentences.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true })
    .map((name) => `docs/${String(name).replaceAll("\\", "/")}`)
    // That one shows Markdown of others, and has a test of its own.
    .filter((name) => name.endsWith(".md") && name !== "docs/formatting.md"),
];
const COMPILED = [
  "README.md",
  "docs/qa.md",
  "docs/meta-setup.md",
  "docs/embedding-connect.md",
  "docs/connect-for-customers.md",
];

/** What a host has of its own, and the least of React that the guide's page needs. */
const HOST = `import type { AiResponse, HostEvent, Reply, Session, Turn } from "@omniops/whatsapp";
import type { Application, Request } from "express";
import type { Knex } from "knex";
declare global {
  const knex: Knex;
  const app: Application;
  const chatPipeline: { answer(turn: Turn): Promise<Reply> };
  const bus: { publish(event: HostEvent): Promise<void> };
  const sessionOf: (request: Request) => Promise<Session | null>;
  const sessions: {
    of(request: Request): Promise<{ id: string; userId: string; customerConfigId: string; isAdmin: boolean } | null>;
  };
  const notify: (customerConfigId: string, text: string) => Promise<void>;
  const customerConfigId: string, accessToken: string, phoneNumberId: string, wabaId: string, conversationId: string;
  const aiResponse: AiResponse;
  const showToast: (text: string, kind?: "error") => void;
  const SENTENCES: Readonly<Record<string, string>>;
  namespace JSX {
    interface ElementChildrenAttribute { children: unknown }
    interface IntrinsicElements {
      button: { onClick: () => void; children: unknown };
      div: { className: string; children: unknown };
      h3: { children: unknown };
      p: { children: unknown };
    }
  }
}`;
const REACT = `declare module "react" {
  export function useState<T>(initial: T): [T, (value: T) => void];
  export function useEffect(effect: () => void, dependencies: readonly unknown[]): void;
}`;

/** Every block of a language, on the lines on which it stands: what the compiler says points into the document. */
function blocksOf(document: string, language: string): string {
  let isInside = false;
  const lines = document.split("\n").map((line) => {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) return isInside ? line : "";
    isInside = !isInside && fence[1] === language;
    return "";
  });
  return lines.join("\n");
}

function complaintsAbout(files: Readonly<Record<string, string>>): string[] {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const all: Readonly<Record<string, string>> = { "docs/host.d.ts": HOST, "docs/react.d.ts": REACT, ...files };
  const texts = new Map(Object.entries(all).map(([name, text]) => [join(root, name), text]));
  const compilerOptions: ts.CompilerOptions = {
    ...options,
    lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts", "lib.dom.d.ts"],
    jsx: ts.JsxEmit.Preserve,
    noUnusedLocals: false,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...texts.keys()], compilerOptions, host);
  return [...texts.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((one) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(one.start ?? 0).line + 1;
      return `${path.slice(root.length)}:${line} ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`;
    });
  });
}

describe("what is shown as TypeScript", () => {
  it("compiles against the sources", { timeout: 60_000 }, () => {
    const files = Object.fromEntries(
      COMPILED.flatMap((path) =>
        ["ts", "tsx"].map((language) => [`${path}.${language}`, `${blocksOf(read(path), language)}\nexport {};\n`]),
      ),
    );

    expect(Object.values(files).filter((text) => text.includes("whatsapp")).length).toBeGreaterThan(2);
    expect(complaintsAbout(files)).toEqual([]);
  });
});

describe("a link in a document", () => {
  it.each(DOCUMENTS)("leads to a file, and to a heading of it: %s", (path) => {
    const broken = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, file, heading]) => !leadsSomewhere(path, file ?? "", heading))
      .map(([link]) => link);

    expect(broken).toEqual([]);
  });

  function leadsSomewhere(from: string, file: string, heading: string | undefined): boolean {
    const target = file === "" ? from : join(dirname(from), file);
    if (!existsSync(join(root, target))) return false;
    return heading === undefined || anchorsOf(read(target)).has(heading);
  }

  /** As GitHub makes them. */
  function anchorsOf(document: string): ReadonlySet<string> {
    const headings = [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? "");
    return new Set(
      headings.map((heading) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      ),
    );
  }
});

describe("the pictures of connecting", () => {
  it("are those that the script draws, and each is shown", () => {
    const pictures = readdirSync(join(root, "docs/connect")).sort();
    const drawn = [...read("scripts/draw-connecting.ts").matchAll(/draw\(page, "([\w-]+)"/g)].map(
      ([, name]) => `${name}.png`,
    );

    expect(drawn.sort()).toEqual(pictures);
    for (const picture of pictures) expect(read("docs/connect-for-customers.md")).toContain(`](connect/${picture})`);
  });
});

describe("the pictures of the integrations page", () => {
  it("are each shown, and no other", () => {
    const shown = [...read("docs/integrations-page.md").matchAll(/[("]page\/([\w-]+\.png)[)"]/g)].map(
      ([, name]) => name,
    );

    expect(shown.sort()).toEqual(readdirSync(join(root, "docs/page")).sort());
  });
});

describe("ARCHITECTURE.md", () => {
  it("names files that exist, and every file of plugin/connect/", () => {
    const walks = read("ARCHITECTURE.md").split("## Code map")[0] ?? "";
    const paths = [...walks.matchAll(/`((?:plugin|adapters|ui)\/[\w./-]+\.[jt]s)`/g)].map(([, path]) => path ?? "");

    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    for (const file of readdirSync(join(root, "plugin/connect"))) expect(walks).toContain(file);
  });
});

describe("a table", () => {
  const firstCells = (document: string) =>
    [...document.matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, code]) => code ?? "");

  it("of docs/meta-setup.md has every code that the button brings back, once", () => {
    const table = read("docs/meta-setup.md").split("| `whatsapp_error` ")[1]?.split("\n### ")[0] ?? "";

    expect(firstCells(table).sort()).toEqual(Object.keys(SENTENCES).sort());
    for (const code of Object.keys(SENTENCES))
      if (code !== "internal") expect(Object.keys(ERROR_STATUS)).toContain(code.toUpperCase());
  });

  it("of docs/connect-for-customers.md has every sentence that a customer may read, by its first words", () => {
    const table = read("docs/connect-for-customers.md").split("| the sentence begins")[1]?.split("\n## ")[0] ?? "";
    const begins = [...table.matchAll(/^\| ([A-Z][^|]+?) +\|/gm)].map(([, words]) => words ?? "");

    for (const sentence of Object.values(SENTENCES))
      expect([sentence, begins.some((words) => sentence.startsWith(words))]).toEqual([sentence, true]);
    for (const words of begins)
      expect([words, Object.values(SENTENCES).some((sentence) => sentence.startsWith(words))]).toEqual([words, true]);
  });

  it("of the README has every option and every route, and no other route", () => {
    const readme = read("README.md");
    const routes = readme.split("### Routes")[1]?.split("\n### ")[0] ?? "";

    for (const { env } of Object.values(OPTIONS)) expect(readme).toContain(`\`${env}\``);
    expect([...routes.matchAll(/`((?:GET|POST) \/[^`*]*)`/g)].map(([, route]) => route).sort()).toEqual(
      manifest.routes
        .filter(({ path }) => !/^\/ui\/./.test(path))
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    );
  });

  it("of docs/privacy.md has every table of ours and of the host's, and none that is not there", () => {
    const { owned, extended } = manifest.tables;
    const stored = read("docs/privacy.md").split("## What is stored where")[1]?.split("\n## ")[0] ?? "";
    const first = stored.split("\n").flatMap((line) => (line.startsWith("| ") ? [line.split("|")[1] ?? ""] : []));
    const named = first.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, table]) => table as string));

    expect(owned.filter((table) => !named.includes(table))).toEqual([]);
    expect(named.filter((table) => !owned.includes(table) && !extended.includes(table))).toEqual([]);
    expect(named).toHaveLength(new Set(named).size);
  });

  it("of docs/meta-setup.md names no webhook field that we do not read", () => {
    const step = read("docs/meta-setup.md").split("## 6 ")[1]?.split("\n## ")[0] ?? "";
    const fields = [...step.matchAll(/^\| (`[a-z_`, ]+`) +\|/gm)].flatMap(([, cell]) => cell?.match(/[a-z_]+/g) ?? []);

    expect(fields.length).toBeGreaterThan(10);
    for (const field of fields) expect(manifest.webhookFields).toContain(field);
  });
});

describe("a command in docs/qa.md", () => {
  it("is one that there is, with options that it has", async () => {
    const lines = [...read("docs/qa.md").matchAll(/(?:npx whatsapp-channel|npm run cli --) ([a-z-]+)(.*)$/gm)];

    expect(lines.length).toBeGreaterThan(8);
    for (const [line, name = "", rest = ""] of lines) {
      const source = read(`cli/${name}.ts`);
      for (const [option] of rest.split(" # ")[0]?.matchAll(/--[a-z-]+/g) ?? [])
        expect([line, source.includes(`"${option} `) || source.includes(`"${option}`)]).toEqual([line, true]);
    }
  });
});
