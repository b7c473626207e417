/** The documents against the sources: their links lead somewhere, their tables leave nothing out. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { manifest } from "@omniops/whatsapp";
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
  "SECURITY.md",
  ...readdirSync(join(root, "docs"), { recursive: true })
    .map((name) => `docs/${String(name).replaceAll("\\", "/")}`)
    // That one shows Markdown of others, and has a test of its own.
    .filter((name) => name.endsWith(".md") && name !== "docs/formatting.md" && !name.startsWith("docs/reference/api/")),
];

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

describe("docs/README.md", () => {
  it("leads to every page that is for readers of the package", () => {
    const index = read("docs/README.md");
    const pages = DOCUMENTS.filter((path) => path.startsWith("docs/") && !path.startsWith("docs/decisions/"))
      .map((path) => path.slice("docs/".length))
      .filter((path) => path !== "README.md");

    expect(pages.filter((page) => !index.includes(`](${page})`) && !index.includes(`](${page}#`))).toEqual([]);
  });
});

describe("docs/troubleshooting.md", () => {
  it("has every error of the integration guide's table", () => {
    const page = read("docs/troubleshooting.md").toLowerCase();

    for (const error of [
      "invalid redirect_uri",
      "invalid state parameter",
      "no whatsapp business accounts found",
      "webhook verification fails (403)",
      "invalid signature (401)",
      "webhooks are not received",
      "migration fails",
      "rls policy blocks insert",
    ])
      expect(page).toContain(error);
  });
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

describe("the pictures of the phone and of the report", () => {
  it("are each shown, and no other", () => {
    const shown = (page: string, folder: string) => [
      ...new Set(Array.from(read(page).matchAll(new RegExp(`${folder}/([\\w-]+\\.png)`, "g")), ([, name]) => name)),
    ];

    const phone = new Set([...shown("README.md", "docs/phone"), ...shown("docs/simulator.md", "phone")]);
    expect([...phone].sort()).toEqual(readdirSync(join(root, "docs/phone")).sort());
    expect(shown("docs/qa.md", "qa").sort()).toEqual(readdirSync(join(root, "docs/qa")).sort());
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
    expect([...routes.matchAll(/`((?:GET|POST|PATCH|DELETE) \/[^`*]*)`/g)].map(([, route]) => route).sort()).toEqual(
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
