/** The tarball as a host gets it: packed by npm, installed into a folder of its own, used from plain JavaScript. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
/** What the build reads; a copy, so that nobody else's `dist` is touched. */
const SOURCES = [
  "plugin",
  "adapters",
  "migrations",
  "simulator",
  "qa",
  "cli",
  "ui",
  "package.json",
  "plugin.manifest.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "LICENSE",
  "README.md",
];

const folder = mkdtempSync(join(tmpdir(), "whatsapp-packed-"));
const host = join(folder, "host");
const installed = join(host, "node_modules/@omniops/whatsapp");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const copy = join(folder, "copy");
  mkdirSync(copy);
  for (const name of SOURCES)
    if (existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // Runs `prepack`, which is the build.
  await run("npm", ["pack", "--pack-destination", folder], { cwd: copy });
  const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, tarball), "-C", installed, "--strip-components=1"]);
  // As an installation resolves them, without a registry.
  for (const name of [
    "express",
    "knex",
    "pg",
    "markdown-it",
    "openid-client",
    "pino",
    "tweetnacl",
    "zod",
    "@fastify/busboy",
  ]) {
    mkdirSync(dirname(join(host, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(host, "node_modules", name));
  }
  writeFileSync(join(host, "package.json"), JSON.stringify({ name: "a-host", private: true, type: "module" }));
  // A whole build: on a busy machine it takes its time.
}, 180_000);

/** What a host's file prints. */
async function node(source: string): Promise<string> {
  writeFileSync(join(host, "main.js"), source);
  const { stdout } = await run(process.execPath, ["--unhandled-rejections=strict", "main.js"], { cwd: host });
  return stdout.trim();
}

describe("the packed package", () => {
  it("can be imported by every entry point", async () => {
    const printed = await node(`
      const names = async (entry) => Object.keys(await import("@omniops/whatsapp" + entry)).sort();
      console.log(JSON.stringify([await names(""), await names("/contract"), await names("/migrations"), await names("/simulator"), await names("/testing"), await names("/connect-element"), await names("/s3").catch((error) => error.message)]));
    `);

    const [main, contract, migrations, simulator, testing, element, s3] = JSON.parse(printed) as [
      ...string[][],
      string,
    ];
    expect(main).toContain("createWhatsAppPlugin");
    expect(contract).toEqual([]);
    expect(migrations).toContain("migrate");
    expect(simulator).toContain("createSimulator");
    // Without vitest.
    expect(testing).toContain("replayFixtures");
    // Whoever wants it installs its client.
    expect(s3).toMatch(/Cannot find package '@aws-sdk\/client-s3'/);
    // Without a browser too: a server that renders pages imports what they import.
    expect(element).toEqual(["WhatsAppConnect"]);
  });

  it("gives out its manifest and package.json, and nothing from inside", async () => {
    const printed = await node(`
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      const inside = await import("@omniops/whatsapp/dist/plugin/config.js").catch((error) => error.code);
      console.log(JSON.stringify([require("@omniops/whatsapp/plugin.manifest.json").id, require("@omniops/whatsapp/package.json").name, inside]));
    `);

    expect(JSON.parse(printed)).toEqual(["whatsapp", "@omniops/whatsapp", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);
  });

  it("works: a plugin is made, and speaks before any database is there", async () => {
    const printed = await node(`
      import knex from "knex";
      import { createWhatsAppPlugin } from "@omniops/whatsapp";
      const plugin = createWhatsAppPlugin({
        knex: knex({ client: "pg" }),
        config: { metaAppSecret: "an-app-secret", verifyToken: "a-verify-token", tokenKeys: "k1:" + Buffer.alloc(32).toString("base64") },
        reply: () => null,
      });
      console.log(JSON.stringify([typeof plugin.router, plugin.transform("**hi**").messages[0].text]));
      try { createWhatsAppPlugin({ knex: knex({ client: "pg" }), config: {}, reply: () => null }); } catch (error) { console.log(error.code); }
    `);

    expect(printed).toBe('["function","*hi*"]\nCONFIG_INVALID');
  });

  it("brings its command", async () => {
    const { bin } = JSON.parse(
      await node(`
      import { readFileSync } from "node:fs";
      console.log(readFileSync("node_modules/@omniops/whatsapp/package.json", "utf8"));
    `),
    ) as { bin: Record<string, string> };

    const { stdout, stderr } = await run(
      process.execPath,
      ["--unhandled-rejections=strict", join(installed, bin["whatsapp-channel"]!), "--help"],
      {
        cwd: host,
      },
    );

    expect(stdout + stderr).toContain("whatsapp-channel");
  });

  it("serves the simulator's phone with every module that its page wants", async () => {
    const printed = await node(`
      import { createSimulator, drawMessages } from "@omniops/whatsapp/simulator";
      const meta = createSimulator({ appSecret: "s", verifyToken: "v", accessToken: "a", numbers: [] });
      await meta.start();
      const seen = new Map();
      const visit = async (path) => {
        if (seen.has(path)) return;
        const response = await fetch(meta.url + path);
        const text = await response.text();
        seen.set(path, response.status);
        for (const [, name] of text.matchAll(/from "\\.\\/([\\w-]+\\.js)"/g)) await visit("/phone/" + name);
      };
      for (const path of ["/phone", "/phone/page.js", "/phone/phone.css"]) await visit(path);
      await meta.stop();
      console.log(JSON.stringify({ seen: [...seen], drawn: drawMessages([{ text: { body: "*hi*" } }]) }));`);
    const { seen, drawn } = JSON.parse(printed) as { seen: [string, number][]; drawn: string };

    expect(seen.length).toBeGreaterThan(10);
    expect(seen.filter(([, status]) => status !== 200)).toEqual([]);
    expect(drawn).toContain("<strong>hi</strong>");
  });

  it("holds what a host needs and no test, example or source", () => {
    expect(
      readdirSync(installed)
        .filter((name) => !["README.md", "LICENSE"].includes(name))
        .sort(),
    ).toEqual(["dist", "package.json", "plugin.manifest.json"]);
    expect(readdirSync(join(installed, "dist")).sort()).toEqual([
      "adapters",
      "cli",
      "migrations",
      "plugin",
      "qa",
      "simulator",
      "ui",
    ]);
    const files = readdirSync(installed, { recursive: true }).map(String);
    expect(files.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))).toEqual([]);
  });
});
