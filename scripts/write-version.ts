/** `npm run release:version`: the version that package.json has got, wherever else it stands. */
import { readFileSync, writeFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
const NUMBER = String.raw`\d+\.\d+\.\d+(?:-[\w.]+)?`;

/** Text before and after the number. */
const PLACES: readonly (readonly [file: string, before: string, after: string])[] = [
  ["plugin/version.ts", 'VERSION = "', '"'],
  ["README.md", "omniops-whatsapp-", ".tgz"],
  ["docs/guides/express.md", "omniops-whatsapp-", ".tgz"],
];

for (const [file, before, after] of PLACES) {
  const text = readFileSync(file, "utf8");
  const raised = text.replaceAll(
    new RegExp(`${before}${NUMBER}${after.replace(".", "\\.")}`, "g"),
    `${before}${version}${after}`,
  );
  if (!raised.includes(`${before}${version}${after}`))
    throw new Error(`${file} names no version: "${before}…${after}".`);
  writeFileSync(file, raised);
}
