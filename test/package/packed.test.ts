/** The tarball as a host gets it: packed by npm, installed into folders of their own, used from JavaScript and TypeScript. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase } from "../support/postgres.ts";
import { CONSUMER, ROUND_TRIP } from "./consumers.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
/** What the build reads; a copy, so that nobody else's `dist` is touched. */
const SOURCES = [
  "plugin",
  "adapters",
  "migrations",
  "simulator",
  "qa",
  "cli",
  "ui",
  "scripts",
  "package.json",
  "plugin.manifest.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "LICENSE",
  "README.md",
];

const folder = mkdtempSync(join(tmpdir(), "whatsapp-packed-"));
const host = join(folder, "host");
const express4Host = join(folder, "express-4-host");
const typedHost = join(folder, "typed-host");
const packageIn = (project: string) => join(project, "node_modules/@omniops/whatsapp");
const installed = packageIn(host);
let tarball = "";

afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A whole build: on a busy machine it takes its time.
beforeAll(async () => {
  const copy = join(folder, "copy");
  mkdirSync(copy);
  for (const name of SOURCES)
    if (existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // Runs `prepack`, which is the build.
  await run("npm", ["pack", "--pack-destination", folder], { cwd: copy });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  for (const project of [express4Host, typedHost]) cpSync(installed, packageIn(project), { recursive: true });
  const peers = { express: "express", knex: "knex", pg: "pg" };
  link(host, peers);
  link(express4Host, { ...peers, express: "express4" });
  const types = ["@types/node", "@types/express", "@types/pg", "@aws-sdk/client-s3", "prom-client"];
  link(typedHost, { ...peers, ...Object.fromEntries(types.map((name) => [name, name])) });
}, 600_000);

/** As an installation resolves them, without a registry. */
function link(project: string, packages: Readonly<Record<string, string>>): void {
  const own = Object.fromEntries(Object.keys(dependencies).map((name) => [name, name]));
  for (const [name, from] of Object.entries({ ...own, ...packages })) {
    const place = join(project, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", from), place);
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "a-host", private: true, type: "module" }));
}

/** What a host's file prints. */
async function node(source: string, project = host, nodePath = process.execPath, args: string[] = []): Promise<string> {
  writeFileSync(join(project, "main.js"), source);
  const { stdout } = await run(nodePath, ["--unhandled-rejections=strict", "main.js", ...args], { cwd: project });
  return stdout.trim();
}

