/** Writes plugin.manifest.json from the manifest in the code, in the house format; a test compares the two. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { manifest } from "@omniops/whatsapp";

const file = fileURLToPath(new URL("../plugin.manifest.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
execFileSync("npx", ["biome", "format", "--write", file], { stdio: "ignore" });
