/** Runs a bundle with what V8 made of it the first time: to compile it is half of what a worker needs to begin. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { Script } from "node:vm";

const [, , bundle = ""] = process.argv;
const compiled = `${bundle}.compiled`;
const cachedData = read(compiled);
const script = new Script(Module.wrap(readFileSync(bundle, "utf8")), { filename: bundle, cachedData });
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, ".");
if (cachedData === undefined) {
  // Several begin at once: each has a whole one.
  writeFileSync(`${compiled}.${process.pid}`, script.createCachedData());
  renameSync(`${compiled}.${process.pid}`, compiled);
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