/** One of each major from 20 on that this machine has installed, beside the one that runs this. */
function otherNodes(): readonly string[] {
  const managers = [
    [join(homedir(), ".nvm/versions/node"), "bin/node"],
    [join(homedir(), ".local/share/fnm/node-versions"), "installation/bin/node"],
    [join(homedir(), ".volta/tools/image/node"), "bin/node"],
    ["/opt/hostedtoolcache/node", "x64/bin/node"],
  ] as const;
  const found = managers.flatMap(([versions, path]) =>
    (existsSync(versions) ? readdirSync(versions) : []).map(
      (name) => [Number.parseInt(name.replace("v", ""), 10), join(versions, name, path)] as const,
    ),
  );
  const majors = new Map(found.filter(([major, path]) => major >= 20 && existsSync(path)));
  majors.delete(Number.parseInt(process.versions.node, 10));
  return [...majors.values()];
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

  // Node 20.19 and 22.12 began with it.
  it.runIf("require_module" in process.features)("can be required by a host in CommonJS", async () => {
    const printed = await node(`
      import { createRequire } from "node:module";
      console.log(typeof createRequire(import.meta.url)("@omniops/whatsapp").createWhatsAppPlugin);
    `);

    expect(printed).toBe("function");
  });

  it("speaks before any database is there, and says what its configuration lacks", async () => {
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

  it.each([
    ["Express 5", host],
    ["Express 4", express4Host],
  ])("answers a message in a JavaScript project with %s, its tables made by its own command", async (name, project) => {
    const { url } = await createTestDatabase({ empty: true });
    const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
      readonly bin: Readonly<Record<string, string>>;
    };
    const command = join(packageIn(project), bin["whatsapp-channel"] ?? "");
    const migrated = await run(process.execPath, ["--unhandled-rejections=strict", command, "migrate", "--json"], {
      cwd: project,
      env: { ...process.env, DATABASE_URL: url },
    });

    const printed = await node(ROUND_TRIP, project, process.execPath, [url]);

    expect(JSON.parse(migrated.stdout).applied.length).toBeGreaterThan(5);
    expect(JSON.parse(printed)).toEqual({ express: name, said: ["Ping", "You said: Ping"], migrated: [] });
  });

  it("does so on every other Node from 20 on that is at hand", async () => {
    for (const nodePath of otherNodes()) {
      const database = await createTestDatabase();
      const printed = await node(ROUND_TRIP, host, nodePath, [database.url]);
      expect([nodePath, JSON.parse(printed).said]).toEqual([nodePath, ["Ping", "You said: Ping"]]);
      await database.drop();
    }
  });

  it.each([
    ["5.9", "typescript-5.9", "nodenext"],
    ["7", "typescript-7", "bundler"],
  ])("is typed for a strict TypeScript %s project", { timeout: 60_000 }, async (version, compiler, module) => {
    const isBundled = module === "bundler";
    const name = `tsconfig.${compiler}.json`;
    writeFileSync(join(typedHost, "main.ts"), CONSUMER);
    writeFileSync(
      join(typedHost, name),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          target: "es2022",
          lib: ["es2023", "dom"],
          types: ["node"],
          module: isBundled ? "esnext" : "nodenext",
          moduleResolution: module,
          // Ours are checked too; those of others are theirs.
          skipLibCheck: false,
        },
        files: ["main.ts"],
      }),
    );
    const tsc = join(root, "node_modules", compiler, "bin/tsc");
    const check = (args: readonly string[]) =>
      run(process.execPath, ["--unhandled-rejections=strict", tsc, ...args], { cwd: typedHost }).catch(
        (error) => error,
      );

    const { stdout: said } = await check(["--version"]);
    const { stdout } = await check(["-p", name]);

    expect(said).toContain(`Version ${version}.`);
    expect(stdout).toBe("");
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

  it.each([
    ["publint", ["--strict"]],
    ["attw", ["--profile", "esm-only"]],
  ])("is without a complaint of %s", { timeout: 60_000 }, async (tool, args) => {
    const { stdout, failed } = await run(join(root, "node_modules/.bin", tool), [tarball, ...args]).then(
      (said) => ({ ...said, failed: false }),
      (error: { readonly stdout: string }) => ({ ...error, failed: true }),
    );

    expect({ stdout: failed ? stdout : "", failed }).toEqual({ stdout: "", failed: false });
  });

  it("holds what a host needs and no test, example, source or file that nothing reaches", () => {
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
    // A module of types has no code; an inner one has no declarations that a host could read.
    expect(files).toContain("dist/plugin/channel-event.d.ts");
    expect(files).not.toContain("dist/plugin/channel-event.js");
    expect(files).not.toContain("dist/cli/main.d.ts");
    expect(files).not.toContain("dist/plugin/pipeline/lane-worker.d.ts");
  });

  it("is about as large as the README says", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const unpacked = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    const [, packedKb, unpackedMb] = (/About (\d+) kB packed, ([\d.]+) MB unpacked/.exec(readme) ?? []).map(Number);
    const isAbout = (size: number, said = 0) => size > said * 0.75 && size < said * 1.25;

    expect([packedKb, isAbout(statSync(tarball).size / 1_000, packedKb)]).toEqual([packedKb, true]);
    expect([unpackedMb, isAbout(unpacked / 1_000_000, unpackedMb)]).toEqual([unpackedMb, true]);
  });
});
