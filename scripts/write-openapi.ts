/** Writes docs/openapi.json from the routes and their schemas, in the house format; a test compares the two. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openApi } from "../plugin/http/openapi.ts";

const file = fileURLToPath(new URL("../docs/openapi.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(openApi("/api/whatsapp"), null, 2)}\n`);
execFileSync("npx", ["biome", "format", "--write", file], { stdio: "ignore" });
