/** Lit's modules, as a browser takes them: found where npm has put them, their names led to our addresses. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** By the name in our address: which package it is of, and where in it. */
const PLACES = {
  "lit.js": ["lit", "index.js"],
  "lit-element.js": ["lit-element", "lit-element.js"],
  "reactive-element.js": ["@lit/reactive-element", "reactive-element.js"],
  "css-tag.js": ["@lit/reactive-element", "css-tag.js"],
  "lit-html.js": ["lit-html", "lit-html.js"],
  "is-server.js": ["lit-html", "is-server.js"],
  "directive.js": ["lit-html", "directive.js"],
  "directive-helpers.js": ["lit-html", "directive-helpers.js"],
  "repeat.js": ["lit-html", "directives/repeat.js"],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export const LIT_FILES = Object.keys(PLACES);

/** @param name one of LIT_FILES. @returns its path on this machine. */
export function litFile(name: string): string {
  const [pack, file] = PLACES[name as keyof typeof PLACES];
  const lit = createRequire(import.meta.url).resolve("lit");
  // The others are lit's own, and may lie in its node_modules; what Node would load of them is not what a browser does.
  const found = pack === "lit" ? lit : resolveFrom([lit, "lit-element"], pack);
  return join(rootOf(found), file);
}

function resolveFrom([from, via]: readonly [string, string], name: string): string {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return createRequire(createRequire(from).resolve(via)).resolve(name);
  }
}

function rootOf(path: string): string {
  const folder = dirname(path);
  return existsSync(join(folder, "package.json")) ? folder : rootOf(folder);
}

/**
 * A browser knows no packages, and an import map is an inline script, which many policies refuse: so the few names are led
 * to `folder` here. The rest of the text stays as it is.
 */
export function withLitAt(folder: string, text: string): Buffer {
  const led = text
    .replace(/\b(from|import)\s*"([^"]+)"/g, (_all, word: string, name: string) => `${word} "${folder}${fileOf(name)}"`)
    .replace(/^\/\/# sourceMappingURL=.*$/gm, "");
  return Buffer.from(led);
}

/** `lit/directives/repeat.js` → `repeat.js`, `@lit/reactive-element` → `reactive-element.js`. */
function fileOf(specifier: string): string {
  const last = specifier.split("/").at(-1) as string;
  return last.endsWith(".js") ? last : `${last}.js`;
}
