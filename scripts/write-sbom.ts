/** Prints what a host installs with us, as CycloneDX: npm's own list of a project that has our dependencies and nothing else. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const { name, version, license, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { packages, ...lock } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

/** Of our own project, npm leaves out whatever a devDependency uses as well. */
const project = { name, version, license, dependencies };
const isOurs = ([place, { dev, devOptional, peer, optional }]: [string, Readonly<Record<string, boolean>>]) =>
  place !== "" && !dev && !devOptional && !peer && !optional;
const installed = Object.fromEntries(Object.entries<Readonly<Record<string, boolean>>>(packages).filter(isOurs));

const folder = mkdtempSync(join(tmpdir(), "whatsapp-sbom-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify(project));
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ ...lock, packages: { "": project, ...installed } }),
  );
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const sbom = JSON.parse(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
  sbom.metadata.component.name = name;
  console.log(JSON.stringify(sbom, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
