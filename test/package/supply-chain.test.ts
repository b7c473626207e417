/** T77, T74: what comes along with us is little, pinned and does nothing at install; no test starts a lenient process. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, "utf8");

type Entry = {
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
};
const { packages } = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Entry>> };
const { dependencies, devDependencies, scripts } = JSON.parse(read("package.json")) as Readonly<
  Record<"dependencies" | "devDependencies" | "scripts", Readonly<Record<string, string>>>
>;

/** Where each package that a host gets with us lies, those of our dependencies included. */
function installed(): readonly string[] {
  const found = new Set<string>();
  const visit = (from: string, name: string): void => {
    const folders = from
      .split("node_modules/")
      .map((_, depth, parts) => parts.slice(0, depth + 1).join("node_modules/"));
    const place = [
      ...folders.reverse().map((folder) => `${folder.replace(/\/?$/, "/")}node_modules/${name}`),
      `node_modules/${name}`,
    ]
      .map((path) => path.replace(/^\//, ""))
      .find((path) => packages[path] !== undefined);
    if (place === undefined) throw new Error(`${name} is not in the lockfile`);
    if (found.has(place)) return;
    found.add(place);
    for (const next of Object.keys(packages[place]?.dependencies ?? {})) visit(place, next);
  };
  for (const name of Object.keys(dependencies)) visit("", name);
  return [...found];
}

describe("what a host installs with us", () => {
  it("is seven packages at most, each at one exact version", () => {
    expect(Object.keys(dependencies).length).toBeLessThanOrEqual(7);
    for (const version of [...Object.values(dependencies), ...Object.values(devDependencies)])
      expect(version).toMatch(/^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/);
  });

  it("runs nothing when it is installed, nor do the packages that those bring", () => {
    const places = installed();

    expect(places.length).toBeGreaterThan(Object.keys(dependencies).length);
    expect(places.filter((place) => packages[place]?.hasInstallScript === true)).toEqual([]);
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?install$|^(?:pre|post)?prepare$/.test(name))).toEqual(
      [],
    );
  });
});

describe("the lockfile", () => {
  it("holds the hash of every package, those for other systems included", () => {
    const without = Object.entries(packages).filter(
      ([place, { integrity, link }]) => place !== "" && link !== true && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""),
    );

    expect(without.map(([place]) => place)).toEqual([]);
    expect(Object.keys(packages).length).toBeGreaterThan(400);
  });
});

describe("a process that a test starts", () => {
  it("ends at a rejection that nobody handles", () => {
    const starters = readdirSync(`${root}test`, { recursive: true })
      .map((name) => `test/${String(name).replaceAll("\\", "/")}`)
      .filter((path) => path.endsWith(".ts") && /(?:spawn|execFile|run|fork)\(\s*process\.execPath/.test(read(path)));
    const lenient = starters.filter((path) =>
      [...read(path).matchAll(/(?:spawn|execFile|run|fork)\(\s*process\.execPath,([^\]]*)\]/g)].some(
        ([, args]) => !/\[\.\.\.STRICT|--unhandled-rejections=strict/.test(args ?? ""),
      ),
    );

    expect(starters).toContain("test/support/node-process.ts");
    // It only asks where a file is.
    expect(lenient).toEqual(["test/support/chromium.ts"]);
    expect(read("vitest.config.ts")).toContain("--unhandled-rejections=strict");
  });
});
